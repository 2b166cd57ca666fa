"""Seeded chance that is the same on every machine and with every version of every library.

NumPy's own generators may change their streams between versions (NEP 19); a split must not.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15


def scrambled(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each value's scrambled form: the finaliser of splitmix64 (Steele, Lea and Flood 2014)."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed


def stream(count: int, seed: int, name: str = "") -> NDArray[np.uint64]:
    """(count,) random numbers; another seed or name gives others."""
    import numpy as np

    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    start = np.frombuffer(digest, "<u8").astype(np.uint64)
    return scrambled(start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN))


def shuffled(count: int, seed: int, name: str = "") -> NDArray[np.int64]:
    """0 to count - 1 in random order."""
    import numpy as np

    return np.argsort(stream(count, seed, name), kind="stable")


def uniform(count: int, seed: int, name: str = "") -> NDArray[np.float64]:
    """(count,) random numbers from 0 up to 1, evenly spread."""
    import numpy as np

    return (stream(count, seed, name) >> np.uint64(11)).astype(np.float64) * 2.0**-53
