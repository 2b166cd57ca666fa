"""What the sections of a project file are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def listed(value: object) -> object:
    """One name alone stands for a list of it."""
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(listed)]


class Strict(BaseModel):
    """A section: frozen, no name in it that is not known, no number that is not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def written_label(value: object) -> object:
    """A label as the table's reader sees it: `positive: 1` is the label "1"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value
