"""What every model on tables that was trained elsewhere goes through: its fields, its decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from luodi.contracts import (
    Dataset,
    Finding,
    FitSettings,
    Schema,
    TrainingError,
    say,
)
from luodi.data.weights import row_weights
from luodi.tasks.tabular.calibrating import Judged
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.conformal import conformal_factor
from luodi.tasks.tabular.deciding import decide
from luodi.tasks.tabular.decision import Decision
from luodi.tasks.tabular.scale import Scale
from luodi.tasks.tabular.target import Classes, clusters_of, target_of
from luodi.tasks.tabular.values import ValueDecision, interval_findings

_READS = {"number": ("number", "boolean"), "category": ("category", "text", "date")}


def fields_of(columns: Sequence[tuple[str, str]], settings: FitSettings) -> list[str]:
    """The request's field for each column that the model reads, in its order.

    Raises:
        TrainingError: there are not as many, or a field is missing or of another kind.
    """
    names = settings.options.get("columns") or [name for name, _ in columns]
    kinds = {item.name: item.kind for item in settings.schema.request}
    if len(names) != len(columns) or not all(names):
        raise TrainingError(
            say(
                f"The model reads {len(columns)} columns and {len(names)} are named.",
                f"模型读取 {len(columns)} 列，已命名 {len(names)} 列。",
            ),
            "",
            say(
                "List them in its order: model.options.columns, or --column feature=a,b,...",
                "请按其顺序列出：model.options.columns，或 --column feature=a,b,...",
            ),
        )
    for name, (_, kind) in zip(names, columns, strict=True):
        if kinds.get(name) not in _READS[kind]:
            raise TrainingError(
                say(
                    f"The model reads the column {name} as a {kind}; the table has it as "
                    f"{kinds.get(name, 'nothing that could be learnt from')}.",
                    f"模型将列 {name} 读作 {kind}；表中为 {kinds.get(name, '不可用的列')}。",
                ),
                "",
                say(f"Set data.kinds.{name}: {kind}.", f"请设置 data.kinds.{name}: {kind}。"),
            )
    return list(names)


def require_kind(classifies: bool, schema: Schema, kind: str) -> None:
    """Refuse a model that answers with labels where a number is asked, and the other way.

    Raises:
        TrainingError: it does.
    """
    wanted = isinstance(target_of(schema), Classes)
    if classifies == wanted:
        return
    words = {True: say("labels", "标签"), False: say("numbers", "数值")}
    raise TrainingError(
        say(
            f"This {kind} answers with {words[classifies]}.",
            f"该模型（{kind}）给出的是{words[classifies]}。",
        ),
        say(f"The task asks for {words[wanted]}.", f"任务要求的是{words[wanted]}。"),
        say(
            "Use --task tabular-regression for numbers, tabular-classification for labels.",
            "数值用 --task tabular-regression，标签用 tabular-classification。",
        ),
    )


def decide_given(
    scores: Floats, valid: Dataset, settings: FitSettings
) -> tuple[Decision, list[Finding]]:
    """From (n, k) probabilities or (n,) values of the validation rows to a decision.

    Probabilities stay what they are unless a calibration is asked for by name: what was trained
    elsewhere is to answer as it did there.
    """
    target, question = target_of(settings.schema), valid.question
    weight, cluster = row_weights(valid), clusters_of(valid)
    if isinstance(target, Classes):
        if question.calibration == "auto":
            question = replace(question, calibration="none")
        chances = scores.reshape(-1, len(target.labels))
        judged = Judged(chances, target.truth(valid), weight, cluster)
        decided = decide(judged, target.labels, question, settings.seed)
        return decided.decision, [f for f in decided.findings if f.code != "calibration"]
    # Nothing here was chosen by these rows: all of them tell how wide an interval must be.
    errors = np.abs(target.truth(valid) - scores)
    factor, enough = conformal_factor(errors, cluster, weight, question.coverage)
    told = interval_findings(len(np.unique(cluster)), True, enough, question.coverage)
    return ValueDecision(factor, Scale()), told
