"""English and Chinese side by side.

A message is written once, in both languages, where it is raised: the two cannot drift apart in
a catalogue far away, and a reader of the code sees what the user will see.
"""

from __future__ import annotations

import locale
import os
from contextvars import ContextVar
from typing import Literal

Language = Literal["en", "zh"]

_chosen: ContextVar[Language | None] = ContextVar("luodi_language", default=None)


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
    """The one of two wordings that the reader wants."""
    return zh if current_language() == "zh" else en
