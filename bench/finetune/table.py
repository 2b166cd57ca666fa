"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.finetune.arithmetic import Bounds, Clock, compare, middle, spread, time_to
from bench.finetune.contestants import NAMES, OURS, SCRIPTS, SHORT, SHORT_PASSES
from bench.finetune.results import AGAINST, read_bounds

_METHOD = """\
Every contestant starts from the same base, learns from the same rows with the same threads, one
process after the other, the order rotated from seed to seed. Ratios are taken seed by seed;
medians, and the least and the greatest in brackets. Whatever had to be chosen was chosen for the
scripts:

- A script answers the whole test table three times an epoch (a stretched one twice) with
  its clock held. Its time is the first moment at which it reached the target, between two looks
  by a straight line: it is stopped by the test itself, which no real script is. Whoever runs it
  waits *to its end*. `luodi run` is not stopped; all of its time counts.
- *Training*: for a script the inside of `trainer.train()` alone; for `luodi run` its whole stage,
  with libraries loaded, texts read, the validation part answered, and the model exported to ONNX
  and answered again. *Process*: from the process's start; for `luodi run` that includes looking
  for copies, two baselines, packaging, evaluation, the leak shown and the report.
- Scripts learn from every training row; `luodi run` keeps a tenth back to choose on.
- Scripts save nothing.
- Luodi's accuracy is that of its packaged bundle on every row of the same test table.

`≥` stands where a script never reached the target: its time is known from below only. `≤` stands
where `luodi run` did not.
"""


def make_table(document: Mapping[str, Any]) -> str:
    """The page: headline, goals, every target, every measurement, and how it was done."""
    return "\n".join(
        [
            "# Fine-tuning: time to the same test accuracy",
            "",
            *_conditions(document),
            "",
            *_headline(document),
            "",
            *_goals(document),
            "",
            *_to_its_end(document),
            "",
            *_targets(document),
            "",
            *_measurements(document),
            "",
            "## How",
            "",
            _METHOD,
        ]
    )


def _conditions(document: Mapping[str, Any]) -> Iterator[str]:
    rows, machine = document["rows"], document["machine"]
    form = "" if rows["whole"] else " **Short form: it shows that the harness works, no more.**"
    yield (
        f"{document['date']}, {machine['processor']}, {document['threads']} threads of "
        f"{machine['cores']} cores, bfloat16 {'yes' if machine['bfloat16'] else 'no'}; "
        f"{rows['name']}: {rows['train']:,} rows to learn from, {rows['test']:,} test rows, "
        f"{rows['labels']} labels; base {document['base']['name']}; "
        f"commit {machine['commit'] or '-'}.{form}"
    )


def _headline(document: Mapping[str, Any]) -> Iterator[str]:
    target, measured = document["headline"], document["measurements"]
    yield f"## To {target:g}"
    yield ""
    yield from _row(
        [
            "",
            "seeds",
            "accuracy at the end",
            f"training to {target:g}, s",
            "ratio",
            f"process to {target:g}, s",
            "ratio",
            "training to its end, s",
            "ratio",
        ],
        head=True,
    )
    for name in NAMES:
        runs = [m for m in measured if m["contestant"] == name]
        if not runs:
            continue
        last = [_exact(m["curve"][-1]["accuracy"]) for m in runs]
        cells = [title(name), str(len(runs)), _points(last, 4)]
        for clock in ("train_seconds", "whole_seconds"):
            found = compare(measured, (name,), target, clock)
            times = [time_to(m["curve"], target, clock) for m in runs]
            ratios = list(found.ratios.values())
            cells += [_points(times, 0), "1" if name == OURS else _points(ratios, 2)]
        # A stretched script is stopped at the highest target: its end says nothing.
        ends = {} if name in SCRIPTS and SCRIPTS[name].instead_of else _ends(runs)
        ours = _ends([m for m in measured if m["contestant"] == OURS])
        whole = [ends[seed] / ours[seed] for seed in ends if seed in ours]
        cells += [_points(list(ends.values()), 0), "1" if name == OURS else _points(whole, 2)]
        yield from _row(cells)


def _ends(runs: Sequence[Mapping[str, Any]]) -> dict[int, Bounds]:
    """Seed -> seconds of training to the end of the run."""
    return {m["seed"]: _exact(m["curve"][-1]["train_seconds"]) for m in runs}


def _exact(value: float) -> Bounds:
    return Bounds(value, value)


def title(name: str) -> str:
    """A contestant as a reader would name it."""
    if name in (OURS, SHORT):
        return "`luodi run`" if name == OURS else f"`luodi run`, {SHORT_PASSES} passes"
    return SCRIPTS[name].title


