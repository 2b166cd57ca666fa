"""The step that hides personal data: in rows before learning, in requests before answering.

Light: the service imports this. A model that finds names is loaded when a step that needs one is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from luodi.contracts import BundleError, CleanSettings, JsonValue, PersonalKind, Request, say
from luodi.data.privacy import BY_FORM, Span, find_personal, placeholder, replace_spans

if TYPE_CHECKING:
    from luodi.data.finders import Finder
    from luodi.data.pseudonyms import Pseudonyms

_FIRST_KINDS: tuple[PersonalKind, ...] = ("EMAIL", "PHONE", "ID_CARD", "BANK_CARD", "IP")
"""What a bundle that names no kinds was taught to hide."""
BY_MODEL: tuple[PersonalKind, ...] = ("NAME", "ADDRESS")
"""The kinds that no form proves."""


@dataclass(frozen=True)
class Mask:
    """Personal data in these fields is replaced by placeholders such as <EMAIL>.

    Attributes:
        fields: names of request fields; empty for every field that holds text.
        kinds: what is looked for.
        finders: (name, digest) of each model that finds names and addresses.
        remember: keep what a model found in a text; for rows, which are read more than once, never
            for requests.
    """

    name: ClassVar[str] = "mask"
    fields: tuple[str, ...] = ()
    kinds: tuple[PersonalKind, ...] = BY_FORM
    finders: tuple[tuple[str, str], ...] = ()
    remember: bool = field(default=False, compare=False, repr=False)

    @property
    def slow(self) -> bool:
        """Whether a model reads every text: then the step takes milliseconds, not microseconds."""
        return bool(self.finders)

    def apply(self, request: Request) -> Request:
        """The request, masked."""
        return self.apply_all([request])[0]

    def apply_all(self, requests: Sequence[Request]) -> list[Request]:
        """The requests, masked; the originals stay as they are."""
        places = [
            (row, name)
            for row, request in enumerate(requests)
            for name, value in request.items()
            if isinstance(value, str) and (not self.fields or name in self.fields)
        ]
        masked = self.texts([requests[row][name] for row, name in places])
        done = [dict(request) for request in requests]
        for (row, name), text in zip(places, masked, strict=True):
            done[row][name] = text
        return [*done]

    def texts(self, texts: Sequence[str]) -> list[str]:
        """The texts, masked; a text that was masked before stays as it is."""
        if not self.finders:
            return [self._replaced(text, find_personal(text, self.kinds)) for text in texts]
        from luodi.data.finders import replace_all

        return replace_all(texts, self.find, self._replaced)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its personal data, in order, none overlapping."""
        if not self.finders:
            return [find_personal(text, self.kinds) for text in texts]
        from luodi.data.finders import find_all

        return find_all(texts, self.kinds, self._loaded)

    @cached_property
    def _loaded(self) -> list[Finder]:
        from luodi.data.finders import load_finder, remembering

        load = remembering if self.remember else load_finder
        return [load(name, digest) for name, digest in self.finders]

    def check(self) -> None:
        """Load what the step needs.

        Raises:
            MissingPartError: when a model, or a key, is not there or is another one.
        """
        if self.finders:
            _ = self._loaded

    def _replaced(self, text: str, spans: Sequence[Span]) -> str:
        return replace_spans(text, spans, placeholder)

    def to_json(self) -> dict[str, JsonValue]:
        """The step as JSON."""
        return {
            "step": self.name,
            "fields": list(self.fields),
            "kinds": list(self.kinds),
            "finders": dict(self.finders),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The step that `to_json` wrote."""
        return cls(*_read(value))


@dataclass(frozen=True)
class Pseudonymise(Mask):
    """Personal data is replaced by keyed stand-ins such as <PHONE:kdmcaphbnolefgij>.

    The key is read from the environment; `key_id` tells which it must be, so that a service with
    another one is refused: its stand-ins would be words that the model never saw.
    """

    name: ClassVar[str] = "pseudonymise"
    key_id: str = ""

    @cached_property
    def _pseudonyms(self) -> Pseudonyms:
        from luodi.data.pseudonyms import KEY, Pseudonyms

        pseudonyms = Pseudonyms.from_environment()
        if self.key_id and pseudonyms.key_id != self.key_id:
            raise BundleError(
                say(
                    f"The key in {KEY} is {pseudonyms.key_id}, by its fingerprint.",
                    f"{KEY} 中密钥的指纹是 {pseudonyms.key_id}。",
                ),
                say(
                    f"The rows were pseudonymised with {self.key_id}.",
                    f"数据是用 {self.key_id} 化名的。",
                ),
                say("Set the key that was used then.", "请设置当时所用的密钥。"),
            )
        return pseudonyms

    def check(self) -> None:
        """Load what the step needs.

        Raises:
            MissingPartError, BundleError: when a model or the key is not there, or another one.
        """
        super().check()
        _ = self._pseudonyms

    def _replaced(self, text: str, spans: Sequence[Span]) -> str:
        return replace_spans(text, spans, lambda span, value: self._pseudonyms.of(span.kind, value))

    def to_json(self) -> dict[str, JsonValue]:
        """The step as JSON; the key stays out of it."""
        return {**super().to_json(), "key": self.key_id}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The step that `to_json` wrote."""
        return cls(*_read(value), key_id=str(value["key"]))


def _read(
    value: Mapping[str, JsonValue],
) -> tuple[tuple[str, ...], tuple[PersonalKind, ...], tuple[tuple[str, str], ...]]:
    kinds = tuple(value.get("kinds", _FIRST_KINDS))
    return tuple(value["fields"]), kinds, tuple(value.get("finders", {}).items())


def searching(clean: CleanSettings) -> Mask:
    """The step that finds what the project asks for, whatever is then done with it."""
    kinds = BY_FORM if clean.personal_types is None else tuple(clean.personal_types)
    if not set(kinds) & set(BY_MODEL):
        return Mask(kinds=kinds)
    from luodi.data.finders import FINDERS

    finders = tuple((entry.name, entry.digest) for entry in FINDERS.values())
    return Mask(kinds=kinds, finders=finders, remember=True)


def hiding(clean: CleanSettings) -> Mask | None:
    """The step that hides what the project asks to hide; None where it keeps personal data.

    Raises:
        MissingPartError: when a model that is needed, or the key, is not there.
    """
    if clean.personal_data == "keep":
        return None
    step = searching(clean)
    if clean.personal_data == "pseudonymise":
        from luodi.data.pseudonyms import Pseudonyms

        key_id = Pseudonyms.from_environment().key_id
        step = Pseudonymise(step.fields, step.kinds, step.finders, step.remember, key_id)
    step.check()
    return step
