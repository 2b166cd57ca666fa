"""Under which licence a base may be used, and who says so."""

from __future__ import annotations

import email.parser
import re
from pathlib import Path

from luodi.training.bases.catalogue import RESEARCH_ONLY

UNKNOWN = "unknown"
"""The licence of a base that states none."""

_SPDX = {
    "apache-2.0": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit": "MIT",
    "mit license": "MIT",
    "bsd": "BSD-3-Clause",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc": "ISC",
    "unlicense": "Unlicense",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-sa-3.0": "CC-BY-SA-3.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "mpl-2.0": "MPL-2.0",
}
_COMMERCIAL = frozenset(
    {
        "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Unlicense", "CC0-1.0",
        "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "MPL-2.0", "GPL-3.0-only", "LGPL-3.0-only",
    }
)  # fmt: skip
_RESEARCH_WORDS = re.compile(
    r"non-?\s?commercial|research (use|purposes?) only|for research only|仅供研究|非商用|不可商用",
    re.IGNORECASE,
)


def allows_commercial(licence: str) -> bool:
    """Whether a licence is known to allow commercial use; an unknown one is not."""
    return licence in _COMMERCIAL


def licence_of_folder(folder: Path) -> tuple[str, str]:
    """A base folder's licence and where it is stated: (SPDX | `research-only` | `unknown`, file).

    Looked for in the model card's front matter, then the card's own words, then a LICENSE file.
    The licence of a wheel around the model is the packager's, so `licence_of_wheel` is weaker
    evidence and comes last.
    """
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if named := _front_matter_licence(text):
        return spdx(named), card.name
    section = re.search(r"^#+\s*(licen[cs]e|许可).*?(?=^#|\Z)", text, re.I | re.M | re.S)
    if section and _RESEARCH_WORDS.search(section.group()):
        return RESEARCH_ONLY, card.name
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE"):
        if (folder / name).is_file():
            body = (folder / name).read_text(encoding="utf-8", errors="replace")
            if (found := _licence_of_text(body)) != UNKNOWN:
                return found, name
    return UNKNOWN, ""


def licence_of_wheel(folder: Path) -> tuple[str, str]:
    """What an unpacked wheel's own metadata states: (SPDX or `unknown`, file)."""
    for metadata in sorted(folder.glob("*.dist-info/METADATA")):
        message = email.parser.Parser().parsestr(
            metadata.read_text(encoding="utf-8", errors="replace"), headersonly=True
        )
        classifiers = [
            value.rsplit("::", 1)[-1]
            for value in message.get_all("Classifier", [])
            if value.startswith("License ::")
        ]
        stated = (message.get("License-Expression"), message.get("License"), *classifiers)
        for value in stated:
            if value and (found := spdx(value)) in _SPDX.values():
                return found, "METADATA"
    return UNKNOWN, ""


def spdx(named: str) -> str:
    """A licence's SPDX name; names with no entry come back as they are, lower case."""
    name = named.strip().lower()
    if name in {"", "other", "unknown"}:
        return UNKNOWN
    if name in _SPDX:
        return _SPDX[name]
    return RESEARCH_ONLY if _RESEARCH_WORDS.search(name) else name


def _front_matter_licence(text: str) -> str:
    import yaml

    match = re.match(r"\s*---\s*\n(.*?)\n---", text, re.S)
    if not match:
        return ""
    try:
        front = yaml.safe_load(match.group(1))
    except yaml.YAMLError:
        return ""  # a card that cannot be read states no licence
    named = front.get("license") if isinstance(front, dict) else None
    if isinstance(named, list):
        named = named[0] if named else None
    return str(named) if named else ""


def _licence_of_text(body: str) -> str:
    head = " ".join(body[:2000].split())
    if _RESEARCH_WORDS.search(head):
        return RESEARCH_ONLY
    if "Apache License" in head and "Version 2.0" in head:
        return "Apache-2.0"
    if "Permission is hereby granted, free of charge" in head:
        return "MIT"
    if "Redistribution and use in source and binary forms" in head:
        return "BSD-3-Clause"
    return UNKNOWN
