"""All fields together: rows of values to a matrix, and back to the field that a column is of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Field
from luodi.tasks.tabular.codes import (
    Category,
    Code,
    Flavour,
    Floats,
    code_from_json,
    code_to_json,
    learn_code,
)
from luodi.tasks.tabular.columns import Columns

FILE = "encoder.json"


@dataclass(frozen=True)
class Encoder:
    """A code a field, in the order of the schema's fields."""

    codes: tuple[Code, ...]

    @classmethod
    def learn(cls, fields: Sequence[Field], columns: Columns, flavour: Flavour) -> Self:
        """Codes learnt from the training part alone."""
        return cls(tuple(learn_code(field, columns[field.name], flavour) for field in fields))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields' names."""
        return tuple(code.name for code in self.codes)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """A name for each of the f columns of the matrix."""
        return tuple(name for code in self.codes for name in code.columns)

    @cached_property
    def field_of(self) -> NDArray[np.int64]:
        """(f,) which of the fields each column is made from."""
        return np.repeat(np.arange(len(self.codes)), [len(code.columns) for code in self.codes])

    @cached_property
    def categorical(self) -> tuple[int, ...]:
        """The columns that hold codes of categories (of the `trees` flavour)."""
        kinds = [isinstance(c, Category) and c.flavour == "trees" for c in self.codes]
        return tuple(np.flatnonzero(np.array(kinds, bool)[self.field_of]).tolist())

    def encode(self, columns: Columns) -> Floats:
        """n rows of values -> (n, f)."""
        parts = [code.encode(columns[code.name]) for code in self.codes]
        return np.concatenate(parts, axis=1)

    def export(self, folder: Path) -> None:
        """Write `encoder.json`."""
        text = json.dumps([code_to_json(code) for code in self.codes], ensure_ascii=False)
        (folder / FILE).write_text(text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `export` wrote."""
        return cls(tuple(map(code_from_json, json.loads((folder / FILE).read_text("utf-8")))))
