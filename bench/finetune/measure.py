"""All measurements, one after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.finetune.arithmetic import compare, time_to
from bench.finetune.contestants import OURS, SCRIPTS, SHORT, SHORT_PASSES, Turn
from bench.finetune.ours import run_luodi
from bench.finetune.peers import run_script
from bench.finetune.process import Limits, OutOfTimeError
from bench.finetune.results import AGAINST, GOALS
from bench.finetune.rows import Rows
from bench.finetune.store import Store

Run = Callable[[Turn], dict[str, Any]]
"""Makes one measurement."""


@dataclass(frozen=True)
class Bench:
    """What every measurement shares.

    Attributes:
        tables: the folder with train.csv and test.csv.
        work: a folder for what a run leaves behind.
        base: the base model's folder.
        python: the interpreter of the peers' environment; None when no script is measured.
    """

    rows: Rows
    tables: Path
    work: Path
    base: Path
    python: Path | None
    limits: Limits

    def run(self, turn: Turn) -> dict[str, Any]:
        """One measurement, in its own process."""
        if turn.contestant in (OURS, SHORT):
            folder = self.work / f"{turn.contestant}-{turn.seed}"
            passes = SHORT_PASSES if turn.contestant == SHORT else None
            truth = list(self.rows.test)
            return run_luodi(self.tables, folder, truth, turn.seed, self.limits, passes)
        if self.python is None:
            raise ValueError(f"{turn.contestant} needs the peers' environment")
        script = SCRIPTS[turn.contestant]
        return run_script(self.python, script, self.tables, self.base, turn.seed, self.limits)


def measure(
    turns: Sequence[Turn],
    run: Run,
    store: Store,
    headline: float,
    threads: int,
    resume: bool,
) -> Iterator[list[dict[str, Any]]]:
    """Make the measurements in order; yields all that are finished after each one.

    A stretched script is measured only where the one it stands in for missed the headline, and
    what is known of it by then leaves the goal open.

    Args:
        turns: in order.
        run: makes one.
        store: where finished ones are kept.
        headline: the target.
        threads: as noted with each measurement.
        resume: whether finished ones of earlier calls are taken as they are.
    """
    finished: list[dict[str, Any]] = []
    for number, turn in enumerate(turns, 1):
        if not _needed(turn, finished, headline):
            continue
        kept = store.load(turn) if resume else None
        if kept is None:
            _tell(f"[{number}/{len(turns)}] {turn.contestant}, seed {turn.seed} ...")
            started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
            try:
                found = run(turn)
            except OutOfTimeError as error:
                _tell(f"    {error} Go on with --resume.")
                return
            kept = {
                "contestant": turn.contestant,
                "seed": turn.seed,
                "threads": threads,
                "started": started,
                **found,
            }
            store.save(turn, kept)
        finished.append(kept)
        _tell(f"    {shown(kept, headline)}")
        yield list(finished)


def _needed(turn: Turn, finished: Sequence[Mapping[str, Any]], headline: float) -> bool:
    for name, family in AGAINST.items():
        place = family.index(turn.contestant) if turn.contestant in family else 0
        if place == 0:
            continue
        before = compare(finished, family[:place], headline, "train_seconds")
        ratio = before.ratios.get(turn.seed)
        reached = turn.seed in before.seconds and before.seconds[turn.seed].exact
        if reached or (ratio is not None and ratio.low >= GOALS[name]):
            return False
    return True


def shown(measurement: Mapping[str, Any], headline: float) -> str:
    """One measurement in a line."""
    last = measurement["curve"][-1]
    best = max(look["accuracy"] for look in measurement["curve"])
    reached = time_to(measurement["curve"], headline, "train_seconds")
    when = f"at {reached.low:.0f} s" if reached.exact else f"not within {reached.low:.0f} s"
    return (
        f"{measurement['contestant']}, seed {measurement['seed']}: accuracy {best:.4f}, "
        f"{headline:g} reached {when}; {last['whole_seconds']:.0f} s in all, "
        f"{measurement['evaluation_seconds']:.0f} s of looking taken off"
    )


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
