"""The order of measurements, what is kept, and what is not measured again."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.finetune import store as store_module
from bench.finetune.contestants import DEFAULT, NAMES, SCRIPTS, Turn, turns
from bench.finetune.measure import measure
from bench.finetune.ours import share_right
from bench.finetune.process import Limits, OutOfTimeError, run_process
from bench.finetune.stopwatch import Stopwatch
from bench.finetune.store import Store
from luodi.contracts import LuodiError

from .conftest import measurement


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(store_module, "_source_digest", lambda: "luodi of today")
    return Store(tmp_path, {"rows": "r"}, 0.925)


class Runner:
    """Makes measurements up; the default script reaches 0.92 with odd seeds only."""

    def __init__(self, stop_after: int = 99) -> None:
        self.made: list[Turn] = []
        self.stop_after = stop_after

    def __call__(self, turn: Turn) -> dict[str, Any]:
        if len(self.made) == self.stop_after:
            raise OutOfTimeError("The time limit was reached.")
        self.made.append(turn)
        reached = turn.contestant not in ("default", "default-6") or turn.seed % 2 == 1
        return measurement(turn.contestant, turn.seed, (0.93 if reached else 0.91, 100.0))


def all_of(runner: Runner, store: Store, resume: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for found in measure(turns(2), runner, store, 0.92, 2, resume):  # noqa: B007
        pass
    return found


def test_the_first_round_holds_everyone_and_the_order_turns() -> None:
    order = [(turn.seed, turn.contestant) for turn in turns(2)]
    assert order == [
        (1, "luodi"), (1, "tuned"), (1, "default"),
        (2, "tuned"), (2, "default"), (2, "luodi"),
        (1, "luodi-2"), (2, "luodi-2"),
        (1, "tuned-6"), (1, "default-6"), (1, "default-12"),
        (2, "tuned-6"), (2, "default-6"), (2, "default-12"),
    ]  # fmt: skip
    assert {turn.contestant for turn in turns(1, ("luodi",))} == {"luodi"}


def test_a_stretched_script_runs_only_where_the_plain_one_missed(store: Store) -> None:
    runner = Runner()
    found = all_of(runner, store)
    longer = [turn for turn in runner.made if SCRIPTS.get(turn.contestant, DEFAULT).instead_of]
    assert longer == [Turn(2, "default-6"), Turn(2, "default-12")]
    assert len(found) == 10


def test_a_goal_that_is_shown_needs_no_longer_schedule(store: Store) -> None:
    """Five times ours without the target: however it went on, the goal is met."""

    class Slow(Runner):
        def __call__(self, turn: Turn) -> dict[str, Any]:
            made = super().__call__(turn)
            slow = (0.91, 501.0 if turn.seed == 2 else 499.0)
            return measurement("default", turn.seed, slow) if turn.contestant == "default" else made

    runner = Slow()
    all_of(runner, store)
    assert [turn for turn in runner.made if turn.contestant.startswith("default-")] == [
        Turn(1, "default-6")
    ]


def test_what_was_finished_before_an_interruption_is_not_run_again(store: Store) -> None:
    first, second = Runner(stop_after=4), Runner()
    assert len(all_of(first, store)) == 4
    found = all_of(second, store, resume=True)
    assert not set(first.made) & set(second.made)
    assert len(first.made) + len(second.made) == len(found) == 10
    third = Runner()
    all_of(third, store)
    assert len(third.made) == 10, "without resume everything is measured anew"


def test_a_changed_luodi_makes_only_our_own_times_worthless(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of(Runner(), store)
    monkeypatch.setattr(store_module, "_source_digest", lambda: "luodi of tomorrow")
    again = Runner()
    all_of(again, store, resume=True)
    assert {turn.contestant for turn in again.made} == {"luodi", "luodi-2"}


def test_other_rows_share_no_measurement(store: Store, tmp_path: Path) -> None:
    all_of(Runner(), store)
    other = Runner()
    all_of(other, Store(tmp_path, {"rows": "others"}, 0.925), resume=True)
    assert {turn.contestant for turn in other.made} == set(NAMES) - {"tuned-6"}


def test_a_held_stopwatch_does_not_count() -> None:
    moments = iter([100.0, 103.0, 110.0, 115.0, 116.0])
    watch = Stopwatch(now=lambda: next(moments))  # began at 100
    assert watch.seconds == 3.0
    with watch.held():  # 110 to 115
        pass
    assert (watch.off, watch.seconds) == (5.0, 11.0)


def test_a_stopwatch_counts_from_before_it_was_made() -> None:
    assert Stopwatch(began=40.0, now=lambda: 100.0).seconds == 60.0


def test_accuracy_is_the_share_of_answers_that_are_true() -> None:
    assert share_right(["a", "b", "b", "a"], ["a", "b", "a", "a"]) == 0.75
    with pytest.raises(ValueError):
        share_right(["a"], ["a", "b"])


def test_a_process_is_timed_and_told_its_threads(tmp_path: Path) -> None:
    code = "import os, time; time.sleep(0.3); print(os.environ['OMP_NUM_THREADS'])"
    done = run_process([sys.executable, "-c", code], tmp_path, Limits(3, 1.0))
    assert done.output.strip() == "3"
    assert 0.3 <= done.wall < 20
    assert done.cpu < done.wall


def test_a_process_ends_at_the_deadline_and_a_failed_one_is_told(tmp_path: Path) -> None:
    limits = Limits(1, 1.0, deadline=time.monotonic() + 0.5)
    started = time.monotonic()
    with pytest.raises(OutOfTimeError):
        run_process([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, limits)
    assert time.monotonic() - started < 20
    with pytest.raises(LuodiError, match="no such thing"):
        run_process([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path,
                    Limits(1, 1.0))  # fmt: skip
