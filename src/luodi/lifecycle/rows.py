"""The stages that make rows to trust: collect, inspect, prepare, split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    RESERVED,
    DataError,
    Dataset,
    Finding,
    LeakError,
    Mistake,
    Parts,
    Progress,
    ProjectError,
    Role,
    Schema,
    SplitSettings,
    Task,
    recording,
    say,
    worded,
)
from luodi.lifecycle.columns import lost_headers, unknown_columns, with_roles
from luodi.lifecycle.correcting import corrected
from luodi.lifecycle.costs import check_costs
from luodi.lifecycle.lineage import Lineage, Origin, mended, origin, short_findings
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.privacy import crowd_findings, hiding_key
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import Cut
from luodi.lifecycle.unlearnt import unlearnt_classes
from luodi.project.sources import headed_by, hide_password

if TYPE_CHECKING:
    import polars as pl

    from luodi.data.clean import Inspection
    from luodi.data.preparation import Preparation
    from luodi.data.sketch import Hide

PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Raw:
    """The tables as collected, with roles, and what was noticed on the way."""

    data: Dataset
    test: Dataset | None
    valid: Dataset | None
    findings: Sequence[Finding]
    fingerprints: Mapping[str, str]
    origins: Sequence[Origin] = ()


@dataclass(frozen=True)
class Clean:
    """What is left after cleaning, with an account of every row that went."""

    data: Dataset
    test: Dataset | None
    valid: Dataset | None
    findings: Sequence[Finding]
    counts: Mapping[str, Any]
    profile: Sequence[Mapping[str, Any]]
    preparation: Preparation
    key: Mapping[str, Any] = field(default_factory=dict)


def collect(run: RunPlace) -> Raw:
    """Read every source, give columns their roles, and take fingerprints."""
    from luodi.data.fetching import Access
    from luodi.data.fingerprint import fingerprint
    from luodi.data.sources import collect as read_source
    from luodi.data.store import Store

    progress = run.observer.begin("collect")
    data = run.project.data
    tables: dict[str, Dataset] = {}
    findings: list[Finding] = []
    prints: dict[str, str] = {}
    origins: list[Origin] = []
    mistakes: list[Mistake] = []
    access = Access(run.home, run.project.root, data.allow_private)
    for name, source in (("data", data.source), ("test", data.test), ("valid", data.valid)):
        if source is None:
            continue
        sample = data.sample if name == "data" else None
        with recording():  # what is noticed is kept with what `prepare` finds
            collected = read_source(source, run.project.root, progress, access, sample, data.header)
        findings += collected.findings
        names = [column for column in collected.table.columns if column not in RESERVED]
        shown = hide_password(str(source))
        if unknown := unknown_columns(run.project, name, shown, names):
            mistakes += [*unknown, *lost_headers(run.project, collected.findings)]
        if not mistakes:
            tables[name] = with_roles(run, _rolled(run, name, collected.table), shown)
        prints[name] = fingerprint(collected.table)
        Store(run.home).remember(collected.table, prints[name], _hide(run))
        labels, line = data.columns.get(Role.LABEL, ()), headed_by(source, data.header)
        origins.append(origin(name, shown, collected, prints[name], labels, line))
    if mistakes:
        raise ProjectError(str(run.project.path), mistakes)
    with recording():
        tables["data"], corrections, decided = corrected(run, tables["data"])
    prints |= {item.table: item.fingerprint for item in decided}
    findings, origins = findings + corrections, origins + decided
    official = tables.get("test"), tables.get("valid")
    return Raw(tables["data"], *official, findings, prints, origins)


def _hide(run: RunPlace) -> Hide | None:
    """What takes personal data out of values that are kept, where the project hides any."""
    from luodi.data.masking import hiding

    hiding_key(run)  # the models that find names are fetched before they are asked
    step = hiding(run.project.data.clean)
    return None if step is None else step.texts


def _rolled(run: RunPlace, name: str, table: pl.DataFrame) -> pl.DataFrame:
    """The table as it came, or its histories; of an official test table what is to be judged."""
    history = run.project.data.history
    if history is None:
        return table
    from luodi.data.histories import roll

    if run.project.data.sample is not None:
        raise DataError(
            say(
                "data.sample and data.history are both set.",
                "同时设置了 data.sample 与 data.history。",
            ),
            say("A history needs all of its rows.", "历史需要全部行。"),
            say("Remove data.sample.", "请去掉 data.sample。"),
        )
    return roll(table, history, last_only=name == "test" and history.judge == "last")


def inspect(run: RunPlace, raw: Raw) -> Inspection:
    """Copies, conflicts, empty rows, and what the task itself cannot live with."""
    from luodi.data.clean import inspect as inspect_rows

    hiding_key(run)  # the models that find names are fetched before they are asked
    progress = run.observer.begin("inspect")
    return inspect_rows(
        raw.data, run.task.content(raw.data), run.project.data.clean, progress=progress
    )


def prepare(run: RunPlace, raw: Raw) -> Clean:
    """Drop, mask and keep together, as the project file says; every row is accounted for.

    Raises:
        DataError: when a finding forbids to go on.
        ProjectError: when the costs do not fit the labels.
    """
    project = run.project
    inputs = {
        "fingerprints": dict(raw.fingerprints),
        "columns": {role: list(names) for role, names in project.data.columns.items()},
        "clean": asdict(project.data.clean),
        "split": [project.data.split.group, project.data.split.time],
        "question": {
            "kinds": dict(project.data.kinds),
            "labels": list(project.data.labels),
            "leaks": list(project.data.leaks.allow),
            "positive": project.data.positive,
            "favourable": project.data.favourable,
        },
        "history": project.data.history and asdict(project.data.history),
        "anonymity": project.data.anonymity and vars(project.data.anonymity),
        "personal": hiding_key(run),
        "task": project.task,
        "code": code_version("luodi.data", package_of(run.task)),
    }
    folder = run.stages.run("prepare", inputs, partial(_prepare, run, raw))
    clean = _read_clean(run, raw, folder, inputs)
    check_costs(project, clean.data)
    return clean


def _prepare(run: RunPlace, raw: Raw, folder: Path, progress: Progress) -> None:
    from luodi.data.clean import prepare as prepare_rows
    from luodi.data.profile import profile
    from luodi.lifecycle.noticing import noticed, worst_first

    clean = run.project.data.clean
    task = run.task
    asked = list(task.inspect(raw.data, clean))
    refuse(asked)
    data = raw.data
    inspection = inspect(run, raw)
    official = [
        (part, None if part is None else task.content(part)) for part in (raw.test, raw.valid)
    ]
    prepared = prepare_rows(data, inspection, clean, *official[0], *official[1])
    cards = profile(data.table)
    findings = noticed(raw, [*raw.findings, *asked, *prepared.findings], cards, clean)
    findings += crowd_findings(run, prepared.data)
    label = class_column(data, task)
    for name, part in (("test", prepared.test), ("valid", prepared.valid)):
        findings += unlearnt_classes(prepared.data, part, name, label, task.content)
    if not _same_rows(prepared.data, data):
        refuse(list(task.inspect(prepared.data, clean)))
    prepared.data.table.write_parquet(folder / "data.parquet")
    for name, part in (("test", prepared.test), ("valid", prepared.valid)):
        if part is not None:
            part.table.write_parquet(folder / f"{name}.parquet")
    write_json(
        folder / "facts.json",
        {
            "counts": dict(prepared.counts),
            "findings": [finding.to_json() for finding in worst_first(findings)],
            "profile": [column.to_json() for column in cards],
            "preparation": prepared.preparation.to_json(),
        },
    )


def _same_rows(prepared: Dataset, data: Dataset) -> bool:
    """Whether cleaning changed nothing that a task could say something new of."""
    names = data.table.columns
    return prepared.roles == data.roles and prepared.table.select(names).equals(data.table)


def refuse(findings: Sequence[Finding]) -> None:
    """Stop where a finding forbids to go on.

    Raises:
        LeakError: columns give the label away.
        DataError: anything else; both with the findings' own words and remedies.
    """
    from luodi.data.leaks import CODE

    fatal = [finding for finding in findings if finding.severity == "error" and not finding.handled]
    if fatal:
        leaks = all(finding.code == CODE for finding in fatal)
        raise (LeakError if leaks else DataError)(
            " ".join(finding.message for finding in fatal),
            "",
            " ".join(finding.remedy for finding in fatal),
        )


def _read_clean(run: RunPlace, raw: Raw, folder: Path, key: Mapping[str, Any]) -> Clean:
    import polars as pl

    from luodi.data.preparation import Preparation

    facts = worded(read_json(folder / "facts.json"))

    def part(name: str) -> Dataset | None:
        path = folder / f"{name}.parquet"
        return replace(raw.data, table=pl.read_parquet(path)) if path.exists() else None

    return Clean(
        data=replace(raw.data, table=pl.read_parquet(folder / "data.parquet")),
        test=part("test"),
        valid=part("valid"),
        findings=[Finding(**item) for item in facts["findings"]],
        counts=facts["counts"],
        profile=facts["profile"],
        preparation=Preparation.from_json(facts["preparation"]),
        key=key,
    )


def split(run: RunPlace, raw: Raw, clean: Clean) -> Cut:
    """Deal the rows out; no near-copy straddles two parts; then keep to `data.limit`."""
    from luodi.data.fingerprint import fingerprint
    from luodi.data.store import Store

    data = run.project.data
    settings = split_settings(run, clean.data)
    inputs = {"clean": dict(clean.key), "split": vars(settings), "limit": data.limit}
    folder = run.stages.run("split", inputs, partial(_split, run, raw, clean))
    parts = _read_parts(folder, raw)
    prints = {name: fingerprint(getattr(parts, name).table) for name in PARTS}
    kept, store = fingerprint(clean.data.table), Store(run.home)
    hide = _hide(run)
    store.remember(clean.data.table, kept, hide)
    for name in PARTS:
        store.remember(getattr(parts, name).table, prints[name], hide)
    schema = _schema(run, parts)
    dropped = read_json(folder / "dropped.json")
    lineage = Lineage(
        raw.origins,
        short_findings(clean.findings),
        mended(clean.counts, kept),
        {name: {"rows": getattr(parts, name).rows, "fingerprint": prints[name]} for name in PARTS},
        dropped,
    )
    return Cut(
        parts=parts,
        schema=schema,
        taught=parts,
        inner=schema,
        preparation=clean.preparation,
        key=folder.name,
        fingerprints={**raw.fingerprints, **{f"part:{name}": p for name, p in prints.items()}},
        lineage=lineage.to_json(),
        dropped=dropped,
    )


def split_settings(run: RunPlace, data: Dataset) -> SplitSettings:
    """The split may be told what to follow by `data.split` or by a column's role. Folds are dealt
    after it, and change nothing of it."""
    settings = replace(run.project.data.split, folds=None, nested=None)
    group, time = (next(iter(data.columns(role)), None) for role in (Role.GROUP, Role.TIME))
    return replace(settings, group=settings.group or group, time=settings.time or time)


def _split(run: RunPlace, raw: Raw, clean: Clean, folder: Path, progress: Progress) -> None:
    from luodi.data.split import limit
    from luodi.data.split import split as deal

    settings = split_settings(run, clean.data)
    stratify = class_column(clean.data, run.task)
    if clean.test is None and clean.valid is None:
        parts = run.task.split(clean.data, settings)
    else:
        parts = deal(
            clean.data, settings, stratify=stratify,
            test=clean.test, valid=clean.valid,
        )  # fmt: skip
    train, valid = parts.train, parts.valid
    official = sum(part.rows for part in (clean.test, clean.valid) if part is not None)
    dealt = train.rows + valid.rows + parts.test.rows
    assert dealt == clean.data.rows + official  # noqa: S101  # no row is lost, and none made
    rows = run.project.data.limit
    if rows is not None and rows < train.rows:
        # A team with few labels has few to choose on as well: both parts shrink alike.
        kept = max(2, round(valid.rows * rows / train.rows))
        if clean.valid is None:
            valid = limit(valid, max(kept, min(valid.rows, 100)), settings.seed, stratify)
        train = limit(train, rows, settings.seed, stratify)
    beyond = dealt - train.rows - valid.rows - parts.test.rows
    write_json(folder / "dropped.json", {"limit": beyond} if beyond else {})
    for name, part in zip(PARTS, (train, valid, parts.test), strict=True):
        part.table.write_parquet(folder / f"{name}.parquet")


def _read_parts(folder: Path, raw: Raw) -> Parts:
    import polars as pl

    return Parts(
        *(replace(raw.data, table=pl.read_parquet(folder / f"{name}.parquet")) for name in PARTS)
    )


def _schema(run: RunPlace, parts: Parts) -> Schema:
    """From every part: a label that only the test part knows is a question that counts.

    What a column holds is read off all parts as well, as a data dictionary would say it, and the
    parts must be read alike; which values it has is learnt from the training part alone.
    """
    import polars as pl

    together = pl.concat([getattr(parts, name).table for name in PARTS], how="diagonal_relaxed")
    whole = run.task.schema(replace(parts.train, table=together))
    return run.task.seen(whole, parts.train)


def class_column(data: Dataset, task: Task) -> str | None:
    """The label column where labels are classes: what a split is stratified by."""
    rule = task.roles.get(Role.LABEL)
    return data.column(Role.LABEL) if rule and rule.kind == "text" else None
