"""Answers from an exported encoder: the runtime, the tokenizer and NumPy, and no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from luodi.contracts import Answer, BundleError, Reason, Request, say
from luodi.tasks.classes import class_answers, softmax
from luodi.tasks.text_classification.reasons import explain_texts
from luodi.training.batching import plan_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

    Tokens = tuple[NDArray[np.int64], bool]
    """A text's ids, and whether it was longer than is read."""

MODEL, TOKENIZER, HEAD = "model.onnx", "tokenizer.json", "transformer.json"
_BATCH_TOKENS = 2048
"""Padded tokens a run of the model: larger runs leave the processor's cache and gain nothing."""
_REMEMBERED = 1024
"""Texts whose tokens are kept between `cost` and `predict`."""


class TransformerPredictor:
    """Reads `model.onnx`, `tokenizer.json` and `transformer.json`.

    The runtime's session and the tokenizer are safe to call from several threads.
    """

    def __init__(self, session: Any, tokenizer: Tokenizer, labels: Sequence[str], pad: int) -> None:
        self._session, self._tokenizer = session, tokenizer
        self._labels, self._pad = tuple(labels), pad
        self._inputs = {item.name for item in session.get_inputs()}
        self._remembered = lru_cache(_REMEMBERED)(self._tokenize)

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `TransformerFitted.export` wrote; a call runs on `threads` threads.

        Raises:
            BundleError: when a file is missing or is not what it must be.
        """
        import onnxruntime as ort
        from tokenizers import Tokenizer

        options = ort.SessionOptions()
        options.intra_op_num_threads = max(threads, 1)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            session = ort.InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
            tokenizer.no_padding()
            tokenizer.enable_truncation(int(head["max_length"]))
            return cls(session, tokenizer, head["labels"], int(head["pad"]))
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
        if not requests:
            return []
        texts = [request["text"] for request in requests]
        if len(texts) <= _REMEMBERED // 8:
            tokens = [self._remembered(text) for text in texts]
        else:
            tokens = [_kept(encoding) for encoding in self._tokenizer.encode_batch(texts)]
        scores = self._scores([ids for ids, _ in tokens])
        answers = class_answers(softmax(scores.astype(np.float64)), self._labels)
        for answer, (_, truncated) in zip(answers, tokens, strict=True):
            if truncated:
                answer["truncated"] = True
        return answers

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The words and characters that carried each answer: see `reasons.py`."""
        return explain_texts(self, requests, most)

    def cost(self, request: Request) -> int:
        """Tokens."""
        return len(self._remembered(request["text"])[0])

    def _tokenize(self, text: str) -> Tokens:
        return _kept(self._tokenizer.encode(text))

    def _scores(self, texts: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """(n, k), in order; like lengths are run together."""
        lengths = np.fromiter((len(ids) for ids in texts), np.int64, len(texts))
        scores = np.zeros((len(texts), len(self._labels)), dtype=np.float32)
        for rows in plan_batches(lengths, _BATCH_TOKENS, None):
            longest = int(lengths[rows].max())
            ids = np.full((len(rows), longest), self._pad, dtype=np.int64)
            for place, row in enumerate(rows):
                ids[place, : lengths[row]] = texts[row]
            mask = (np.arange(longest) < lengths[rows][:, None]).astype(np.int64)
            feeds = {"input_ids": ids, "attention_mask": mask}
            scores[rows] = self._session.run(
                None, {name: value for name, value in feeds.items() if name in self._inputs}
            )[0]
        return scores


def _kept(encoding: Encoding) -> Tokens:
    """What is needed of an encoding; the rest of it is ten times as large."""
    return np.asarray(encoding.ids, dtype=np.int64), bool(encoding.overflowing)
