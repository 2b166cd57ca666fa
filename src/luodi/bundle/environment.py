"""What a bundle was made with: enough to build the same environment again, no more."""

from __future__ import annotations

import functools
import platform
import re
import sys
from importlib.metadata import Distribution, distributions

from luodi.contracts import JsonValue


@functools.cache
def environment() -> dict[str, JsonValue]:
    """The packages with their versions, the Python, and the kind of machine.

    No host name, path or user: a bundle travels to people who need not know them.
    """
    packages: dict[str, str] = {}
    for found in distributions():
        name, version = _named(found)
        if name:
            # The first on the path is the one that is imported.
            packages.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items())),
    }


def _named(found: Distribution) -> tuple[str, str]:
    """Name and version, from the head of the metadata: the rest is a long page of prose, and the
    library parses all of it as a mail.
    """
    for file in ("METADATA", "PKG-INFO"):
        head = (found.read_text(file) or "").partition("\n\n")[0]
        fields = {key: value.strip() for key, _, value in
                  (line.partition(":") for line in head.splitlines())}  # fmt: skip
        if "Name" in fields and "Version" in fields:
            return fields["Name"], fields["Version"]
    return found.metadata["Name"] or "", found.version
