"""What is asked: banking77's questions and long film reviews, one of each in turn."""

from __future__ import annotations

import csv
import io
import random
import re
from pathlib import Path

from bench.finetune.rows import _movie_table, find_rows

_LONG = 800
"""Characters from which on a review counts as long; most of them fill the model's 256 tokens."""


def mixed_texts(data: Path | None, root: Path, cache: Path, count: int, seed: int = 7) -> list[str]:
    """`count` texts in random order, half of them short and half of them long; each stands once."""
    rows = find_rows(data, root, cache)
    random_ = random.Random(seed)
    short = sorted({text for text, _ in rows.test})
    long = sorted(_reviews(_movie_table(cache)))
    half = count // 2
    texts = random_.sample(short, min(count - half, len(short)))
    texts += random_.sample(long, min(count - len(texts), len(long)))
    random_.shuffle(texts)
    return texts


def _reviews(table: str) -> set[str]:
    found = set()
    for row in csv.DictReader(io.StringIO(table, newline="")):
        text = re.sub(r"\s+", " ", row["text"].replace("<br />", " ")).strip()
        if len(text) > _LONG:
            found.add(text)
    return found
