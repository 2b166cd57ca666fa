"""Base models: which there are, where to get them, what they may be used for.

Light: neither the hub client nor torch is loaded before a base is fetched.
"""

from luodi.training.bases.catalogue import CATALOGUE, BaseEntry, find_entry
from luodi.training.bases.folder import BaseFolder
from luodi.training.bases.resolve import check_base, nearest_base, resolve_base

__all__ = [
    "CATALOGUE",
    "BaseEntry",
    "BaseFolder",
    "check_base",
    "find_entry",
    "nearest_base",
    "resolve_base",
]
