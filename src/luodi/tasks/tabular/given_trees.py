"""LightGBM's own text files, trained by somebody else: what they read, and how they are served."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from luodi.compression.parity import require_parity
from luodi.contracts import (
    BaseModelError,
    ColumnKind,
    Dataset,
    FitSettings,
    Foreign,
    JsonValue,
    say,
)
from luodi.tasks.given import adopted_finding, order_of, output_labels
from luodi.tasks.tabular.codes import Category, Code, Floats, Number
from luodi.tasks.tabular.encoder import Encoder
from luodi.tasks.tabular.fitting import TabularFitted, background_of, sample
from luodi.tasks.tabular.given_check import check_text
from luodi.tasks.tabular.given_fitting import decide_given, fields_of, require_kind
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor
from luodi.tasks.tabular.target import Classes, target_of
from luodi.tasks.tabular.trees import TreeScorer

KIND = "LightGBM text model"
_ORDER = "order.json"
_UNITS = {
    "binary": "log-odds", "cross_entropy": "log-odds", "multiclass": "log-odds",
    "regression": "value", "regression_l1": "value", "huber": "value", "fair": "value",
    "quantile": "value", "mape": "value",
    "poisson": "log-value", "gamma": "log-value", "tweedie": "log-value",
}  # fmt: skip
"""What a sum of leaves is, by the objective that the model was trained for."""
_TOLERANCE, _PARITY_ROWS = 1e-9, 200
_UNNAMED = re.compile(r"Column_\d+")


@dataclass(frozen=True)
class LightGbmText:
    """The head of a model's text.

    Attributes:
        names: of the columns, empty where they were never named.
        categories: for each column the values of a pandas category, in the order of their codes;
            None for a number.
        objective: with its parameters, such as `binary sigmoid:1`.
    """

    names: tuple[str, ...]
    categories: tuple[tuple[str, ...] | None, ...]
    objective: str

    @classmethod
    def read(cls, text: str, path: Path) -> Self:
        """From the text.

        Raises:
            BaseModelError: it is not LightGBM's, or of a kind that is not served.
        """
        head = dict(
            line.split("=", 1) for line in text.partition("\nTree=0")[0].splitlines() if "=" in line
        )
        names = head.get("feature_names", "").split()
        infos = head.get("feature_infos", "").split()
        if not text.startswith("tree") or not names or len(names) != len(infos):
            raise _refused(
                path,
                say("it is no LightGBM text.", "不是 LightGBM 文本模型。"),
                say("what booster.save_model writes", "booster.save_model 写出的文件"),
            )
        found = cls(
            tuple("" if _UNNAMED.fullmatch(name) else name for name in names),
            _categories(text, infos, path),
            head.get("objective", "regression"),
        )
        if found.objective.split()[0] not in _UNITS or " sqrt" in found.objective:
            raise _refused(
                path,
                say(f"its objective is {found.objective}.", f"其目标函数为 {found.objective}。"),
                say("one of ", "以下之一：") + ", ".join(_UNITS),
            )
        return found

    @property
    def classifies(self) -> bool:
        """Whether it answers with labels."""
        return self.unit == "log-odds"

    @property
    def unit(self) -> str:
        """What a sum of leaves is."""
        return _UNITS[self.objective.split()[0]]

    @property
    def outputs(self) -> int:
        """How many sums it makes of a row."""
        match = re.search(r"\bnum_class:(\d+)", self.objective)
        return int(match.group(1)) if match else 1

    @property
    def steepness(self) -> float:
        """What LightGBM multiplies a sum by before the logistic function."""
        match = re.search(r"\bsigmoid:([\d.eE+-]+)", self.objective)
        return float(match.group(1)) if match else 1.0

    def foreign(self) -> Foreign:
        """What it says of itself."""
        kinds: list[ColumnKind] = [
            "number" if values is None else "category" for values in self.categories
        ]
        return Foreign(KIND, tuple(zip(self.names, kinds, strict=True)))

    def encoder(self, fields: Sequence[str]) -> Encoder:
        """Its columns, by the fields that they are read from."""
        codes: list[Code] = [
            Number(field, "trees") if values is None else Category(field, "trees", values)
            for field, values in zip(fields, self.categories, strict=True)
        ]
        return Encoder(tuple(codes))


def _categories(text: str, infos: Sequence[str], path: Path) -> tuple[tuple[str, ...] | None, ...]:
    """Values of the categorical columns: pandas' are listed on the last line, in their order."""
    places = [
        place for place, info in enumerate(infos) if info != "none" and not info.startswith("[")
    ]
    line = re.search(r"^pandas_categorical:(.*)$", text, re.M)
    try:
        listed = (json.loads(line.group(1)) if line else None) or []
    except ValueError:
        listed = []
    found: list[tuple[str, ...] | None] = [None] * len(infos)
    if not listed:  # codes that the model's maker made: numbers to whoever asks
        return tuple(found)
    if len(listed) != len(places):
        raise _refused(
            path,
            say(
                f"{len(places)} columns are categorical, and pandas' categories are listed of "
                f"{len(listed)}.",
                f"有 {len(places)} 个类别列，却列出 {len(listed)} 个 pandas 类别。",
            ),
            say("as many of either", "两者数目相同"),
        )
    for place, values in zip(places, listed, strict=True):
        found[place] = tuple(map(_named, values))
    return tuple(found)


