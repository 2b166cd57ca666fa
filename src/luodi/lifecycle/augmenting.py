"""The stage that makes rows for the training part, and measures whether they helped."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Dataset,
    Finding,
    FitSettings,
    Fitted,
    JsonValue,
    Parts,
    Progress,
    Quiet,
    Scored,
    Section,
    Table,
    say,
    worded,
)
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import Recipe, baseline_recipes, recipes
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import Cut, fit_and_export, fit_settings, predict_part

if TYPE_CHECKING:
    from luodi.evaluation.paired import Paired

CHEAP_SECONDS = 60.0
"""What a learner may take, with and without made rows together, to be the one that measures the
gain; a costlier one leaves that to the task's plain learner."""


def augment(run: RunPlace, cut: Cut) -> Cut:
    """The cut with made rows in what a learner learns from, and what they gained.

    The validation and the test part stay as they are. Nothing is done, and no stage run, where the
    project asks for nothing.

    Raises:
        DataError: when the table has nothing of the kind that is to be made.
    """
    wanted = run.project.data.augment
    if not wanted.asked:
        return cut
    judge, chosen = judge_of(run, cut)
    inputs: dict[str, JsonValue] = {
        "parts": cut.key,
        "augment": asdict(wanted),
        "seed": run.project.model.seed,
        "judge": asdict(judge),
        "threads": run.threads,
        "code": code_version(
            "luodi.data", "luodi.evaluation", package_of(run.task.learners[judge.learner])
        ),
    }
    folder = run.stages.run("augment", inputs, partial(_augment, run, cut, judge, chosen))
    return _read(folder, cut)


def judge_of(run: RunPlace, cut: Cut) -> tuple[Recipe, bool]:
    """Who measures the gain, and whether it is the learner that was chosen."""
    wanted = recipes(run.project, run.task)
    plain = baseline_recipes(run.task)[-1]
    if len(wanted) != 1:
        return plain, False
    [recipe] = wanted
    learner = run.task.learners[recipe.learner]
    settings = fit_settings(run, recipe, cut, run.folder)
    seconds = 2 * learner.estimate(cut.taught.train, settings).seconds
    return (recipe, True) if seconds <= CHEAP_SECONDS else (plain, recipe.learner == plain.learner)


def _augment(
    run: RunPlace, cut: Cut, judge: Recipe, chosen: bool, folder: Path, progress: Progress
) -> None:
    from luodi.data.augment.rows import augment as make

    seed = run.project.model.seed
    made = make(cut.taught, run.project.data.augment, seed, run.project.root, progress)
    made.train.table.write_parquet(folder / "train.parquet")
    richer = replace(cut, taught=replace(cut.taught, train=made.train))
    scored = {"without": _score(run, judge, cut, folder / "without")}
    scored["with"] = (
        _score(run, judge, richer, folder / "with")
        if made.train.rows > cut.taught.train.rows
        else scored["without"]  # nothing had to be made: the same fit once more
    )
    gain = _gain(run, scored["with"], scored["without"])
    write_json(
        folder / "made.json",
        {
            **made.to_json(),
            "real": cut.taught.train.rows,
            "judge": judge.learner,
            "chosen": chosen,
            "gain": gain.to_json(),
            "values": {name: _value(run, one) for name, one in scored.items()},
        },
    )


def _score(run: RunPlace, judge: Recipe, cut: Cut, folder: Path) -> Scored:
    """The judge's answers to the validation part, after learning from this cut's training part."""
    learner = run.task.learners[judge.learner]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def fit(settings: FitSettings) -> Fitted:
        return learner.fit(cut.taught.train, cut.taught.valid, settings, Quiet())

    fit_and_export(run, judge, cut, folder, fit)
    answers = predict_part(run, judge.learner, folder / "export", cut.taught.valid, cut.inner)
    shutil.rmtree(folder)
    return run.task.score(cut.parts.valid, answers, cut.schema)


def _value(run: RunPlace, scored: Scored) -> float:
    from luodi.evaluation.intervals import points

    metric = run.task.metrics[0]
    return points(scored, [metric])[metric.name]


def _gain(run: RunPlace, richer: Scored, plain: Scored) -> Paired:
    from luodi.evaluation.paired import compare

    return compare(richer, plain, run.task.metrics[0], seed=run.project.model.seed)


def _read(folder: Path, cut: Cut) -> Cut:
    import polars as pl

    facts = worded(read_json(folder / "made.json"))
    train = Dataset(pl.read_parquet(folder / "train.parquet"), cut.taught.train.roles)
    train = replace(cut.taught.train, table=train.table)
    taught = Parts(train, cut.taught.valid, cut.taught.test)
    return replace(cut, taught=taught, key=folder.name, augmentation=facts)


