"""python -m bench.serving: measure, write the results, print the table."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.command import exit_code
from bench.finetune.machine import cores, machine
from bench.finetune.rows import FOLDER_VARIABLE, find_rows
from bench.serving.contestants import ALL, OURS, SHIPPED, STUDENT, Setting
from bench.serving.measure import Windows, measure
from bench.serving.model import Made, make_model, run
from bench.serving.results import make_document, make_table
from bench.serving.texts import mixed_texts
from luodi.contracts import LuodiError

_ROOT = Path(__file__).parents[2]
_FLOAT32 = ("serve.form=float32", "serve.runtime=onnxruntime")
_STUDENT = "model.distil=2"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: see `exit_code`."""
    options = _options(arguments)
    return exit_code(lambda: _bench(options))


def _bench(options: argparse.Namespace) -> None:
    from luodi.project.home import cache_folder

    cache = cache_folder() / "bench"
    rows = find_rows(options.data, _ROOT, cache)
    work = cache / f"serving-model-{options.rows}-{options.epochs}"
    make_model(rows, work, options.rows, options.epochs, options.threads)
    _tell("Making the classifier (once) ...")
    plain, shipped, student = run(work, *_FLOAT32), run(work), run(work, _STUDENT)
    texts = mixed_texts(options.data, _ROOT, cache, options.texts)
    setting = Setting(
        exported=plain.bundle / "model",
        bundles={OURS: plain.bundle, SHIPPED: shipped.bundle, STUDENT: student.bundle},
        cache=cache,
        work=cache / "serving-work",
        threads=options.threads,
    )
    windows = Windows(options.window, texts, _labels(plain, texts, options.threads))
    limits = _limits({OURS: plain, SHIPPED: shipped, STUDENT: student}, texts, setting)
    facts: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "threads": options.threads,
        "texts": len(texts),
        "window_seconds": options.window,
        "note": options.note,
        "shipped": shipped.form,
        "accuracy": plain.result["metrics"]["accuracy"],
        "student": {
            "form": student.form,
            "accuracy": student.result["metrics"]["accuracy"],
            "seconds": student.result["seconds"].get("distil"),
            **student.result["distilled"],
        },
        "verdicts": {
            "float32": plain.result["verdict"],
            "shipped": shipped.result["verdict"],
            "student": student.result["verdict"],
        },
    }
    finished: list[dict[str, Any]] = []
    for name in options.only:
        _tell(f"{ALL[name].title} ...")
        mine = name in (OURS, SHIPPED, STUDENT) and options.overload
        part = Windows(windows.seconds, windows.texts, windows.labels, bool(mine))
        try:
            finished.append(measure(ALL[name], setting, part))
        except LuodiError as error:
            _tell(str(error))
            continue
        document = make_document(finished, limits, shipped.result["form"]["probes"], facts)
        _write(document, options.output)
    if finished:
        print(make_table(document))


def _labels(made: Made, texts: list[str], threads: int) -> list[str]:
    """The float32 model's own labels, which everyone's answers are held against."""
    from luodi.bundle import open_predictor

    answers = open_predictor(made.bundle, threads).predict(texts)
    return [answer["label"] for answer in answers]


def _limits(made: dict[str, Made], texts: list[str], setting: Setting) -> dict[str, float]:
    place = setting.work / "texts.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(texts), "utf-8")
    found = {}
    for name, whose, order in (
        ("float32 sorted", OURS, "sorted"),
        ("float32 unsorted", OURS, "unsorted"),
        ("as shipped sorted", SHIPPED, "sorted"),
        ("student sorted", STUDENT, "sorted"),
    ):
        paces: list[list[float]] = []
        for sessions, threads in {(setting.threads, 1), (1, setting.threads)}:
            command = [
                sys.executable,
                "-m",
                "bench.serving.limit",
                str(made[whose].bundle / "model"),
            ]
            command += [str(place), str(sessions), str(threads), order]
            done = subprocess.run(
                command, cwd=_ROOT, capture_output=True, text=True, check=True, env=os.environ
            )
            paces.append(json.loads(done.stdout))
        for pace, what in zip(zip(*paces, strict=True), ("", ", a processor second"), strict=True):
            found[name + what] = round(max(pace), 2)
            _tell(f"    bare loop, {name}{what}: {max(pace):.1f}")
    return found


def _write(document: dict[str, Any], folder: Path) -> None:
    """Whole after every measurement: an interrupted run leaves what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str)
    pages = {f"serving-{document['date']}.json": text + "\n", "serving.md": make_table(document)}
    for name, page in pages.items():
        temporary = folder / f".{name}"
        temporary.write_text(page, "utf-8")
        temporary.replace(folder / name)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.serving", description=__doc__)
    parser.add_argument("--rows", type=int, default=4000, help="rows the classifier learns from")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--texts", type=int, default=400, help="texts to ask, half of them long")
    parser.add_argument("--window", type=float, default=10.0, help="seconds of each measured step")
    parser.add_argument("--data", type=Path, help=f"banking77's folder; else {FOLDER_VARIABLE}")
    parser.add_argument("--only", type=_only, default=tuple(ALL), help=f"some of {','.join(ALL)}")
    parser.add_argument("--threads", type=int, default=cores(), help="for everyone; all cores")
    parser.add_argument("--overload", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--note", default="", help="a sentence for the page's head")
    parser.add_argument("--output", type=Path, default=_ROOT / "bench" / "results")
    return parser.parse_args(arguments)


def _only(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if unknown := set(names) - set(ALL):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not one of {tuple(ALL)}")
    return names


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
