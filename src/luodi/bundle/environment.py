"""What a bundle was made with: enough to build the same environment again, no more."""

from __future__ import annotations

import functools
import platform
import re
import sys
from importlib.metadata import distributions

from luodi.contracts import JsonValue


@functools.cache
def environment() -> dict[str, JsonValue]:
    """The packages with their versions, the Python, and the kind of machine.

    No host name, path or user: a bundle travels to people who need not know them.
    """
    packages: dict[str, str] = {}
    for found in distributions():
        name = found.metadata["Name"]
        if name:
            # The first on the path is the one that is imported.
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), found.version)
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items())),
    }
