"""What every peer does with a text: the same tokenizer, the same ONNX file, the same runtime.

Runs in the peers' own environments; imports nothing of Luodi.
"""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

MODEL = Path(os.environ["BENCH_MODEL"])
THREADS = int(os.environ["BENCH_THREADS"])


class Classifier:
    """Texts -> label and probability, padded to the longest of a call, as tutorials do."""

    def __init__(self, threads: int = THREADS) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = ort.InferenceSession(
            str(MODEL / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        head = json.loads((MODEL / "transformer.json").read_text())
        self.labels = head["labels"]
        self.tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        self.tokenizer.enable_truncation(head["max_length"])
        self.tokenizer.enable_padding(pad_id=head["pad"])

    def __call__(self, texts: list[str]) -> list[dict]:
        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encoded], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
        scores = self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        best = scores.argmax(1)
        return [
            {
                "label": self.labels[top],
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
            }
            for top, row in zip(best.tolist(), scores, strict=True)
        ]
