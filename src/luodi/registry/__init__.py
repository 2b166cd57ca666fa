"""Names, immutable versions, aliases, and the log of every act. SQLite in the project's home."""

from luodi.registry.promotion import PASSED, PRODUCTION
from luodi.registry.records import Opening, Registered
from luodi.registry.registry import REFUSED, Registry
from luodi.registry.routes import Challenger, Route

__all__ = [
    "PASSED",
    "PRODUCTION",
    "REFUSED",
    "Challenger",
    "Opening",
    "Registered",
    "Registry",
    "Route",
]
