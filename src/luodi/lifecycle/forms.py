"""The stage that chooses a model's form: measured where it is packaged, held to the model it is
made from, and judged by the gate afterwards like everything else.

All of it happens on the validation part; what is calibrated is calibrated on the training part.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Compressible,
    Form,
    JsonValue,
    MissingPartError,
    Predictor,
    Progress,
    Section,
    Table,
    TrainingError,
    say,
    worded,
)
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.probing import Bench, Probe, calibration_requests, held_against
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json

if TYPE_CHECKING:
    from luodi.lifecycle.training import Cut, Trained

WORTH = 1.2
"""How many times as fast a form must be than the simpler one before it."""


@dataclass(frozen=True)
class Formed:
    """The files that are packaged, the form that they are in, and what was measured on how many
    rows of the validation part."""

    exported: Path
    form: Form | None
    probes: Sequence[Probe] = ()
    rows: int = 0

    @property
    def exact(self) -> bool:
        """Whether its numbers are whole ones, the same on every processor but for rounding."""
        return self.form is None or self.form.name == "float32"

    def to_json(self) -> dict[str, Any] | None:
        """As in result.json."""
        if self.form is None:
            return None
        probes = [asdict(probe) for probe in self.probes]
        return asdict(self.form) | {"rows": self.rows, "probes": probes}


def choose_form(
    run: RunPlace, trained: Trained, cut: Cut, baselines: Sequence[Trained] = ()
) -> Formed:
    """The fastest form that answers as the exported one does, of those that the project allows.

    Args:
        baselines: what the gate may want beaten, on the validation part too.

    Raises:
        TrainingError: when the project asks for a form that does not answer faithfully.
        MissingPartError: when it asks for a runtime that is not installed.
    """
    learner = run.task.learners[trained.recipe.learner]
    if not isinstance(learner, Compressible):
        return Formed(trained.exported, None)
    forms = _allowed(run, learner.forms())
    if forms == [learner.forms()[0]]:
        return Formed(trained.exported, forms[0])
    inputs: dict[str, JsonValue] = {
        "exported": trained.exported.parent.name,
        "forms": [str(form) for form in forms],
        **held_against(run, baselines),
        "code": code_version(
            "luodi.compression", "luodi.lifecycle.forms", "luodi.lifecycle.probing",
            package_of(learner),
        ),
    }  # fmt: skip
    work = partial(_probe_all, run, trained, cut, (forms, baselines))
    folder = run.stages.run("form", inputs, work)
    facts = worded(read_json(folder / "form.json"))
    probes = [Probe(**{**item, "form": Form(**item["form"])}) for item in facts["probes"]]
    exported = folder / "export" if facts["made"] else trained.exported
    formed = Formed(exported, Form(**facts["chosen"]), probes, facts["rows"])
    if formed.form != learner.forms()[0]:  # as it was exported: nothing was chosen over that
        run.observer.tell(_in_words(formed))
    return formed


def in_form(run: RunPlace, model: Trained, chosen: Trained, formed: Formed, cut: Cut) -> Formed:
    """What was learnt once more, in the form that was chosen while rows were still held out: on
    rows that a model has seen it is so sure that forms hardly differ.

    Args:
        model: what came of it; where nothing was learnt again, the chosen one.
        chosen: what `formed` was made of.
    """
    if model.exported == chosen.exported:
        return formed
    if formed.form is None or formed.exported == chosen.exported:
        return replace(formed, exported=model.exported)
    inputs: dict[str, JsonValue] = {
        "exported": model.exported.parent.name,
        "form": str(formed.form),
        "code": code_version("luodi.compression", package_of(_compressible(run, model))),
    }
    work = partial(_make, run, model, formed.form, cut)
    return replace(formed, exported=run.stages.run("form-refit", inputs, work) / "export")


def _make(
    run: RunPlace, model: Trained, form: Form, cut: Cut, folder: Path, progress: Progress
) -> None:
    shutil.rmtree(folder / "export", ignore_errors=True)
    some = calibration_requests(run, cut)
    _compressible(run, model).compress(model.exported, form, some, folder / "export")


def _compressible(run: RunPlace, model: Trained) -> Compressible:
    learner = run.task.learners[model.recipe.learner]
    assert isinstance(learner, Compressible)  # noqa: S101  # it has a form
    return learner


def _in_words(formed: Formed) -> str:
    by_form = {probe.form: probe for probe in formed.probes}
    chosen, first = by_form[formed.form or formed.probes[0].form], formed.probes[0]
    times = chosen.rows_a_second / first.rows_a_second
    pace = say(
        f"{times:.1f} times as fast as {first.form}, ", f"速度为 {first.form} 的 {times:.1f} 倍，"
    )
    if chosen is first:  # the one form that was asked for: nothing was tried beside it
        pace = ""
    return say(
        f"Served as {chosen.form}: {pace}{chosen.changed:.1%} of the validation answers changed.",
        f"以 {chosen.form} 部署：{pace}验证集上 {chosen.changed:.1%} 的答案有变化。",
    )


def _allowed(run: RunPlace, forms: Sequence[Form]) -> list[Form]:
    """The forms that the project file allows, of those that can be made here."""
    wanted = run.project.serve
    there = {form.runtime for form in forms}
    if wanted.runtime != "auto" and wanted.runtime not in there:
        raise MissingPartError(
            say(
                f"serve.runtime is {wanted.runtime}, which is not installed.",
                f"serve.runtime 为 {wanted.runtime}，但未安装。",
            ),
            say(f"There are: {', '.join(sorted(there))}.", f"已有：{'、'.join(sorted(there))}。"),
            f"pip install 'luodi[{wanted.runtime}]'",
        )
    found = [
        form
        for form in forms
        if wanted.form in ("auto", form.name) and wanted.runtime in ("auto", form.runtime)
    ]
    if not found:
        there_are = ", ".join(map(str, forms))
        raise MissingPartError(
            say(
                f"serve.form is {wanted.form}, which no runtime here can compute.",
                f"serve.form 为 {wanted.form}，此处没有运行时可以计算。",
            ),
            say(f"There are: {there_are}.", f"已有：{there_are}。"),
            "pip install 'luodi[openvino]'",
        )
    return found


def _probe_all(
    run: RunPlace,
    trained: Trained,
    cut: Cut,
    plan: tuple[Sequence[Form], Sequence[Trained]],
    folder: Path,
    progress: Progress,
) -> None:
    forms, baselines = plan
    shutil.rmtree(folder / "tried", ignore_errors=True)
    shutil.rmtree(folder / "export", ignore_errors=True)
    bench = Bench.of(run, trained, cut, baselines)
    tried: dict[Form, tuple[Path, Predictor]] = {}
    found: dict[Form, dict[str, Any]] = {}
    for done, form in enumerate(forms):
        progress.step(done, len(forms) + 1, str(form))
        try:
            path = bench.made(form, folder / "tried" / str(done))
            predictor = bench.predictor.load(path, 1)
            found[form] = bench.faithful(predictor) | {"memory": bench.weight(path, progress)}
            tried[form] = path, predictor
        except Exception as error:  # a library that cannot quantise this graph: a form less
            progress.say(say(f"{form} is left out: {error}", f"已跳过 {form}：{error}"))
    progress.step(len(forms), len(forms) + 1, say("timing", "计时"))
    paces = bench.timed([predictor for _, predictor in tried.values()])
    probes = [
        Probe(form, pace, **found[form], bytes=size_of(path))
        for (form, (path, _)), pace in zip(tried.items(), paces, strict=True)
    ]
    chosen = _fastest(probes, run.project.serve.form)
    path = tried[chosen.form][0]
    made = path != trained.exported
    if made:
        shutil.move(path, folder / "export")
    shutil.rmtree(folder / "tried", ignore_errors=True)
    facts = {
        "chosen": asdict(chosen.form), "made": made, "rows": len(bench.requests),
        "probes": [asdict(probe) for probe in probes],
    }  # fmt: skip
    write_json(folder / "form.json", facts)


def _fastest(probes: Sequence[Probe], wanted: str) -> Probe:
    """The fastest that may be chosen; a later, less simple one only where it is worth it."""
    chosen: Probe | None = None
    for probe in probes:
        if probe.refused:
            continue
        if chosen is None or probe.rows_a_second > chosen.rows_a_second * WORTH:
            chosen = probe
    if chosen is None:
        tried = "; ".join(f"{probe.form}: {probe.refused}" for probe in probes)
        raise TrainingError(
            say(
                f"No model in the form {wanted} answers as it must. {tried}",
                f"没有 {wanted} 形式的模型达到要求。{tried}",
            ),
            "",
            say("Set serve.form to auto or float32.", "请将 serve.form 设为 auto 或 float32。"),
        )
    return chosen


def size_of(folder: Path) -> int:
    """Bytes of all its files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def form_sections(formed: Formed) -> list[Section]:
    """The forms side by side, as a table of the report."""
    if not formed.probes:
        return []
    head = [
        say("Form", "形式"), say("Rows a second", "每秒行数"), say("Memory, MB", "内存（MB）"),
        say("Files, MB", "文件（MB）"), say("Score", "得分"), say("Answers changed", "答案变化"),
        say("Gate, on the validation part", "门槛（验证部分）"), say("Served", "部署"),
    ]  # fmt: skip
    note = say(
        f"Measured on {formed.rows} rows of the validation part, the speed on one thread; the "
        "gate's lines are held against it to compare the forms. The run's verdict is that of the "
        "test part, which was opened once, for the form that is served. Memory is that of a "
        "process with this model alone.",
        f"在验证部分的 {formed.rows} 行上测得，速度为单线程；门槛各项在此仅用于比较各形式。"
        "本次运行的结论以测试部分为准：测试部分只打开一次，用于最终部署的形式。"
        "内存为仅加载该模型的进程所占。",
    )
    rows = [_row(probe, probe.form == formed.form) for probe in formed.probes]
    return [Table(say("Forms of the model", "模型的各种形式"), head, rows, note)]


def _row(probe: Probe, chosen: bool) -> list[JsonValue]:
    failed = [line["reason"] for line in probe.gate.get("lines", ()) if not line["passed"]]
    gate = say("holds", "满足") if not failed else str(failed[0])
    may = probe.refused or say("could be", "可选")
    return [
        str(probe.form), round(probe.rows_a_second), round(probe.memory / 1e6) or None,
        round(probe.bytes / 1e6, 1), probe.score, f"{probe.changed:.1%}", gate,
        say("yes", "是") if chosen else may,
    ]  # fmt: skip