def _goals(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Goals"
    yield ""
    yield from _row(["goal", "found", "verdict"], head=True)
    for goal in document["goals"]:
        yield from _row([goal["goal"], _found(goal["found"]), goal["verdict"]])


def _found(value: Any) -> str:
    if not value:
        return "-"
    if isinstance(value, Mapping):
        return bounds_text(read_bounds(value), 2)
    return "; ".join(f"{v['accuracy']:.4f} in {v['whole_seconds']:.0f} s" for v in value)


def _to_its_end(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## To where the default script ends"
    yield ""
    yield "The accuracy that the script has after the whole of its training, and the quickest"
    yield f"`luodi run` (its own passes, or {SHORT_PASSES}) that has as much; training alone."
    yield ""
    yield from _row(["seed", "its accuracy", "s", "ours", "s", "ratio"], head=True)
    for seed, one in document["to_its_end"].items():
        yield from _row(
            [
                seed,
                f"{one['accuracy']:.4f}",
                f"{one['seconds']:.0f}",
                f"{one['our_accuracy']:.4f}",
                f"{one['our_seconds']:.0f}",
                f"{one['ratio']:.2f}",
            ]
        )


def _targets(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Ratios at every target"
    yield ""
    yield "Where a script misses the headline target with a seed, and a goal is still open, its"
    yield "schedule is stretched: the shortest one that reaches a target counts."
    yield ""
    heads = [f"{name}, {_CLOCKS[clock]}" for name in AGAINST for clock in _CLOCKS]
    yield from _row(["target", *heads], head=True)
    found = {(c["contestant"], c["target"], c["clock"]): c for c in document["compared"]}
    for target in document["targets"]:
        cells = [f"{target:g}"]
        for names in AGAINST.values():
            for clock in _CLOCKS:
                stated = found[names[0], target, clock]
                cells.append(_points([read_bounds(r) for r in stated["ratios"].values()], 2))
        yield from _row(cells)


_CLOCKS: Mapping[Clock, str] = {"train_seconds": "training", "whole_seconds": "process"}


def _measurements(document: Mapping[str, Any]) -> Iterator[str]:
    target = document["headline"]
    yield "## Every measurement"
    yield ""
    yield "Threads busy: processor time over wall time and threads; looking is part of it. Where it"
    yield "is far below 1, other work on the machine disturbed the measurement."
    yield ""
    yield from _row(
        ["seed", "", "last accuracy", "best", f"training to {target:g}, s", "training, s",
         "process, s", "looking, s", "threads busy", "load before", "started"],
        head=True,
    )  # fmt: skip
    for m in document["measurements"]:
        last, process = m["curve"][-1], m["process"]
        yield from _row(
            [
                str(m["seed"]),
                title(m["contestant"]),
                f"{last['accuracy']:.4f}",
                f"{max(look['accuracy'] for look in m['curve']):.4f}",
                bounds_text(time_to(m["curve"], target, "train_seconds"), 0),
                f"{last['train_seconds']:.0f}",
                f"{last['whole_seconds']:.0f}",
                f"{m['evaluation_seconds']:.0f}",
                f"{process['cpu_share'] / m['threads']:.2f}",
                f"{process['load_before']:.1f}",
                m["started"],
            ]
        )


def _row(cells: Sequence[str], head: bool = False) -> Iterator[str]:
    yield "| " + " | ".join(cells) + " |"
    if head:
        yield "|" + " --- |" * len(cells)


def _points(values: Sequence[Bounds], digits: int) -> str:
    """The median, and the least and the greatest in brackets when there are several."""
    if not values:
        return "-"
    text = bounds_text(middle(values), digits)
    if len(values) == 1:
        return text
    ends = spread(values)
    least = min(values, key=lambda v: (v.low, v.high))
    greatest = max(values, key=lambda v: (v.high, v.low))
    if ends.low == ends.high:
        return text
    return f"{text} [{bounds_text(least, digits)} to {bounds_text(greatest, digits)}]"


def bounds_text(value: Bounds, digits: int) -> str:
    """A number, `≥ low`, `≤ high`, both ends, or `?` when nothing is known."""
    low, high = f"{value.low:,.{digits}f}", f"{value.high:,.{digits}f}"
    if value.exact:
        return low
    if not value.known:
        return "?"
    if value.high == float("inf"):
        return f"≥ {low}"
    return f"≤ {high}" if value.low == 0 else f"{low} to {high}"
