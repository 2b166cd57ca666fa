"""python -m bench.tabular: measure, write the results, print the page."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.finetune.machine import cores, machine
from bench.finetune.process import Limits
from bench.tabular.exported import fit_and_ask
from bench.tabular.ours import run_luodi
from bench.tabular.peers import peers_python, run_autogluon
from bench.tabular.results import (
    ALONE,
    LEARNERS,
    OURS,
    THEIRS,
    by_table,
    compared,
    judged,
    medians,
    page,
)
from bench.tabular.split import Rows, split_rows
from bench.tabular.tables import TABLES, Table
from luodi.contracts import LuodiError

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done, 1 an error in words."""
    try:
        _bench(_options(arguments))
    except LuodiError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _bench(options: argparse.Namespace) -> None:
    from luodi.project.home import cache_folder

    cache = cache_folder() / "bench"
    python = peers_python(cache)
    measurements: list[dict[str, Any]] = []
    for table, seed, contestant in turns(options):
        rows = split_rows(table, seed, cache, python)
        kept = cache / "tabular" / f"{contestant}-{table.name}-{seed}-{rows.fingerprint}.json"
        if options.kept and not kept.is_file():
            continue
        if not ((options.resume or options.kept) and kept.is_file()):
            print(f"{contestant}, {table.name}, seed {seed} ...", file=sys.stderr, flush=True)
            found = _measure(table, seed, contestant, rows, (cache, python, options))
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(found), "utf-8")
        measurements.append(json.loads(kept.read_text("utf-8")))
        _write(measurements, cache, python, options)
    print((options.output / "tabular.md").read_text("utf-8"))


def turns(options: argparse.Namespace) -> Iterator[tuple[Table, int, str]]:
    """Who is measured on what, in order: boosting, side by side, what else stands beside."""
    chosen = [table for table in TABLES if table.name in options.only]
    first, *others = (f"{ALONE}-{learner}" for learner in LEARNERS)
    seeds = range(1, options.seeds + 1)
    yield from ((table, seed, first) for seed in seeds for table in chosen)
    for seed in range(1, options.autogluon_seeds + 1):
        for table in chosen:
            if table.beside:
                yield table, seed, OURS
                yield table, seed, THEIRS
    yield from ((table, seed, other) for seed in seeds for table in chosen for other in others)


def _measure(
    table: Table, seed: int, contestant: str, rows: Rows,
    where: tuple[Path, Path, argparse.Namespace],
) -> dict[str, Any]:  # fmt: skip
    cache, python, options = where
    limits = Limits(options.threads, 1.0)
    work = cache / "work" / f"tabular-{contestant}"
    test = rows.folder / "test.csv"
    if contestant.startswith(ALONE):
        learner = contestant.removeprefix(f"{ALONE}-")
        found = fit_and_ask(table, rows, learner, work, seed, options.threads)
    elif contestant == OURS:
        found = run_luodi(table, rows, work, seed, limits)
    else:
        found = run_autogluon(python, table, rows, work, options.seconds, limits)
    found |= {"table": table.name, "seed": seed, "contestant": contestant}
    found |= {"train_rows": rows.train, "test_rows": rows.test, "fingerprint": rows.fingerprint}
    found["judged"] = judged(table, test, found)
    return found


def _write(
    measurements: list[dict[str, Any]], cache: Path, python: Path, options: argparse.Namespace
) -> None:
    """Whole after every measurement: an interrupted run leaves what it has."""
    ours = {(m["table"], m["seed"]): m for m in measurements if m["contestant"] == OURS}
    theirs = [m for m in measurements if m["contestant"] == THEIRS]
    places = {table.name: table for table in TABLES}
    side_by_side = []
    for measured in theirs:
        table, seed = places[measured["table"]], measured["seed"]
        test = split_rows(table, seed, cache, python).folder / "test.csv"
        side_by_side.append(compared(table, test, ours[table.name, seed], measured))
    document = {
        "benchmark": "tabular",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "threads": options.threads,
        "note": options.note,
        "seconds": options.seconds,
        "autogluon": theirs[0]["version"] if theirs else "",
        "tables": by_table(measurements),
        "compared": side_by_side,
        "medians": medians(side_by_side),
        "measurements": [
            {key: value for key, value in m.items() if key not in ("scores", "labels")}
            for m in measurements
        ],
    }
    options.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_finite(document), ensure_ascii=False, indent=1, allow_nan=False)
    (options.output / f"tabular-{document['date']}.json").write_text(text + "\n", "utf-8")
    (options.output / "tabular.md").write_text(page(document), "utf-8")


def _finite(value: Any) -> Any:
    """JSON knows no infinity: an interval without an end has none there."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [table.name for table in TABLES]
    parser = argparse.ArgumentParser(prog="python -m bench.tabular", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="splits a table (5)")
    parser.add_argument("--autogluon-seeds", type=int, default=3, help="of those beside it (3)")
    parser.add_argument("--seconds", type=float, default=60.0, help="AutoGluon's budget (60)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=names)
    parser.add_argument("--resume", action="store_true", help="keep what was measured already")
    parser.add_argument("--kept", action="store_true", help="measure nothing: write what there is")
    parser.add_argument("--threads", type=int, default=cores(), help="for everyone; all cores")
    parser.add_argument("--note", default="", help="a sentence on the conditions")
    parser.add_argument("--output", type=Path, default=_ROOT / "bench" / "results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
