"""python -m bench.serving.rows: measure, write the results, print the table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.command import exit_code
from bench.finetune.machine import cores, machine
from bench.serving.contestants import Setting
from bench.serving.measure import Windows, measure
from bench.serving.rows.contestants import OURS, Reading, contestants
from bench.serving.rows.model import LABELS, make, rows
from bench.serving.rows.results import goals, make_table
from luodi.contracts import LuodiError

_ROOT = Path(__file__).parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see `exit_code`."""
    options = _options(arguments)
    return exit_code(lambda: _bench(options))


def _bench(options: argparse.Namespace) -> None:
    from luodi.bundle import open_predictor
    from luodi.project.home import cache_folder

    cache = cache_folder() / "bench"
    work = cache / "serving-rows-model"
    made = make(work)
    model, asked = made.bundle / "model", rows(work, made.bundle)
    answers = open_predictor(made.bundle).predict([json.loads(row) for row in asked])
    windows = Windows(options.window, asked, [answer["label"] for answer in answers])
    setting = Setting(model, {OURS: made.bundle}, cache, cache / "serving-rows-work", threads=1)
    everyone = contestants(Reading(model, LABELS), cores())
    if unknown := set(options.only or ()) - set(everyone):
        raise LuodiError(f"{', '.join(sorted(unknown))}: not one of {', '.join(everyone)}")
    facts: dict[str, Any] = {
        "benchmark": "serving rows",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "rows": len(asked),
        "trees": (model / "model.txt").read_text("utf-8").count("\nTree="),
        "window_seconds": options.window,
        "note": options.note,
    }
    finished: list[dict[str, Any]] = []
    for name in options.only or everyone:
        print(f"{everyone[name].title} ...", file=sys.stderr, flush=True)
        try:
            finished.append(measure(everyone[name], setting, windows))
        except LuodiError as error:
            print(error, file=sys.stderr)
            continue
        document = {**facts, "measurements": finished, "goals": goals(finished)}
        _write(document, options.output)
    if finished:
        print(make_table(document))


def _write(document: dict[str, Any], folder: Path) -> None:
    """Whole after every measurement: an interrupted run leaves what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"
    for name, page in (
        (f"serving-rows-{document['date']}.json", text),
        ("serving-rows.md", make_table(document)),
    ):
        temporary = folder / f".{name}"
        temporary.write_text(page, "utf-8")
        temporary.replace(folder / name)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serving.rows")
    parser.add_argument("--window", type=float, default=10.0, help="seconds of each measured step")
    parser.add_argument("--only", type=lambda text: text.split(","), help="some of the servers")
    parser.add_argument("--note", default="", help="a sentence for the page's head")
    parser.add_argument("--output", type=Path, default=_ROOT / "bench" / "results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
