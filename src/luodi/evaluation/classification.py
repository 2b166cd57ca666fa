"""What a report shows of a classifier beyond its metrics. Any task whose answers are classes
can use it: rows come as texts that a person can read.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Answer, Bars, Classified, JsonValue, Lines, Matrix, Section, Table, say
from luodi.evaluation import by_group, cost, event
from luodi.evaluation.intervals import resample_weights
from luodi.evaluation.measure import divide, sum_by
from luodi.evaluation.metrics import confidence_bins, is_binary, totals
from luodi.evaluation.shares import share_cells
from luodi.evaluation.shorten import shorten

MATRIX_CLASSES = 20
"""A matrix of more classes than this is too small to read; the worst are shown."""
BINS = 10
"""Bins of the calibration plot: fewer than the metric's, so that each has rows."""


def sections(
    contents: Sequence[str],
    answers: Sequence[Answer],
    scored: Classified,
    level: float = 0.95,
    mistakes: int = 20,
) -> list[Section]:
    """The sections for n rows: classes, confusion, calibration, mistakes, texts cut short.

    Of two labels the second is the event: then calibration, curves, gains and costs are its.

    Args:
        contents: each row as a text to show; personal data already masked by the caller.
        answers: each row's answer; those with `truncated` set are counted by class.
        level: of the intervals by class.
        mistakes: how many of the most confident mistakes to show.
    """
    found: list[Section] = [by_class(scored, level), *confusion(scored)]
    if is_binary(scored):
        found += event.sections(scored, level)
    else:
        found += [*calibration(scored), *cost.sections(scored, level)]
    found += by_group.sections(scored, level)
    if (wrong := confident_mistakes(contents, scored, mistakes)).rows:
        found.append(wrong)
    cut = np.array([bool(answer.get("truncated")) for answer in answers], dtype=bool)
    if cut.any():
        found.append(truncated(scored, cut))
    return found


def by_class(scored: Classified, level: float, resamples: int = 1000, seed: int = 7) -> Table:
    """Precision, recall and F1 of each class, each with its bootstrap interval, and its rows."""
    k = len(scored.labels)
    point = totals(scored, scored.weight[None, :])
    measures = ("precision", "recall", "f1")
    drawn = {name: np.zeros((resamples, k)) for name in measures}
    for part, weights in resample_weights(scored, resamples, seed):
        sums = totals(scored, weights)
        # A resample without a single row of the class says nothing of it: not 0, but unknown.
        whole = {
            "precision": sums.predicted,
            "recall": sums.truth,
            "f1": sums.truth + sums.predicted,
        }
        for name in measures:
            drawn[name][part] = np.where(whole[name] > 0, getattr(sums, name), np.nan)
    # Rows that a measure rests on: the answers for precision, the truths for recall.
    answered = np.bincount(scored.predicted, minlength=k)
    support = np.bincount(scored.truth, minlength=k)
    rests_on = {"precision": answered, "recall": support, "f1": np.minimum(answered, support)}
    cells = {
        name: share_cells(getattr(point, name)[0], drawn[name], rests_on[name], level)
        for name in measures
    }
    order = np.argsort(point.f1[0], kind="stable")
    rows = [
        [scored.labels[c], *(cells[name][c] for name in measures), int(support[c])]
        for c in order
        if support[c] + answered[c]
    ]
    columns = [
        say("class", "类别"),
        say("precision", "精确率"),
        say("recall", "召回率"),
        "F1",
        say("rows", "行数"),
    ]
    note = say(
        f"Weakest class first; each with its {100 * level:.4g}% interval.",
        f"最弱的类别在前；各项附 {100 * level:.4g}% 置信区间。",
    )
    return Table(say("Class by class", "各类别表现"), columns, rows, note)


def confusion(scored: Classified) -> list[Section]:
    """Which class is taken for which: a matrix, of the worst classes when there are many."""
    k = len(scored.labels)
    counts = np.bincount(scored.truth * k + scored.predicted, minlength=k * k).reshape(k, k)
    wrong = counts * (1 - np.eye(k, dtype=np.int64))
    shown, note = np.arange(k), ""
    title = say("Confusion matrix", "混淆矩阵")
    if k > MATRIX_CLASSES:
        worst = np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")
        shown = np.sort(worst[:MATRIX_CLASSES])
        title = say(
            f"Confusion matrix: the {MATRIX_CLASSES} classes with most mistakes",
            f"混淆矩阵：错误最多的 {MATRIX_CLASSES} 个类别",
        )
        inside = int(wrong[np.ix_(shown, shown)].sum())
        note = say(
            f"{inside} of {int(wrong.sum())} mistakes are between these classes.",
            f"共 {int(wrong.sum())} 个错误，其中 {inside} 个发生在这些类别之间。",
        )
    labels = [scored.labels[c] for c in shown]
    matrix = Matrix(
        title,
        labels,
        labels,
        counts[np.ix_(shown, shown)].tolist(),
        say("truth", "真实类别"),
        say("answer", "模型回答"),
        note,
    )
    if k <= 5 or not wrong.any():
        return [matrix]
    return [_confused_pairs(scored, counts, wrong), matrix]


