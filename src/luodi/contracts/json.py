"""The values that cross Luodi's borders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Any, not a recursive union: strict checkers fight over invariance of nested containers, and the
# schema checks the values where they come in.
JsonValue = Any

Request = Mapping[str, JsonValue]
"""One question to a model: field name -> value, fitting the schema's `request`."""

Answer = dict[str, JsonValue]
"""One answer of a model: field name -> value, fitting the schema's `answer`."""
