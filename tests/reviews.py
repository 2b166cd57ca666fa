"""A small made table of shop reviews: separable, with copies, conflicts and empty rows planted."""

from __future__ import annotations

import csv
import random
from pathlib import Path

GOOD = ["excellent", "lovely", "great", "wonderful", "perfect", "sturdy"]
BAD = ["terrible", "broken", "awful", "useless", "disappointing", "flimsy"]
THINGS = ["kettle", "lamp", "chair", "phone case", "notebook", "umbrella", "backpack", "mug"]
WHEN = ["yesterday", "last week", "in May", "for my sister", "as a present", "on sale"]


def make_reviews(rows: int, seed: int = 7) -> list[tuple[str, str]]:
    """Distinct (review, sentiment) pairs, half of either kind."""
    source = random.Random(seed)
    made: dict[str, str] = {}
    while len(made) < rows:
        good = len(made) % 2 == 0
        word, other = source.sample(GOOD if good else BAD, 2)
        text = (
            f"I bought this {source.choice(THINGS)} {source.choice(WHEN)} and it is {word}, "
            f"{other} even; order {source.randrange(10**6)}."
        )
        made[text] = "good" if good else "bad"
    return list(made.items())


def write_reviews(
    path: Path, rows: int = 400, copies: int = 0, conflicts: int = 0, empty: int = 0, seed: int = 7
) -> Path:
    """A CSV with columns id, review, sentiment and the planted faults at its end."""
    pairs = make_reviews(rows, seed)
    flipped = {"good": "bad", "bad": "good"}
    table = [
        *pairs,
        *((text.upper() + " ", label) for text, label in pairs[:copies]),
        *((text, flipped[label]) for text, label in pairs[-conflicts:] if conflicts),
        *(("  ", "good") for _ in range(empty)),
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "review", "sentiment"])
        writer.writerows((n, text, label) for n, (text, label) in enumerate(table))
    return path


PROJECT = """\
name: shop-reviews
task: text-classification
data:
  source: reviews.csv
  columns: {text: review, label: sentiment}
model:
  learner: linear
gate:
  accuracy: ">= 0.8"
"""


def write_project(folder: Path, text: str = PROJECT, **planted: int) -> Path:
    """A folder with luodi.yaml and reviews.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "luodi.yaml").write_text(text, "utf-8")
    write_reviews(folder / "reviews.csv", **planted)
    return folder