def _confused_pairs(
    scored: Classified, counts: NDArray[np.int64], wrong: NDArray[np.int64], limit: int = 15
) -> Table:
    k = len(scored.labels)
    pairs = [p for p in np.argsort(-wrong, axis=None, kind="stable")[:limit] if wrong.flat[p]]
    rows = [
        [
            scored.labels[p // k],
            scored.labels[p % k],
            int(wrong.flat[p]),
            {"share": float(wrong.flat[p] / counts[p // k].sum())},
        ]
        for p in pairs
    ]
    columns = [
        say("truth", "真实类别"),
        say("answer", "模型回答"),
        say("rows", "行数"),
        say("of the class", "占该类别"),
    ]
    return Table(say("Most confused", "最易混淆的类别"), columns, rows)


def calibration(scored: Classified) -> list[Section]:
    """How often answers of a stated confidence are right, and how many there are."""
    confidence = scored.probability[np.arange(scored.rows), scored.predicted]
    right = (scored.truth == scored.predicted).astype(float)
    bins = confidence_bins(confidence, BINS)
    sums = np.stack([scored.weight, scored.weight * confidence, scored.weight * right])
    weight, stated, true = sum_by(bins, BINS, sums)
    count = np.bincount(bins, minlength=BINS)
    # A class answered at random has confidence 1/k or more: lower bins are empty, not shown.
    there = np.flatnonzero(count)
    if not len(there):
        return []
    stated, true = divide(stated, weight), divide(true, weight)
    curve = [(float(stated[b]), float(true[b])) for b in there]
    edges = [f"{b / BINS:.1f}–{(b + 1) / BINS:.1f}" for b in range(BINS)]
    return [
        Lines(
            say("Calibration", "校准曲线"),
            say("stated probability", "模型给出的概率"),
            say("share that was right", "实际正确的比例"),
            {say("model", "模型"): curve},
            diagonal=True,
            note=say(
                "On the diagonal a stated 0.9 is right nine times in ten; under it the model "
                "is too sure of itself.",
                "落在对角线上表示说 0.9 时十次对九次；低于对角线表示模型过于自信。",
            ),
        ),
        Bars(
            say("Answers by stated probability", "各概率区间的回答数"),
            edges[there[0] :],
            count[there[0] :].astype(float).tolist(),
        ),
    ]


def confident_mistakes(contents: Sequence[str], scored: Classified, limit: int = 20) -> Table:
    """Wrong answers, the surest first: wrong labels in the data often stand here too."""
    confidence = scored.probability[np.arange(scored.rows), scored.predicted]
    wrong = np.flatnonzero(scored.truth != scored.predicted)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:limit]
    rows = [
        [
            shorten(contents[row]),
            scored.labels[scored.truth[row]],
            scored.labels[scored.predicted[row]],
            float(confidence[row]),
        ]
        for row in worst
    ]
    columns = [
        say("content", "内容"),
        say("truth", "真实类别"),
        say("answer", "模型回答"),
        say("probability", "概率"),
    ]
    note = say(
        "Look here for wrong labels as well as for what the model cannot do.",
        "这里既能看出模型的短板，也常能发现标错的数据。",
    )
    return Table(say("Most confident mistakes", "最自信的错误"), columns, rows, note)


def truncated(scored: Classified, cut: NDArray[np.bool_]) -> Table:
    """Rows whose content was longer than the model reads, by class; `cut` is (n,)."""
    k = len(scored.labels)
    count = np.bincount(scored.truth[cut], minlength=k)
    whole = np.bincount(scored.truth, minlength=k)
    rows: list[list[JsonValue]] = [
        [scored.labels[c], int(count[c]), int(whole[c]), {"share": float(count[c] / whole[c])}]
        for c in np.argsort(-count, kind="stable")
        if count[c]
    ]
    right = scored.truth == scored.predicted
    inside, outside = float(right[cut].mean()), float(right[~cut].mean()) if (~cut).any() else None
    note = say(
        f"Accuracy on texts cut short: {inside:.3f}",
        f"被截断文本的准确率：{inside:.3f}",
    )
    if outside is not None:
        note += say(f"; on the others: {outside:.3f}.", f"；其余文本：{outside:.3f}。")
    columns = [
        say("class", "类别"),
        say("cut short", "被截断"),
        say("rows", "行数"),
        say("share", "占比"),
    ]
    return Table(say("Texts cut short", "被截断的文本"), columns, rows, note)
