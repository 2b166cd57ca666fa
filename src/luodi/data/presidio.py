"""Presidio with Luodi's recognisers: Chinese kinds, and names without a spaCy pipeline.

For teams that run Presidio elsewhere, and for its own further kinds (social security numbers,
crypto addresses, ...). What a bundle masks does not go through it: Presidio loads spaCy, and with
it torch where that is installed, which a service must not. Needs `luodi[privacy]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from luodi.contracts import CleanSettings, MissingPartError, PersonalKind, say
from luodi.data.masking import Mask, searching
from luodi.data.privacy import BY_FORM

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

ENTITIES: dict[PersonalKind, str] = {
    "NAME": "PERSON",
    "PHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "ID_CARD": "CN_ID_CARD",
    "BANK_CARD": "CREDIT_CARD",
    "PASSPORT": "PASSPORT",
    "PLATE": "CN_LICENSE_PLATE",
    "CREDIT_CODE": "CN_CREDIT_CODE",
    "ADDRESS": "ADDRESS",
    "IP": "IP_ADDRESS",
    "IBAN": "IBAN_CODE",
}
"""Our kinds in Presidio's words."""
# Ours stand for these; the first would also ask the network for a list of domains.
_REPLACED = (
    "EmailRecognizer", "PhoneRecognizer", "CreditCardRecognizer", "IbanRecognizer", "IpRecognizer",
    "SpacyRecognizer", "DateRecognizer", "UrlRecognizer",
)  # fmt: skip


def analyzer(languages: Sequence[str] = ("zh", "en"), names: bool = True) -> AnalyzerEngine:
    """A Presidio analyser with Luodi's recognisers for Chinese and English.

    Args:
        languages: `zh`, `en` or both.
        names: find NAME and ADDRESS by the two models as well.

    Raises:
        MissingPartError: when Presidio, or a model, is not installed.
    """
    try:
        import presidio_analyzer
    except ModuleNotFoundError as error:
        raise MissingPartError(
            say(f"{error.name} is not installed.", f"未安装 {error.name}。"),
            "",
            say("pip install 'luodi[privacy]'", "请执行 pip install 'luodi[privacy]'"),
        ) from error
    kinds: tuple[PersonalKind, ...] = (*BY_FORM, "NAME", "ADDRESS") if names else BY_FORM
    step = searching(CleanSettings(personal_types=kinds))
    step.check()
    engine = _blank_engine(languages)
    registry = presidio_analyzer.RecognizerRegistry(supported_languages=list(languages))
    if "en" in languages:
        registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
        for name in _REPLACED:
            registry.remove_recognizer(name)
    for language in languages:
        registry.add_recognizer(_recogniser(step, language))
    return presidio_analyzer.AnalyzerEngine(
        registry=registry, nlp_engine=engine, supported_languages=list(languages)
    )


def _blank_engine(languages: Sequence[str]) -> Any:
    """Words for Presidio's context, and no more: nothing is downloaded."""
    import spacy
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    class Blank(SpacyNlpEngine):  # type: ignore[misc,unused-ignore]
        def load(self) -> None:
            pipelines: Any = {language: spacy.blank(language) for language in languages}
            self.nlp = pipelines

    engine = Blank([{"lang_code": language, "model_name": "blank"} for language in languages])
    engine.load()
    return engine


def _recogniser(step: Mask, language: str) -> Any:
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Luodi(EntityRecognizer):  # type: ignore[misc,unused-ignore]
        """What Luodi finds, as Presidio tells it. A proof is certain; a model is not."""

        def load(self) -> None:
            """Everything was loaded before."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[Any]:
            return [
                RecognizerResult(
                    ENTITIES[span.kind], span.start, span.end, 1.0 if span.kind in BY_FORM else 0.85
                )
                for span in step.find([text])[0]
                if ENTITIES[span.kind] in entities
            ]

    return Luodi([ENTITIES[kind] for kind in step.kinds], "LuodiRecognizer", language)