def _named(value: JsonValue) -> str:
    """A category as a request names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _refused(path: Path, found: str, expected: str) -> BaseModelError:
    return BaseModelError(
        say(f"{path} cannot be taken over: {found}", f"无法接管 {path}：{found}"),
        say(f"Expected {expected}.", f"应为{expected}。"),
    )


@dataclass(frozen=True)
class GivenTreeScorer(TreeScorer):
    """Trees whose sums stand in their maker's order.

    Attributes:
        order: (k,) which of several sums is of which label; empty for one sum.
    """

    order: tuple[int, ...] = ()

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""
        plain = TreeScorer.load(folder, threads)
        order = tuple(json.loads((folder / _ORDER).read_text("utf-8")))
        return cls(plain.trees, plain.unit, plain.base, plain.scale, plain.fill, order)

    def export(self, folder: Path) -> None:
        """As trees, and the order."""
        super().export(folder)
        (folder / _ORDER).write_text(json.dumps(self.order))

    def raw(self, matrix: Floats) -> Floats:
        """(n, f) -> (n,) or (n, k), in the question's order."""
        sums = super().raw(matrix)
        return sums[:, list(self.order)] if self.order else sums

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, f + 1) or (n, k, f + 1), in the question's order."""
        found = super().contributions(matrix)
        return found[:, list(self.order)] if self.order else found


class GivenTreePredictor(TabularPredictor):
    """Answers by somebody's trees."""

    scorer_type: ClassVar[type[Scorer]] = GivenTreeScorer


def given_scorer(
    text: str, head: LightGbmText, order: Sequence[int], threads: int
) -> GivenTreeScorer:
    """The trees as they are served.

    Args:
        order: which output stands for each label of the question; empty for numbers.
    """
    trees = Trees(text, threads)
    scale = head.steepness
    if trees.outputs == 1 and list(order) == [1, 0]:
        scale = -scale  # the model's event is the question's other label
    several = tuple(order) if trees.outputs > 1 else ()
    # A missing number is what LightGBM itself makes of it.
    fill = np.full(trees.features, np.nan)
    return GivenTreeScorer(trees, head.unit, np.zeros(trees.outputs), scale, fill, several)


def largest_difference(scorer: GivenTreeScorer, order: Sequence[int], matrix: Floats) -> float:
    """How far (n, f) rows' scores lie from what LightGBM's own package answers with."""
    import lightgbm

    booster: Any = lightgbm.Booster(model_str=scorer.trees.text)
    told = np.asarray(booster.predict(matrix), dtype=np.float64)
    if scorer.unit == "log-odds":
        pair = np.column_stack([1 - told, told]) if told.ndim == 1 else told
        told = pair[:, list(order)]
    return float(np.abs(scorer.score(matrix) - told).max(initial=0.0))


def adopt_trees(
    path: Path, text: str, train: Dataset, valid: Dataset, settings: FitSettings
) -> TabularFitted:
    """A LightGBM text as a model of the question.

    Raises:
        BaseModelError: it is of a kind that is not served.
        TrainingError: its columns or labels are not the question's, or it does not answer as
            LightGBM's own package does.
    """
    head = LightGbmText.read(text, path)
    check_text(text, path)
    encoder = head.encoder(fields_of(head.foreign().columns, settings))
    require_kind(head.classifies, settings.schema, KIND)
    target = target_of(settings.schema)
    order: list[int] = []
    if isinstance(target, Classes):
        asked = settings.options.get("labels")
        names = output_labels((), asked, head.outputs, target.labels)
        order = order_of(names, target.labels)
    scorer = given_scorer(text, head, order, settings.threads)
    parts = [sample(part, encoder, target, settings) for part in (train, valid)]
    some = np.concatenate([part.matrix[:_PARITY_ROWS] for part in parts])
    require_parity(largest_difference(scorer, order, some), _TOLERANCE)
    decision, told = decide_given(scorer.score(parts[1].matrix), valid, settings)
    return TabularFitted(
        encoder, scorer, decision, [], [adopted_finding(KIND, path.name), *told],
        background=background_of(parts[0].matrix, encoder, settings.seed),
    )  # fmt: skip
