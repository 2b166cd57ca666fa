"""The data room: from files to rows that can be trusted.

    collected = collect("reviews/*.csv", root)             sources.py   every row, or an error
    collected = collect(SqlSource(...), root)              fetching/    from afar, once
    data = assign_roles(collected.table, columns, rules)   roles.py     which column is for what
    cards = profile(data.table)                            profile.py   each column on one card
    seen = inspect(data, contents, clean)                  clean.py     copies, conflicts, gaps
    ready = prepare(data, seen, clean)                     clean.py     rows in = kept + dropped
    parts = split(ready.data, settings, "label")           split.py     no copy on two sides
    folds = k_folds(ready.data, 5, settings, "label")      folds.py     k folds, nested, likewise
    noticed = survey(sheet(data.table, data.roles))        findings/    a file a topic
    fingerprint(ready.data.table)                          fingerprint.py

Names are loaded when first used: the service reads `privacy` and `preparation` of this room, which
are pure Python, and never meets Polars or NumPy through it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luodi.data.clean import Inspection as Inspection
    from luodi.data.clean import Prepared as Prepared
    from luodi.data.clean import inspect as inspect
    from luodi.data.clean import prepare as prepare
    from luodi.data.duplicates import exact_groups as exact_groups
    from luodi.data.duplicates import near_groups as near_groups
    from luodi.data.duplicates import near_pairs as near_pairs
    from luodi.data.findings.survey import survey as survey
    from luodi.data.folds import k_folds as k_folds
    from luodi.data.folds import nested_folds as nested_folds
    from luodi.data.normal import normalise as normalise
    from luodi.data.preparation import Preparation as Preparation
    from luodi.data.privacy import find_personal as find_personal
    from luodi.data.privacy import mask as mask
    from luodi.data.reading import SourceFile as SourceFile
    from luodi.data.roles import assign_roles as assign_roles
    from luodi.data.sources import Collected as Collected
    from luodi.data.sources import collect as collect
    from luodi.data.split import careless_split as careless_split
    from luodi.data.split import limit as limit

# A function named as its module (fingerprint, profile, split) is imported from the module: a lazy
# name would give the one or the other, by whichever was asked for first.
_HOMES = {
    "Collected": "sources",
    "Inspection": "clean",
    "Preparation": "preparation",
    "Prepared": "clean",
    "SourceFile": "reading",
    "assign_roles": "roles",
    "careless_split": "split",
    "collect": "sources",
    "exact_groups": "duplicates",
    "find_personal": "privacy",
    "k_folds": "folds",
    "nested_folds": "folds",
    "survey": "findings.survey",
    "inspect": "clean",
    "limit": "split",
    "mask": "privacy",
    "near_groups": "duplicates",
    "near_pairs": "duplicates",
    "normalise": "normal",
    "prepare": "clean",
}


def __getattr__(name: str) -> object:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"luodi.data.{home}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