@dataclass(frozen=True)
class _Told:
    """What the facts of the stage say."""

    facts: Mapping[str, Any]

    @property
    def gain(self) -> Paired:
        from luodi.evaluation.paired import Paired

        return Paired.from_json(self.facts["gain"])

    @property
    def count(self) -> int:
        """Rows that were made."""
        counts = self.facts["counts"]
        return int(sum(counts.values()) - counts.get("same", 0))

    @property
    def made(self) -> str:
        counts = self.facts["counts"]
        texts, rows = counts.get("texts"), counts.get("rows")
        en = [f"{texts} changed texts"] * (texts is not None) + [f"{rows} made rows"] * (
            rows is not None
        )
        zh = [f"{texts} 条改写文本"] * (texts is not None) + [f"{rows} 行生成数据"] * (
            rows is not None
        )
        return say(" and ".join(en), "和".join(zh))

    @property
    def verdict(self) -> str:
        if not self.count:
            return say("None had to be made: all is even as it is.", "数据已均衡，无需生成。")
        gain = self.gain
        metric, value = gain.metric, f"{gain.difference:+.4f}"
        sign = 1 if gain.higher_is_better else -1
        if gain.better:
            return say(f"They gained {value} {metric}.", f"{metric} 提高了 {value}。")
        if sign * (gain.high if sign > 0 else gain.low) < 0:
            return say(
                f"They did harm: {value} {metric}. Leave data.augment out.",
                f"效果变差：{metric} {value}。建议去掉 data.augment。",
            )
        return say(
            f"They gained nothing that stands out from chance ({value} {metric}).",
            f"没有超出偶然的提升（{metric} {value}）。",
        )

    @property
    def judge(self) -> str:
        name = self.facts["judge"]
        if self.facts["chosen"]:
            return say(f"Measured by the learner {name}.", f"由学习器 {name} 测得。")
        return say(
            f"Measured by the learner {name}, since the chosen one would take too long to train "
            "twice more.",
            f"由学习器 {name} 测得；所选学习器再训练两次耗时过长。",
        )


def augmentation_findings(cut: Cut) -> Sequence[Finding]:
    """What was made, what it gained on the validation part, and how near it lies to real rows."""
    if not cut.augmentation:
        return []
    told = _Told(cut.augmentation)
    findings = [
        Finding(
            "augmentation",
            "info" if told.gain.better or not told.count else "warning",
            told.count,
            say(
                f"The training part has {told.made} beside its {cut.augmentation['real']} rows. ",
                f"训练部分除 {cut.augmentation['real']} 行真实数据外，另有{told.made}。",
            )
            + told.verdict,
            details={**cut.augmentation["counts"], "gain": cut.augmentation["gain"]},
            handled=told.judge,
        )
    ]
    if (privacy := cut.augmentation["privacy"]) and privacy["suspicious"]:
        findings.append(
            Finding(
                "made-rows-near",
                "warning",
                privacy["copies"],
                say(
                    f"Made rows lie nearer to training rows than strangers do: {privacy['copies']} "
                    f"are copies, and {privacy['nearer']:.0%} lie nearer to a training row than to "
                    "a held-out one.",
                    f"生成行比陌生行更接近训练行：{privacy['copies']} 行为副本，"
                    f"{privacy['nearer']:.0%} 离训练行比离留出行更近。",
                ),
                remedy=say(
                    "Train the network for fewer epochs, and do not pass the rows on.",
                    "请减少训练轮数，且不要对外提供这些行。",
                ),
                details=privacy,
            )
        )
    return findings


def augmentation_sections(cut: Cut) -> Sequence[Section]:
    """The same as tables of the report."""
    if not cut.augmentation:
        return []
    told = _Told(cut.augmentation)
    gain, values = told.gain, cut.augmentation["values"]
    head = [
        say("Metric", "指标"), say("Without", "不增强"), say("With", "增强后"),
        say("Difference", "差值"), say("p-value", "p 值"),
    ]  # fmt: skip
    interval = {"value": gain.difference, "low": gain.low, "high": gain.high}
    difference = f"{interval['value']:+.4f} [{interval['low']:+.4f}, {interval['high']:+.4f}]"
    sections: list[Section] = [
        Table(
            say("What made rows gained on the validation part", "数据增强在验证部分上的收益"),
            head,
            [[gain.metric, values["without"], values["with"], difference, gain.p_value]],
            f"{told.verdict} {told.judge} "
            + say(
                "Paired on the same validation rows, same seed.", "同一验证行、同一种子配对比较。"
            ),
        )
    ]
    if privacy := cut.augmentation["privacy"]:
        sections.append(_privacy(privacy))
    return sections


def _privacy(privacy: Mapping[str, Any]) -> Table:
    return Table(
        say("How near made rows lie to training rows", "生成行与训练行的距离"),
        [
            say("Rows", "行"), say("Number", "数量"), say("Median distance", "距离中位数"),
            say("5 % quantile", "5% 分位数"), say("Copies", "副本"),
        ],
        [
            [
                say("Made", "生成"), privacy["made"], privacy["made_median"], privacy["made_low"],
                privacy["copies"],
            ],
            [
                say("Held out, real", "留出的真实数据"), privacy["held"], privacy["held_median"],
                privacy["held_low"], privacy["held_copies"],
            ],
        ],
        say(
            f"Distance to the closest training row (Gower: 0 a copy, 1 another in everything). "
            f"{privacy['nearer']:.0%} of the made rows lie nearer to a training row than to any of "
            "as many held-out ones; half do by chance.",
            f"到最近训练行的 Gower 距离（0 为副本，1 为全不相同）。{privacy['nearer']:.0%} "
            "的生成行离训练行比离同样多的留出行更近；偶然情况下为一半。",
        ),
    )  # fmt: skip
