"""Names, immutable versions, aliases, and the log of every act. SQLite in the project's home."""

from luodi.registry.records import Opening, Registered
from luodi.registry.registry import PASSED, REFUSED, Registry

__all__ = ["PASSED", "REFUSED", "Opening", "Registered", "Registry"]
