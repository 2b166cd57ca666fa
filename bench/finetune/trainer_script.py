"""A Transformers Trainer script, as one would write it: the peer that is measured.

Runs in the peers' environment, which has no Luodi:

    python -m bench.finetune.trainer_script FOLDER BASE --arguments JSON --began SECONDS ...

FOLDER holds train.csv and test.csv (columns text, label). Every setting that is not in --arguments
is the Trainer's own default, but for what a fair clock needs: nothing is saved (it would only
take the script time), nothing is reported, and the processor is used. The test rows are answered
at fixed intervals with the clock held. Prints one JSON document a line.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from bench.finetune.stopwatch import Stopwatch

_JUDGED_AT_ONCE = 64


def main() -> None:
    """Train as told; print the test accuracy at every look."""
    options = _options()
    whole = Stopwatch(options.began)
    torch.set_num_threads(options.threads)
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    arguments = _arguments(options)

    tokenizer = AutoTokenizer.from_pretrained(options.base)
    train, test = (_read(options.folder / name) for name in ("train.csv", "test.csv"))
    labels = sorted({label for _, label in train})
    train_rows, test_rows = (_features(rows, labels, tokenizer) for rows in (train, test))
    model = AutoModelForSequenceClassification.from_pretrained(options.base, num_labels=len(labels))
    collator = DataCollatorWithPadding(tokenizer)
    steps = -(-len(train_rows) // arguments.per_device_train_batch_size)
    look = _Look(test_rows, collator, options, whole, max(1, steps // options.looks))
    _print(
        event="started",
        versions={"torch": torch.__version__, "transformers": transformers.__version__},
        arguments={name: getattr(arguments, name) for name in _SHOWN},
        rows={"train": len(train), "test": len(test), "labels": len(labels)},
        steps_an_epoch=steps,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train_rows,
        data_collator=collator,
        callbacks=[look],
    )
    trainer.train()
    _print(event="ended", reached=look.reached, evaluation_seconds=whole.off)


_SHOWN = (
    "per_device_train_batch_size", "learning_rate", "num_train_epochs", "lr_scheduler_type",
    "warmup_steps", "weight_decay", "bf16", "train_sampling_strategy", "optim", "max_grad_norm",
)  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("base", type=Path)
    parser.add_argument("--arguments", type=json.loads, required=True)
    parser.add_argument("--began", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--until", type=float, default=math.inf)
    parser.add_argument("--looks", type=int, required=True)
    return parser.parse_args()


def _arguments(options: argparse.Namespace) -> TrainingArguments:
    chosen = dict(options.arguments)
    # Whoever tunes by hand sees at once that emulated bfloat16 is slower, and leaves it off.
    if chosen.get("bf16") and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        del chosen["bf16"]
    return TrainingArguments(
        output_dir=tempfile.mkdtemp(prefix="trainer-"),
        seed=options.seed,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **chosen,
    )


def _read(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


def _features(
    rows: Sequence[tuple[str, str]], labels: Sequence[str], tokenizer: Any
) -> list[dict[str, Any]]:
    numbers = {label: number for number, label in enumerate(labels)}
    encoded = tokenizer([text for text, _ in rows], truncation=True)
    return [
        {name: encoded[name][row] for name in encoded} | {"labels": numbers[label]}
        for row, (_, label) in enumerate(rows)
    ]


class _Look(TrainerCallback):
    """Answers the test rows every few steps, with the clocks held."""

    def __init__(
        self,
        rows: Sequence[dict[str, Any]],
        collator: Any,
        options: argparse.Namespace,
        whole: Stopwatch,
        every: int,
    ) -> None:
        # By length, so that looking is quick: it is off the clock, but not out of the day.
        self.rows = sorted(rows, key=lambda row: len(row["input_ids"]))
        self.collator, self.until, self.every = collator, options.until, every
        self.whole, self.training = whole, Stopwatch()
        self.reached = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.training = Stopwatch()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.every and state.global_step < state.max_steps:
            return
        seconds = {"train_seconds": self.training.seconds, "whole_seconds": self.whole.seconds}
        with self.training.held(), self.whole.held():
            accuracy = self._accuracy(kwargs["model"], args.bf16)
            _print(
                event="looked",
                step=state.global_step,
                epoch=state.epoch,
                accuracy=accuracy,
                **seconds,
            )
        if accuracy >= self.until:
            self.reached = control.should_training_stop = True

    def _accuracy(self, model: torch.nn.Module, bf16: bool) -> float:
        was_training, right = model.training, 0
        model.eval()
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            for start in range(0, len(self.rows), _JUDGED_AT_ONCE):
                batch = self.collator(self.rows[start : start + _JUDGED_AT_ONCE])
                truth = batch.pop("labels")
                right += int((model(**batch).logits.argmax(-1) == truth).sum())
        model.train(was_training)
        return right / len(self.rows)


def _print(**document: Any) -> None:
    print(json.dumps(document, default=str), flush=True)


if __name__ == "__main__":
    main()
