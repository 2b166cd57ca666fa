"""Everything that a report shows, as one record: the page, the console and programs read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from luodi.contracts import (
    Bars,
    Finding,
    Interval,
    JsonValue,
    Language,
    Lines,
    Matrix,
    Section,
    Table,
)
from luodi.evaluation.gate import Verdict
from luodi.evaluation.paired import Paired
from luodi.evaluation.plain import numbers, plain

INTERVAL = ("value", "low", "high", "level")

VERSION = 1
"""Raised when a report written before can no longer be read as it is."""

_SECTIONS: dict[str, type[Section]] = {kind.kind: kind for kind in (Table, Lines, Bars, Matrix)}


@dataclass(frozen=True)
class Baseline:
    """A baseline's metrics on the same test rows, and the model held against it.

    `paired` is None where the model is this baseline itself.
    """

    metrics: Mapping[str, Interval]
    paired: Paired | None = None


@dataclass(frozen=True)
class Leak:
    """What a careless split would have claimed, against what the honest one measures.

    Both by the same plain learner, so that the split alone makes the difference.
    """

    metric: str
    careless: Interval
    honest: Interval
    explanation: str
    learner: str = "linear"


@dataclass(frozen=True)
class Report:
    """One run's evidence.

    Attributes:
        name: of the project; `task` its kind of question.
        created: ISO 8601 time with its offset.
        run: the run's id; `digest` the bundle's whole digest, `version` its short name.
        model: what is judged: learner, base, bundle_bytes, budget, and whatever else is known.
        licences: part that others made -> its licence.
        openings: how often this test part has been opened, this time included.
        level: that each interval was asked to hold at, all openings together.
        baselines: name -> its metrics and the comparison, the plainest first.
        data: counts: rows, duplicates, near_duplicates, conflicts, empty, train, valid, test.
        dropped: reason -> rows.
        columns: a profile a column.
        split: what describes the split: how, seed, shares.
        candidates: what was tried: learner, value (on the validation part), seconds, chosen.
        history: training curves, a record an epoch.
        truncated: test rows longer than the model reads.
        seconds: stage -> seconds.
        environment: package -> version.
        next_command: what to type now.
    """

    name: str
    task: str
    language: Language
    created: str
    run: str
    verdict: Verdict
    metrics: Mapping[str, Interval]
    digest: str = ""
    version: str = ""
    model: Mapping[str, JsonValue] = field(default_factory=dict)
    licences: Mapping[str, str] = field(default_factory=dict)
    openings: int = 1
    level: float = 0.95
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    data: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    columns: Sequence[Mapping[str, JsonValue]] = ()
    split: Mapping[str, JsonValue] = field(default_factory=dict)
    leak: Leak | None = None
    candidates: Sequence[Mapping[str, JsonValue]] = ()
    history: Sequence[Mapping[str, float]] = ()
    sections: Sequence[Section] = ()
    truncated: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    next_command: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """The report as plain JSON values; NaN and infinities become null."""
        value = {f.name: getattr(self, f.name) for f in fields(self)}
        value["sections"] = [section_to_json(section) for section in self.sections]
        found: dict[str, JsonValue] = plain({"report": VERSION, **value})
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Report:
        """The report that `to_json` wrote. Fields that it does not know are passed over.

        Raises:
            KeyError, TypeError, ValueError: when it is no report, or of a later version.
        """
        if value["report"] > VERSION:
            raise ValueError(f"report of version {value['report']}; this reads up to {VERSION}")
        known = {f.name for f in fields(cls)}
        read: dict[str, Any] = {name: item for name, item in value.items() if name in known}
        read["verdict"] = Verdict.from_json(value["verdict"])
        read["metrics"] = _intervals(value["metrics"])
        read["baselines"] = {
            name: Baseline(
                _intervals(item["metrics"]),
                Paired.from_json(item["paired"]) if item["paired"] else None,
            )
            for name, item in value.get("baselines", {}).items()
        }
        read["findings"] = tuple(Finding(**item) for item in value.get("findings", ()))
        if leak := value.get("leak"):
            both = {end: interval(leak[end]) for end in ("careless", "honest")}
            read["leak"] = Leak(**{**leak, **both})
        read["sections"] = tuple(section(item) for item in value.get("sections", ()))
        return cls(**read)


def interval(value: Mapping[str, JsonValue]) -> Interval:
    """An interval from JSON; null comes back as NaN."""
    return Interval(**numbers(value, INTERVAL))


def section_to_json(value: Section) -> dict[str, JsonValue]:
    """A section as JSON, with its kind; NaN and infinities become null."""
    found: dict[str, JsonValue] = plain({"kind": value.kind, **asdict(value)})
    return found


def section(value: Mapping[str, JsonValue]) -> Section:
    """A section from JSON, by its kind (KeyError for an unknown one)."""
    return _SECTIONS[value["kind"]](**{k: v for k, v in value.items() if k != "kind"})


def _intervals(value: Mapping[str, JsonValue]) -> dict[str, Interval]:
    return {name: interval(item) for name, item in value.items()}
