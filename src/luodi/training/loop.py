"""The training loop: train a model on texts or rows, within a budget, resumable."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from luodi.contracts import Finding, JsonValue, Progress, TrainingError, say
from luodi.training.batching import (
    Ints,
    Material,
    epoch_batches,
    in_order,
    padded_tokens,
    plan_batches,
)
from luodi.training.budget import Pace, Plan, fit_plan, slower_finding, spread
from luodi.training.checkpoints import (
    Checkpoint,
    drop_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from luodi.training.optimiser import MasterAdamW
from luodi.training.recipe import Judge, Loop, Recipe, Trainable, Trained
from luodi.training.schedule import one_cycle
from luodi.training.stopping import Stopping

_SETTLED = 5
"""Steps after which the pace of this process is believed."""
_MOST_BROKEN = 5
"""Steps in a row whose gradient is not finite before the fit gives up."""


def train_model(
    model: Trainable,
    parts: tuple[Material, Material],
    recipe: Recipe,
    loop: Loop,
    judge: Judge,
    progress: Progress,
) -> Trained:
    """Train `model` in place; it ends with the weights that did best on the validation part.

    Args:
        model: what is trained.
        parts: what is learnt from, and what is chosen on.
        recipe: how.
        loop: where, and how long.
        judge: how outputs on the validation part are scored.
        progress: told the loss, the score and the time left.

    Raises:
        TrainingError: when the gradient stays not finite.
    """
    return _Training(model, parts, recipe, loop, judge, progress).run()


class _Training:
    """The state of one fit."""

    def __init__(
        self,
        model: Trainable,
        parts: tuple[Material, Material],
        recipe: Recipe,
        loop: Loop,
        judge: Judge,
        progress: Progress,
    ) -> None:
        self.model, self.recipe, self.loop = model, recipe, loop
        self.judge, self.progress = judge, progress
        self.train, self.valid = parts
        torch.manual_seed(loop.seed)
        self.optimiser = MasterAdamW(model.groups())
        self.result = Trained()
        self.epoch, self.place, self.done, self.total, self.planned = 0, 0, 0, 0, 0
        self.best: dict[str, torch.Tensor] = {}
        self.best_rank = (-math.inf, -math.inf)
        self.stale = self.broken = 0
        self.losses: list[float] = []
        self.pace = Pace()
        self.saved, self.saving = time.monotonic(), 0.0
        self.stopping = Stopping()

    def run(self) -> Trained:
        if not self._resume():
            self._make_plan()
        plan = self.result.plan
        self.train = _first_rows(self.train, plan.rows, self.loop.seed).cut(plan.length)
        self.valid = self.valid.cut(plan.length)
        self.pace.epoch = self._epoch_tokens()
        self.planned = plan.epochs * self.pace.epoch
        self.total = self.total or self.planned
        with Stopping() as self.stopping:
            while not self._over():
                self._one_epoch()
                self._keep_pass()  # before it is judged: a kill then costs the judging alone
                self.epoch, self.place = self.epoch + 1, 0
                self._judge()
        self._tell_shortened()
        self.optimiser.load_weights(self.best)
        self.model.train(False)
        self.result.seconds = self.loop.clock.elapsed
        self.result.passes = self.epoch - self.stale
        return self.result

    def _over(self) -> bool:
        if self.place:  # a pass that was begun is judged, however short it was cut
            return False
        trained = self.epoch >= self.result.plan.epochs or self.done >= self.total
        return trained or self.stale >= self.recipe.patience

    def _epoch_tokens(self) -> int:
        lengths = self.train.lengths
        return padded_tokens(
            lengths, epoch_batches(lengths, self.recipe.tokens, self.loop.seed, self.epoch)
        )

    def _make_plan(self) -> None:
        recipe, clock = self.recipe, self.loop.clock
        wish = Plan(recipe.epochs, recipe.length, len(self.train))
        if clock.budget is None:
            self.result.plan = wish
            return
        pace = self._measure()
        lengths = (self.train.lengths, self.valid.lengths)
        plan, findings = fit_plan(wish, *lengths, pace, clock.left(self.loop.reserve))
        for finding in findings:
            self.progress.say(finding.message)
        self.result.plan = plan
        self.result.findings += findings

    def _measure(self) -> float:
        """Seconds a token, over a few steps of typical lengths that move no weight."""
        lengths = np.minimum(self.train.lengths, self.recipe.length)
        batches = plan_batches(lengths, self.recipe.tokens, None)
        cut = self.train.cut(self.recipe.length)
        seconds, tokens = 0.0, 0
        for rows in spread(batches, 4):
            self._trial(cut, rows)  # a shape's first step also pays for making its kernels
            start = time.monotonic()
            tokens += self._trial(cut, rows)
            seconds += time.monotonic() - start
        return seconds / tokens

    def _trial(self, examples: Material, rows: Ints) -> int:
        random = torch.get_rng_state()
        batch = examples.collate(rows, self.recipe.pad)
        self.model.train(True)
        self.model.loss(batch).backward()  # type: ignore[no-untyped-call]
        self.optimiser.forget()
        torch.set_rng_state(random)
        return int(batch.size)

    def _one_epoch(self) -> None:
        self.model.train(True)
        lengths = self.train.lengths
        batches = epoch_batches(lengths, self.recipe.tokens, self.loop.seed, self.epoch)
        for rows in batches[self.place :]:
            if self.done >= self.total:
                break
            start = time.monotonic()
            batch = self.train.collate(rows, self.recipe.pad)
            self._one_step(batch)
            self.place += 1
            self.pace.add(time.monotonic() - start, batch.size)
            self._keep_to_budget()
            self._tell()
            if self.stopping.asked:
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - self.saved > self.loop.every:
                self._save()

    def _keep_pass(self) -> None:
        """Save, unless doing again what was done since the last time would cost less."""
        if time.monotonic() - self.saved > self.saving:
            self._save()

    def _one_step(self, batch: Any) -> None:
        loss = self.model.loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        rate = self.recipe.rate * one_cycle(self.done / self.total, self.recipe.warmup)
        norm = self.optimiser.step(rate, self.recipe.clip)
        self.broken = 0 if math.isfinite(norm) else self.broken + 1
        if self.broken >= _MOST_BROKEN:
            raise TrainingError(
                say(
                    f"The gradient was not finite {self.broken} times in a row.",
                    f"梯度连续 {self.broken} 次不是有限数。",
                ),
                "",
                say(
                    "Lower model.options.learning_rate.",
                    "请调低 model.options.learning_rate。",
                ),
            )
        self.losses.append(loss.item())
        self.done += batch.size

    def _keep_to_budget(self) -> None:
        """Shorten what is left when the machine turns out slower than it was measured.

        When it then turns out faster again, what was planned comes back.
        """
        left = self.loop.clock.left(self.loop.reserve)
        if left < math.inf and self.pace.steps >= _SETTLED:
            remaining = self.pace.seconds(self.planned - self.done)
            share = 1.0 if remaining <= left else max(left, 0.0) / remaining
            self.total = max(self.done + int((self.planned - self.done) * share), 1)

    def _tell_shortened(self) -> None:
        if self.total >= 0.97 * self.planned:
            return
        finding = slower_finding(self.done / self.planned)
        self.result.findings.append(finding)
        self.progress.say(finding.message)

    def _tell(self) -> None:
        recent = self.losses[-20:]
        loss = sum(recent) / len(recent)
        self.progress.step(
            min(self.done, self.total), self.total, say(f"loss {loss:.3f}", f"损失 {loss:.3f}")
        )

    def _judge(self) -> None:
        start = time.monotonic()
        self.model.train(False)
        # With nothing to choose on, the latest weights are the best ones.
        nothing = {"score": float(self.epoch)}
        outputs = self.outputs(self.valid) if len(self.valid) else None
        figures = dict(self.judge(outputs)) if outputs is not None else nothing
        self.pace.judging = time.monotonic() - start
        rank = (figures["score"], -figures.get("loss", 0.0))
        if rank > self.best_rank:
            self.best_rank, self.stale = rank, 0
            self.best = self.optimiser.weights()
            self.result.best, self.result.outputs = figures["score"], outputs
        else:
            self.stale += 1
        record = {
            "epoch": float(self.epoch),
            "seconds": self.loop.clock.elapsed,
            "train_loss": float(np.mean(self.losses)) if self.losses else math.nan,
            **{f"valid_{name}": value for name, value in figures.items() if name != "score"},
        }
        self.losses.clear()
        self.result.history.append(record)
        self.progress.say(
            say(
                f"Pass {self.epoch} of {self.result.plan.epochs}: ",
                f"第 {self.epoch}/{self.result.plan.epochs} 轮：",
            )
            + ", ".join(f"{k} {v:.4g}" for k, v in record.items() if k not in ("epoch", "seconds"))
        )

    def outputs(self, examples: Material) -> NDArray[np.float32]:
        """(n, k) in the examples' order."""
        found = np.zeros((0, 0), dtype=np.float32)
        with torch.inference_mode():
            for rows, batch in in_order(examples, self.recipe.tokens * 2, self.recipe.pad):
                answers = self.model.outputs(batch).numpy()
                if not found.size:
                    found = np.zeros((len(examples), answers.shape[1]), dtype=np.float32)
                found[rows] = answers
        return found

    def _facts(self) -> dict[str, JsonValue]:
        return {
            "key": self.loop.key,
            "epoch": self.epoch,
            "place": self.place,
            "done": self.done,
            "total": self.total,
            "stale": self.stale,
            "rank": list(self.best_rank) if self.best else None,
            "losses": self.losses,
            "seconds": self.loop.clock.elapsed,
            "plan": asdict(self.result.plan),
            "history": self.result.history,
            "findings": [finding.to_json() for finding in self.result.findings],
        }

    def _save(self) -> None:
        begun = time.monotonic()
        tensors = {
            "weights": self.optimiser.weights(),
            "moments": self.optimiser.state(),
            "random": {"torch": torch.get_rng_state()},
        }
        if self.best:
            tensors["best"] = self.best
            if self.result.outputs is not None:
                tensors["outputs"] = {"best": torch.from_numpy(self.result.outputs)}
        save_checkpoint(self.loop.folder, Checkpoint(tensors, self._facts()))
        self.saved = time.monotonic()
        self.saving = self.saved - begun

    def _resume(self) -> bool:
        kept = load_checkpoint(self.loop.folder)
        if kept is None:
            return False
        facts = kept.facts
        if facts.get("key") != self.loop.key:
            drop_checkpoint(self.loop.folder)
            return False
        self.optimiser.load_weights(kept.tensors["weights"])
        self.optimiser.load_state(kept.tensors["moments"])
        torch.set_rng_state(kept.tensors["random"]["torch"])
        self.epoch, self.place = int(facts["epoch"]), int(facts["place"])
        self.done, self.total = int(facts["done"]), int(facts["total"])
        self.stale, self.losses = int(facts["stale"]), list(facts["losses"])
        if facts["rank"]:
            self.best_rank = (facts["rank"][0], facts["rank"][1])
            self.best = dict(kept.tensors["best"])
            self.result.best = facts["rank"][0]
            if "outputs" in kept.tensors:
                self.result.outputs = kept.tensors["outputs"]["best"].numpy()
        self.result.plan = Plan(**facts["plan"])
        self.result.history = list(facts["history"])
        self.result.findings = [Finding(**finding) for finding in facts["findings"]]
        self.loop.clock.add(float(facts["seconds"]))
        self.progress.say(
            say(
                f"Going on from a checkpoint in pass {self.epoch + 1} of "
                f"{self.result.plan.epochs}.",
                f"从检查点继续：第 {self.epoch + 1}/{self.result.plan.epochs} 轮。",
            )
        )
        return True


def _first_rows(examples: Material, rows: int, seed: int) -> Material:
    """`rows` of the examples, drawn by seed, in their order; all of them when none is left out."""
    if rows >= len(examples):
        return examples
    drawn = np.random.default_rng(seed).permutation(len(examples))[:rows]
    return examples.take(np.sort(drawn).astype(np.int64))
