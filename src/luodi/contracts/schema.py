"""What one request and one answer look like, and the check at the door."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from luodi.contracts.errors import RequestError
from luodi.contracts.json import JsonValue, Request
from luodi.contracts.language import say
from luodi.contracts.written import Format, decimal_comma, iso_date, truth

FieldKind = Literal["text", "category", "number", "boolean", "date", "scores"]
"""`scores` is answers only: a number for each of the field's categories."""


@dataclass(frozen=True)
class Field:
    """One named value of a request or an answer.

    `aliases` are other names that a request may use, such as the column's name in the company's
    own table.
    `categories` are the values seen in training: an answer's are the only ones possible, a
    request may bring a new one. `example` is a typical value, for documents and first tries.
    `format` is how the column's texts were written; a request may write its own so.
    """

    name: str
    kind: FieldKind
    required: bool = True
    categories: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    example: JsonValue = None
    aliases: tuple[str, ...] = ()
    format: Format = ""

    def read(self, value: JsonValue, where: str) -> JsonValue:
        """`value` in the field's own type.

        Raises:
            RequestError: naming `where`, when the value is of another kind.
        """
        if value is None:
            if self.required:
                raise RequestError(where, say("missing.", "缺失。"), self._expected())
            return None
        reader = _READERS[self.kind]
        return reader(self, value, where)

    def _expected(self) -> str:
        return say(f"Expected a {self.kind}.", f"应为 {self.kind}。")

    def refuse(self, value: JsonValue, where: str) -> RequestError:
        """The error for a value that is not of this kind."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        kind = type(value).__name__
        return RequestError(
            where, say(f"found {shown} ({kind}).", f"收到 {shown}({kind})。"), self._expected()
        )


def _text(field: Field, value: JsonValue, where: str) -> str:
    if not isinstance(value, str):
        raise field.refuse(value, where)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RequestError(
            where,
            say("the text holds a lone surrogate.", "文本含有孤立的代理字符。"),
            say("Expected valid Unicode.", "应为有效的 Unicode。"),
        ) from None
    return value


def _category(field: Field, value: JsonValue, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # a table's whole numbers come as floats where one of them is missing
    if isinstance(value, int | float) and math.isfinite(value):
        return str(value)
    return _text(field, value, where)


def _number(field: Field, value: JsonValue, where: str) -> float:
    given = value
    if isinstance(value, str) and field.format == "decimal-comma":
        given = decimal_comma(value)
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise field.refuse(value, where)
    try:
        number = float(given)
    except OverflowError:
        raise field.refuse(value, where) from None
    if not math.isfinite(number):
        raise field.refuse(value, where)
    return number


def _boolean(field: Field, value: JsonValue, where: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and value in (0, 1):
        return value == 1
    found = truth(value) if isinstance(value, str) else None
    if found is None:
        raise field.refuse(value, where)
    return found


def _date(field: Field, value: JsonValue, where: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and field.format == "digits":
        value = str(value)
    found = iso_date(value, field.format) if isinstance(value, str) else None
    if found is None:
        raise field.refuse(value, where)
    return found


_READERS = {
    "text": _text,
    "category": _category,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}


@dataclass(frozen=True)
class Schema:
    """The fields of one request and of one answer."""

    request: tuple[Field, ...]
    answer: tuple[Field, ...]

    def answer_field(self, name: str) -> Field:
        """The answer's field of this name (KeyError when there is none)."""
        return {field.name: field for field in self.answer}[name]

    def read(self, value: JsonValue, where: str = "") -> Request:
        """One request, checked.

        A bare value stands for the field when the schema asks for one field alone. Unknown
        fields are refused: a misspelt name must not pass for a missing value.

        Raises:
            RequestError: naming the field that does not fit.
        """
        if not isinstance(value, Mapping):
            if len(self.request) != 1:
                raise RequestError(
                    where,
                    say(f"found {type(value).__name__}.", f"收到 {type(value).__name__}。"),
                    say("Expected an object with fields ", "应为对象，字段：")
                    + ", ".join(f.name for f in self.request)
                    + ".",
                )
            value = {self.request[0].name: value}
        prefix = f"{where}." if where else ""
        if self._names:
            value = self._renamed(value, where)
        if not self._known.issuperset(value):
            unknown = [name for name in value if name not in self._known]
            names = ", ".join(sorted(self._known))
            raise RequestError(
                f"{prefix}{unknown[0][:100]}",
                say("no such field.", "没有此字段。"),
                say(f"Expected: {names}.", f"应为：{names}。"),
            )
        return {
            field.name: field.read(value.get(field.name), prefix + field.name)
            for field in self.request
        }

    def _renamed(self, given: Mapping[str, JsonValue], where: str) -> dict[str, JsonValue]:
        """With the fields' own names for aliases."""
        value = {self._names.get(name, name): item for name, item in given.items()}
        if len(value) < len(given):
            counts = Counter(self._names.get(name, name) for name in given)
            twice = [name for name in given if counts[self._names.get(name, name)] > 1]
            raise RequestError(
                where,
                say("a field is given by two of its names.", "同一字段以两个名称给出。"),
                say(f"Found: {', '.join(twice)}.", f"收到：{'、'.join(twice)}。"),
            )
        return value

    @cached_property
    def _known(self) -> frozenset[str]:
        """The fields' own names."""
        return frozenset(field.name for field in self.request)

    @cached_property
    def _names(self) -> dict[str, str]:
        """Alias -> the field's own name."""
        return {alias: field.name for field in self.request for alias in field.aliases}

    def read_all(self, values: Sequence[JsonValue], where: str = "inputs") -> list[Request]:
        """Many requests, checked; an error names the index too."""
        return [self.read(value, f"{where}[{index}]") for index, value in enumerate(values)]

    def example(self) -> dict[str, JsonValue]:
        """A request to try first."""
        return {field.name: field.example for field in self.request}

    def to_json(self) -> dict[str, JsonValue]:
        """The schema as JSON; a plain format is left out."""
        found = asdict(self)
        for field in (*found["request"], *found["answer"]):
            if not field["format"]:
                del field["format"]
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Schema:
        """The schema that `to_json` wrote."""

        def fields(part: str) -> tuple[Field, ...]:
            return tuple(
                Field(
                    **{
                        **item,
                        "categories": tuple(item.get("categories", ())),
                        "aliases": tuple(item.get("aliases", ())),
                    }
                )
                for item in value[part]
            )

        return cls(fields("request"), fields("answer"))
