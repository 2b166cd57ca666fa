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
    takes = {OURS: _takes(ours), THEIRS: _takes(theirs)}
    ratio = {name: takes[THEIRS][name] / takes[OURS][name] for name in takes[OURS]}
    met = {"auc": apart.high >= 0} | {name: ratio[name] >= least for name, least in TIMES.items()}
    return {
        "table": table.name,
        "seed": ours["seed"],
        "auc": {OURS: ours["judged"]["auc"], THEIRS: theirs["judged"]["auc"]},
        "difference": vars(apart),
        "ratio": ratio,
        "met": met,
        "takes": takes,
    }


def _takes(found: Measurement) -> dict[str, float]:
    """Seconds to fit and of the whole command, milliseconds of a row, MiB to serve."""
    return {
        "fit_seconds": found["fit_seconds"],
        "whole_seconds": found["whole_seconds"],
        "one_row": found["one_row"]["median_ms"],
        "peak_mib": found["peak_mib"],
    }


def medians(compared: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A table at a time: medians over the seeds of both, and how often the one holds the other.

    AUC is told apart by the mean of the differences over seeds; of one seed by its resampled rows.
    """
    found = []
    for name in dict.fromkeys(row["table"] for row in compared):
        rows = [row for row in compared if row["table"] == name]
        takes = {
            who: {
                what: float(np.median([row["takes"][who][what] for row in rows]))
                for what in rows[0]["takes"][who]
            }
            for who in (OURS, THEIRS)
        }
        ratio = {what: takes[THEIRS][what] / takes[OURS][what] for what in takes[OURS]}
        apart = vars(over_seeds([row["difference"]["value"] for row in rows]))
        apart = apart if len(rows) > 1 else rows[0]["difference"]
        met = {"auc": apart["high"] >= 0} | {n: ratio[n] >= least for n, least in TIMES.items()}
        auc = {w: float(np.median([row["auc"][w] for row in rows])) for w in (OURS, THEIRS)}
        found.append(
            {
                "table": name,
                "seeds": [row["seed"] for row in rows],
                "auc": auc,
                "difference": apart,
                "takes": takes,
                "ratio": ratio,
                "met": met,
            }
        )
    return found


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
    lines = [
        f"## Beside AutoGluon {document['autogluon']}, medium quality, {document['seconds']:g} s",
        "",
        "Medians over the seeds, Luodi's and AutoGluon's; in brackets how many times less Luodi",
        "takes; asked: 10 for time to fit, 50 for one row, 10 for memory. AUC apart: mean over the",
        "seeds, its interval by Student's t.",
        "",
        "| table | seeds | AUC | apart [95 %] | fit, s | whole, s | row, ms | memory, MiB | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in document["medians"]:
        both = " | ".join(
            f"{row['takes'][OURS][name]:.{digits}f}, {row['takes'][THEIRS][name]:.{digits}f} "
            f"({row['ratio'][name]:.{1 if row['ratio'][name] < 20 else 0}f})"
            for name, digits in (
                ("fit_seconds", 1), ("whole_seconds", 1), ("one_row", 2), ("peak_mib", 0)
            )
        )  # fmt: skip
        lines.append(
            f"| {row['table']} | {len(row['seeds'])} | {row['auc'][OURS]:.4f}, "
            f"{row['auc'][THEIRS]:.4f} | {_bounds(row['difference'], '+')} | {both} | "
            f"{_missed(row)} |"
        )
    lines += [
        "",
        "Each seed, AUC apart by resampled rows, and how many times less:",
        "",
        "| table | seed | Luodi | AutoGluon | apart [95 %] | fit | whole | row | memory | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in document["compared"]:
        ratio = row["ratio"]
        lines.append(
            f"| {row['table']} | {row['seed']} | {row['auc'][OURS]:.4f} | "
            f"{row['auc'][THEIRS]:.4f} | {_bounds(row['difference'], '+')} | "
            f"{ratio['fit_seconds']:.0f} | {ratio['whole_seconds']:.1f} | {ratio['one_row']:.0f} | "
            f"{ratio['peak_mib']:.1f} | {_missed(row)} |"
        )
    return lines


def _missed(row: Mapping[str, Any]) -> str:
    missed = [name for name, met in row["met"].items() if not met]
    return "not " + ", ".join(missed) if missed else "all"


def _bounds(row: Mapping[str, float], sign: str = "") -> str:
    return f"{row['value']:{sign}.4f} [{row['low']:{sign}.4f}, {row['high']:{sign}.4f}]"


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def _how(document: Mapping[str, Any]) -> list[str]:
    text = (Path(__file__).with_name("how.md")).read_text("utf-8")
    return ["## How", "", text.strip()]
