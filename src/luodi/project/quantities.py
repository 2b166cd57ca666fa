"""Times and sizes as people write them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

from luodi.contracts import say

_DURATION = re.compile(
    r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?"
    r"(?:(\d+(?:\.\d+)?)(?:s|(?![\d.m])))?(?:(\d+(?:\.\d+)?)ms)?"
)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([kmgt]?)(i?)b?")


def parse_duration(value: object) -> object:
    """Seconds from `90`, `"90s"`, `"10m"`, `"1h30m"`, `"30d"`, `"200ms"`.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = value.replace(" ", "").lower() if isinstance(value, str) else ""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(
            say(
                f"found {value!r}; expected a time such as 90s, 10m or 1h30m",
                f"收到 {value!r}；应为时长，例如 90s、10m 或 1h30m",
            )
        )
    days, hours, minutes, seconds, thousandths = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def parse_size(value: object) -> object:
    """Bytes from `1048576`, `"500MB"`, `"1.5GiB"`.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.replace(" ", "").lower() if isinstance(value, str) else ""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(
            say(
                f"found {value!r}; expected a size such as 500MB or 2GiB",
                f"收到 {value!r}；应为大小，例如 500MB 或 2GiB",
            )
        )
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(unit or " "))


Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0)]
Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
