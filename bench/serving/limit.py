"""The limit: a bare loop over the same runtime, fed ideal batches, with no server around it.

    python -m bench.serving.limit FOLDER TEXTS SESSIONS THREADS SORTED

Texts are tokens beforehand; batches hold 32 of like length (or of the order given, unsorted), and
as many run at once as there are sessions. Runs in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

_BATCH = 32


def measure_limit(
    folder: Path, texts: list[str], sessions: int, threads: int, by: bool
) -> tuple[float, float]:
    """Texts a second, and texts a processor second; the better of two rounds."""
    from tokenizers import Tokenizer

    from luodi.tasks.text_classification.transformer_runtime import open_runtime

    head = json.loads((folder / "transformer.json").read_text("utf-8"))
    runtime = open_runtime(folder / "model.onnx", head.get("form", {}), threads, head["max_length"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(head["max_length"])
    tokens = [e.ids for e in tokenizer.encode_batch(texts)]
    if by:
        tokens.sort(key=len)
    batches = []
    for start in range(0, len(tokens), _BATCH):
        some = tokens[start : start + _BATCH]
        ids = np.full((len(some), max(map(len, some))), head["pad"], dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, text in enumerate(some):
            ids[place, : len(text)] = text
            mask[place, : len(text)] = 1
        batches.append((ids, mask))
    best = a_cpu_second = 0.0
    batches.reverse()  # the longest first: the sessions end together
    with ThreadPoolExecutor(sessions) as pool:
        for _ in range(2):
            started, used = time.perf_counter(), time.process_time()
            list(pool.map(lambda batch: runtime.scores(*batch), batches))
            best = max(best, len(texts) / (time.perf_counter() - started))
            a_cpu_second = max(a_cpu_second, len(texts) / (time.process_time() - used))
    return best, a_cpu_second


if __name__ == "__main__":
    folder, texts, sessions, threads, by = sys.argv[1:]
    asked = json.loads(Path(texts).read_text("utf-8"))
    found = measure_limit(Path(folder), asked, int(sessions), int(threads), by == "sorted")
    print(json.dumps(found))
