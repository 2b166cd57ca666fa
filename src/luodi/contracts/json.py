"""The values that cross Luodi's borders."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

# Any, not a recursive union: strict checkers fight over invariance of nested containers, and the
# schema checks the values where they come in.
JsonValue = Any

Request = Mapping[str, JsonValue]
"""One question to a model: field name -> value, fitting the schema's `request`."""

Answer = dict[str, JsonValue]
"""One answer of a model: field name -> value, fitting the schema's `answer`."""


def finite(value: JsonValue) -> JsonValue:
    """The value with null where a number is none or has no end: JSON knows neither."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
