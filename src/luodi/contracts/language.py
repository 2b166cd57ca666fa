"""English and Chinese side by side.

A message is written once, in both languages, where it is raised: the two cannot drift apart in
a catalogue far away, and a reader of the code sees what the user will see.

What is kept for later readers is kept in both: see `recording` and `worded`.
"""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from luodi.contracts.json import JsonValue

Language = Literal["en", "zh"]

_chosen: ContextVar[Language | None] = ContextVar("luodi_language", default=None)
_recording: ContextVar[bool] = ContextVar("luodi_recording", default=False)
# Noncharacters: Unicode keeps them for a program's own use, no text in any language has them.
_OPEN, _TURN, _CLOSE = "\ufdd0", "\ufdd1", "\ufdd2"
_BOTH = re.compile(f"{_OPEN}([^{_OPEN}-{_CLOSE}]*){_TURN}([^{_OPEN}-{_CLOSE}]*){_CLOSE}")


def system_language() -> Language:
    """The language that the environment asks for: `LUODI_LANGUAGE`, else the locale."""
    for variable in ("LUODI_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def use_language(language: Language | None) -> None:
    """Speak `language` from here on; None goes back to what the environment asks for."""
    _chosen.set(language)


def chosen_language() -> Language | None:
    """What was given to `use_language`; None where the environment decides."""
    return _chosen.get()


def current_language() -> Language:
    """The language that `say` answers in."""
    return _chosen.get() or system_language()


def say(en: str, zh: str) -> str:
    """The one of two wordings that the reader wants; while `recording`, both in one string."""
    if _recording.get():
        return f"{_OPEN}{en}{_TURN}{zh}{_CLOSE}"
    return zh if current_language() == "zh" else en


@contextmanager
def recording(on: bool = True) -> Iterator[None]:
    """Until it ends, what is said is for a file that readers of both languages come to.

    Args:
        on: False for words to a reader who is there meanwhile, such as a terminal's.
    """
    before = _recording.set(on)
    try:
        yield
    finally:
        _recording.reset(before)


def worded(value: JsonValue) -> JsonValue:
    """What was said while recording, in the reader's language: a text, or JSON that holds some.

    A recorded wording may stand in another text, or in another wording. What was never recorded
    comes back as it is; and while recording everything does.
    """
    if isinstance(value, str):
        if _recording.get():
            return value
        wording = r"\2" if current_language() == "zh" else r"\1"
        while _OPEN in value and (inner := _BOTH.sub(wording, value)) != value:
            value = inner
        return value
    if isinstance(value, Mapping):
        return {worded(name): worded(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(worded(item) for item in value)
    return value
