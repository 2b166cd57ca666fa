"""Records as plain JSON values and back: what JSON cannot hold becomes null, and NaN again."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from luodi.contracts import JsonValue, finite


def numbers(value: Mapping[str, JsonValue], names: Collection[str]) -> dict[str, Any]:
    """`value` with NaN where one of `names` is null."""
    return {k: math.nan if v is None and k in names else v for k, v in value.items()}


def plain(value: Any) -> JsonValue:
    """`value` with nothing in it but what JSON knows; NaN and infinities become null."""
    if is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    elif isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return finite(value) if value is None or isinstance(value, str | int | float) else str(value)
