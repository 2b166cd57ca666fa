"""An encoder and n-grams together: one knows the language, the other the names, the misspellings
and the turns of phrase of this very table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from luodi.contracts import Limited, Predictor, Reason, Request
from luodi.tasks.ensemble import EnsemblePredictor
from luodi.tasks.text_classification.linear import LinearPredictor
from luodi.tasks.text_classification.reasons import explain_texts
from luodi.tasks.text_classification.transformer_predictor import TransformerPredictor


class TextEnsemblePredictor(EnsemblePredictor):
    """Reads an exported ensemble of `transformer` and `linear`."""

    kinds: ClassVar[Mapping[str, type[Predictor]]] = {
        "transformer": TransformerPredictor,
        "linear": LinearPredictor,
    }

    @property
    def reads(self) -> int:
        """Tokens of a text, of the members that count any."""
        return min(each.reads for each in self._members if isinstance(each, Limited))

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The words and characters that carried each answer: see `reasons.py`."""
        return explain_texts(self, requests, most)
