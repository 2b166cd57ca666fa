"""Answers from an exported encoder: a runtime, the tokenizer and NumPy, and no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from luodi.contracts import Answer, BundleError, LuodiError, Reason, Request, say
from luodi.tasks.classes import class_answers, softmax
from luodi.tasks.text_classification.reasons import explain_texts
from luodi.tasks.text_classification.transformer_runtime import Runtime, open_runtime
from luodi.training.batching import plan_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

MODEL, TOKENIZER, HEAD = "model.onnx", "tokenizer.json", "transformer.json"
_CALL_TOKENS = 32
"""What a run costs beyond its tokens, in tokens: the weights pass through the cache once.
Measured on MiniLM in float32, 26; in bfloat16, 50."""


@dataclass(frozen=True)
class Tokens:
    """A text's ids, and whether it was longer than is read."""

    ids: NDArray[np.int64]
    truncated: bool


class TransformerPredictor:
    """Reads `model.onnx`, `tokenizer.json` and `transformer.json`.

    The runtime and the tokenizer are safe to call from several threads.
    """

    def __init__(
        self, runtime: Runtime, tokenizer: Tokenizer, labels: Sequence[str], pad: int
    ) -> None:
        self._runtime, self._tokenizer = runtime, tokenizer
        self._labels, self._pad = tuple(labels), pad

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `TransformerFitted.export` wrote; a call runs on `threads` threads.

        Raises:
            BundleError: when a file is missing or is not what it must be.
            MissingPartError: when the runtime that it was judged with is not installed.
        """
        from tokenizers import Tokenizer

        try:
            head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            runtime = open_runtime(
                folder / MODEL, head.get("form", {}), threads, int(head["max_length"])
            )
            tokenizer.no_padding()
            tokenizer.enable_truncation(int(head["max_length"]))
            return cls(runtime, tokenizer, head["labels"], int(head["pad"]))
        except LuodiError:
            raise
        except Exception as error:
            # The runtime and the tokenizer raise bare exceptions for files that they cannot read.
            raise BundleError(
                say(
                    f"{folder} cannot be read as an exported transformer: {error}",
                    f"{folder} 无法作为导出的 transformer 模型读取：{error}",
                ),
                say(
                    f"Expected {MODEL}, {TOKENIZER} and {HEAD}.",
                    f"应有 {MODEL}、{TOKENIZER} 和 {HEAD}。",
                ),
                say("Export the model again.", "请重新导出模型。"),
            ) from error

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """Label and probabilities a request; `truncated` where the text was longer than is read."""
        return self.answer([tokens for _, tokens in self.prepare(requests)])

    @property
    def reads(self) -> int:
        """Tokens of a text."""
        limit = self._tokenizer.truncation
        assert limit is not None  # noqa: S101  # `load` sets it
        return int(limit["max_length"])

    @property
    def call_cost(self) -> int:
        """Tokens."""
        return _CALL_TOKENS

    def prepare(self, requests: Sequence[Request]) -> list[tuple[int, Tokens]]:
        """Tokens, and how many."""
        texts = [request["text"] for request in requests]
        tokens = map(_kept, self._tokenizer.encode_batch(texts))
        return [(len(each.ids), each) for each in tokens]

    def answer(self, prepared: Sequence[Tokens]) -> list[Answer]:
        """The second step of `predict`."""
        if not prepared:
            return []
        scores = self._scores([tokens.ids for tokens in prepared])
        answers = class_answers(softmax(scores.astype(np.float64)), self._labels)
        for answer, tokens in zip(answers, prepared, strict=True):
            if tokens.truncated:
                answer["truncated"] = True
        return answers

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The words and characters that carried each answer: see `reasons.py`."""
        return explain_texts(self, requests, most)

    def cost(self, request: Request) -> int:
        """Tokens."""
        return len(self._tokenizer.encode(request["text"]).ids)

    def _scores(self, texts: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """(n, k), in order; like lengths are run together."""
        lengths = np.fromiter((len(ids) for ids in texts), np.int64, len(texts))
        scores = np.zeros((len(texts), len(self._labels)), dtype=np.float32)
        for rows in plan_batches(lengths, self._runtime.run_tokens, None):
            longest = int(lengths[rows].max())
            ids = np.full((len(rows), longest), self._pad, dtype=np.int64)
            for place, row in enumerate(rows):
                ids[place, : lengths[row]] = texts[row]
            mask = (np.arange(longest) < lengths[rows][:, None]).astype(np.int64)
            scores[rows] = self._runtime.scores(ids, mask)
        return scores


def _kept(encoding: Encoding) -> Tokens:
    """What is needed of an encoding; the rest of it is ten times as large."""
    return Tokens(np.asarray(encoding.ids, dtype=np.int64), bool(encoding.overflowing))
