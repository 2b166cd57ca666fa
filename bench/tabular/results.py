"""What the measurements come to: goals, and a page."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.tabular.arithmetic import auc, difference, over_seeds
from bench.tabular.tables import TABLES, Table

OURS, THEIRS, ALONE = "luodi", "autogluon", "exported"
LEARNERS = ("boosting", "forest", "linear")
"""The first is what the bounds are for; the others stand beside it."""
TIMES = {"fit_seconds": 10.0, "one_row": 50.0, "peak_mib": 10.0}
"""How many times less than AutoGluon: time to fit, of one row, memory to serve."""

Measurement = Mapping[str, Any]


def judged(table: Table, test: Path, found: Measurement) -> dict[str, float]:
    """AUC and error of a contestant's answers on the test table."""
    events = truth(table, test)
    scores = np.array(found["scores"])
    value = {"auc": auc(events, scores)}
    if "labels" in found:
        named = np.array([label == table.positive for label in found["labels"]])
        value["error"] = float((named != events).mean())
    return value


def truth(table: Table, test: Path) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(n,) which rows of the test table carry the event."""
    with test.open(encoding="utf-8", newline="") as stream:
        return np.array([row[table.label] == table.positive for row in csv.DictReader(stream)])


def compared(table: Table, test: Path, ours: Measurement, theirs: Measurement) -> dict[str, Any]:
    """Ours beside theirs, on the same rows."""
    apart = difference(truth(table, test), np.array(ours["scores"]), np.array(theirs["scores"]))
    ratio = {
        "fit_seconds": theirs["fit_seconds"] / ours["fit_seconds"],
        "whole_seconds": theirs["whole_seconds"] / ours["whole_seconds"],
        "one_row": theirs["one_row"]["median_ms"] / ours["one_row"]["median_ms"],
        "peak_mib": theirs["peak_mib"] / ours["peak_mib"],
    }
    met = {"auc": apart.high >= 0} | {name: ratio[name] >= least for name, least in TIMES.items()}
    return {
        "table": table.name,
        "seed": ours["seed"],
        "auc": {OURS: ours["judged"]["auc"], THEIRS: theirs["judged"]["auc"]},
        "difference": vars(apart),
        "ratio": ratio,
        "met": met,
        "fit_seconds": ours["fit_seconds"],
        "one_row_ms": ours["one_row"]["median_ms"],
        "peak_mib": ours["peak_mib"],
    }


def by_table(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """Luodi's own figures over the seeds, and whether each keeps its bound."""
    found = []
    for table in TABLES:
        mine = [m for m in measurements if m["table"] == table.name]
        of = {name: [m for m in mine if m["contestant"] == f"{ALONE}-{name}"] for name in LEARNERS}
        first = of[LEARNERS[0]]
        if not first:
            continue
        values = [one["judged"][table.metric] for one in first]
        found.append(
            {
                "table": table.name,
                "metric": table.metric,
                "bound": table.bound,
                **vars(over_seeds(values)),
                "seeds": [m["seed"] for m in first],
                "values": values,
                "beside": {
                    name: over_seeds([one["judged"][table.metric] for one in ones]).value
                    for name, ones in of.items()
                    if len(ones) == len(first)  # the same splits, or no comparison
                },
                "met": table.met(over_seeds(values).value),
                "fit_seconds": float(np.median([one["fit_seconds"] for one in first])),
                "model_ms": float(np.median([one["one_row_model"]["median_ms"] for one in first])),
            }
        )
    return found


def page(document: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    machine = document["machine"]
    lines = [
        "# Tables: boosting by itself, and beside AutoGluon",
        "",
        (
            f"{document['date']}, {machine['processor']}, {document['threads']} threads of "
            f"{machine['cores']} cores; commit {machine['commit']}. {document['note']}"
        ),
        "",
        "## By itself",
        "",
        "| table | | asked | mean [95 %] | each seed | | forest | linear | fit, s | row, ms |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in document["tables"]:
        sign = "at most" if row["metric"] == "error" else "at least"
        each = ", ".join(f"{value:.3f}" for value in row["values"])
        others = " | ".join(
            f"{row['beside'][name]:.4f}" if name in row["beside"] else "–" for name in LEARNERS[1:]
        )
        lines.append(
            f"| {row['table']} | {row['metric']} | {sign} {row['bound']:g} | {_bounds(row)} | "
            f"{each} | {_verdict(row['met'])} | {others} | {row['fit_seconds']:.2f} | "
            f"{row['model_ms']:.3f} |"
        )
    if document["compared"]:
        lines += ["", *_beside(document)]
    return "\n".join([*lines, "", *_how(document)]) + "\n"


def _beside(document: Mapping[str, Any]) -> list[str]:
    taken = ", ".join(
        f"{row['table']} {row['fit_seconds']:.1f} s, {row['one_row_ms']:.2f} ms a row, "
        f"{row['peak_mib']:.0f} MiB"
        for row in document["compared"]
    )
    lines = [
        f"## Beside AutoGluon {document['autogluon']}, medium quality, {document['seconds']:g} s",
        "",
        "How many times less Luodi takes; asked: 10 for time, 50 for one row, 10 for memory.",
        f"Luodi itself: {taken}.",
        "",
        "| table | seed | Luodi | AutoGluon | apart [95 %] | fit | whole | row | memory | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in document["compared"]:
        ratio = row["ratio"]
        missed = [name for name, met in row["met"].items() if not met]
        lines.append(
            f"| {row['table']} | {row['seed']} | {row['auc'][OURS]:.4f} | "
            f"{row['auc'][THEIRS]:.4f} | {_bounds(row['difference'], '+')} | "
            f"{ratio['fit_seconds']:.0f} | {ratio['whole_seconds']:.1f} | {ratio['one_row']:.0f} | "
            f"{ratio['peak_mib']:.1f} | {'all' if not missed else 'not ' + ', '.join(missed)} |"
        )
    return lines


def _bounds(row: Mapping[str, float], sign: str = "") -> str:
    return f"{row['value']:{sign}.4f} [{row['low']:{sign}.4f}, {row['high']:{sign}.4f}]"


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def _how(document: Mapping[str, Any]) -> list[str]:
    text = (Path(__file__).with_name("how.md")).read_text("utf-8")
    return ["## How", "", text.strip()]
