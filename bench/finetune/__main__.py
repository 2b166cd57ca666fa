"""python -m bench.finetune: measure, write the results, print the table."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.command import exit_code
from bench.finetune.check import check_document
from bench.finetune.contestants import NAMES, OURS, turns
from bench.finetune.machine import cores, machine, processor
from bench.finetune.measure import Bench, measure
from bench.finetune.ours import BASE
from bench.finetune.peers import peers_python
from bench.finetune.process import Limits
from bench.finetune.results import make_document
from bench.finetune.rows import FOLDER_VARIABLE, Rows, facts, find_rows, shorten
from bench.finetune.store import Store
from bench.finetune.table import make_table
from luodi.contracts import Quiet

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see `exit_code`."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is running ends with us
    return exit_code(lambda: _bench(options), "Interrupted; go on with --resume.")


def _bench(options: argparse.Namespace) -> None:
    from luodi.project.home import cache_folder
    from luodi.training.bases import resolve_base

    cache = cache_folder() / "bench"
    rows = _rows(options, cache)
    base = resolve_base(BASE, "any", cache_folder(), Quiet())
    until = max(*rows.targets, rows.headline)
    conditions = {
        "rows": rows.fingerprint,
        "base": base.sha256,
        "threads": options.threads,
        "processor": processor(),
    }
    store = Store(cache / "measurements", conditions, until)
    tables = cache / "rows" / f"{rows.name}-{rows.fingerprint}"
    rows.write(tables)
    scripts = any(name != OURS for name in options.only)
    bench = Bench(
        rows=rows,
        tables=tables,
        work=cache / "work",
        base=base.path,
        python=peers_python(cache) if scripts else None,
        limits=Limits(options.threads, until, _deadline(options.time_limit)),
    )
    facts_: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "threads": options.threads,
        "base": {"name": BASE, "source": base.source, "sha256": base.sha256},
    }
    document: dict[str, Any] = {}
    for finished in measure(
        turns(options.seeds, options.only),
        bench.run,
        store,
        rows.headline,
        options.threads,
        options.resume,
    ):
        document = make_document(finished, facts(rows), rows.targets, rows.headline, facts_)
        _write(document, options.output)
    if document:
        confirmed = check_document(json.loads(json.dumps(document)))
        print(make_table(document))
        print(f"{confirmed} ratios confirmed from the measurements by a second way.")
        print(f"Written to {options.output}")


def _write(document: Mapping[str, Any], folder: Path) -> None:
    """Whole after every measurement: an interrupted run leaves what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    short = "" if document["rows"]["whole"] else "-short"
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str, allow_nan=False)
    pages = {f"finetune{short}-{document['date']}.json": text + "\n"}
    pages[f"finetune{short}.md"] = make_table(document)
    for name, page in pages.items():
        temporary = folder / f".{name}"
        temporary.write_text(page, "utf-8")
        temporary.replace(folder / name)


def _rows(options: argparse.Namespace, cache: Path) -> Rows:
    rows = find_rows(options.data, _ROOT, cache)
    if options.rows:
        rows = shorten(rows, options.rows)
    return replace(
        rows,
        headline=options.target or rows.headline,
        targets=tuple(options.targets or rows.targets),
    )


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    from luodi.project.schema import parse_duration

    parser = argparse.ArgumentParser(prog="python -m bench.finetune", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="rounds to measure (3)")
    parser.add_argument("--rows", type=int, help="the short form: this many rows, low targets")
    parser.add_argument(
        "--data", type=Path, help=f"banking77's folder; else {FOLDER_VARIABLE}, else movie reviews"
    )
    parser.add_argument(
        "--only", type=_only, default=NAMES, help=f"some of {','.join(NAMES)}, by commas"
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep what earlier calls finished measuring"
    )
    parser.add_argument(
        "--time-limit", type=parse_duration, help="stop measuring after this time, such as 90m"
    )
    parser.add_argument("--threads", type=int, default=cores(), help="for everyone; all cores")
    parser.add_argument("--target", type=float, help="the accuracy that the goals are judged at")
    parser.add_argument("--targets", type=float, nargs="+", help="the accuracies in the table")
    parser.add_argument("--output", type=Path, default=_ROOT / "bench" / "results")
    return parser.parse_args(arguments)


def _only(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {NAMES}")
    return names


if __name__ == "__main__":
    sys.exit(main())
