"""Where a bundle's rows came from: source -> findings -> mended -> parts -> bundle.

The chain travels in the bundle (`data.json`, under `lineage`), so that it can be read where the
bundle is, without the run that made it. It holds names, counts and fingerprints: no rows, no
examples, no times, so that the same work gives the same bundle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import RESERVED, BundleError, Finding, JsonValue, UsageError, say
from luodi.lifecycle.place import RESULT, finished_runs
from luodi.lifecycle.stages import read_json

if TYPE_CHECKING:
    from luodi.data.sources import Collected


@dataclass(frozen=True)
class Origin:
    """One table as it was collected.

    Attributes:
        table: what the project calls it: data, test or valid.
        source: the source as the project file names it, secrets left as `${NAME}`.
        files: each file with its size, SHA-256 and rows.
        columns: their names, in their order; what a file without a header is read by later.
        labels: those that hold the answer.
        headed: whether the files named them, and in which `line`.
    """

    table: str
    source: str
    fingerprint: str
    rows: int
    files: Sequence[Mapping[str, JsonValue]] = ()
    columns: Sequence[str] = ()
    labels: Sequence[str] = ()
    headed: bool = True
    line: int = 1


@dataclass(frozen=True)
class Lineage:
    """The chain of one bundle.

    Attributes:
        findings: code, severity, count and what was done, without examples.
        mended: rows in, rows kept, rows dropped by reason, the fingerprint of what is left.
        parts: part -> rows and fingerprint.
        left_out: reason -> rows that left the parts again after they were dealt out.
    """

    origins: Sequence[Origin]
    findings: Sequence[Mapping[str, JsonValue]] = ()
    mended: Mapping[str, JsonValue] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it stands in a bundle."""
        return asdict(self)


def origin(
    table: str, source: str, collected: Collected, print_: str, labels: Sequence[str], line: int
) -> Origin:
    """What is to be remembered of a collected table; `line` holds the names, 0 for none."""
    files = [
        {"path": f.path, "bytes": f.bytes, "sha256": f.sha256, "rows": f.rows}
        for f in collected.files
    ]
    columns = [name for name in collected.table.columns if name not in RESERVED]
    return Origin(
        table, source, print_, collected.table.height, files, columns, list(labels), line > 0,
        max(line, 1),
    )  # fmt: skip


def remade(
    lineage: Mapping[str, Any], part: str, rows: int, print_: str, left_out: Mapping[str, int]
) -> Mapping[str, Any]:
    """The chain, after a part lost rows; `left_out` are all that are gone by now, by reason."""
    parts = {**lineage["parts"], part: {"rows": rows, "fingerprint": print_}}
    return {**lineage, "parts": parts, "left_out": dict(left_out)}


def short_findings(findings: Sequence[Finding]) -> list[dict[str, JsonValue]]:
    """Findings without their examples and words: a bundle carries no rows."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "count": finding.count,
            "columns": list(finding.columns),
            "handled": bool(finding.handled),
        }
        for finding in findings
    ]


def mended(counts: Mapping[str, Any], print_: str) -> dict[str, JsonValue]:
    """The account of a cleaning: rows in = kept + dropped by reason; official tables by theirs."""
    official = {name: _kept(counts[name]) for name in ("test", "valid") if name in counts}
    return {
        **_kept(counts),
        "fingerprint": print_,
        **({"official": official} if official else {}),
    }


def _kept(counts: Mapping[str, Any]) -> dict[str, JsonValue]:
    return {"rows": counts["rows"], "kept": counts["kept"], "dropped": dict(counts["dropped"])}


def account(
    counts: Mapping[str, Any], parts: Mapping[str, int], left_out: Mapping[str, int]
) -> dict[str, JsonValue]:
    """Where every row of a run went: rows in = rows in the parts + rows dropped by reason.

    Args:
        counts: of the cleaning.
        parts: part -> rows.
        left_out: reason -> rows that left the parts again after they were dealt out.

    Returns:
        `dropped`: reason -> rows of the table; `official`: an official table's own account.
    """
    told = mended(counts, "")
    official: Mapping[str, Any] = told.get("official", {})
    tables = [told, *official.values()]
    for table in tables:
        assert table["rows"] == table["kept"] + sum(table["dropped"].values())  # noqa: S101
    dealt = sum(table["kept"] for table in tables)
    assert dealt == sum(parts.values()) + sum(left_out.values())  # noqa: S101  # the promise
    found: dict[str, JsonValue] = {"dropped": {**told["dropped"], **left_out}}
    return found | ({"official": dict(official)} if official else {})


@dataclass(frozen=True)
class Logged:
    """A bundle's lineage, with the bundle at its end."""

    name: str
    digest: str
    folder: Path
    run: str
    verdict: str
    fingerprints: Mapping[str, str]
    lineage: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As `luodi data log --json` prints it."""
        return asdict(self) | {"folder": str(self.folder)}


def find_lineage(home: Path, wanted: str | None) -> Logged:
    """The lineage of a run (its id), a bundle folder, or a registered model; else the newest run's.

    Raises:
        UsageError: there is no such run.
        BundleError: the bundle was changed, or was made before lineage was kept.
        RegistryError: the name means no registered model.
    """
    runs = {folder.name: folder for folder in finished_runs(home)}
    if wanted is None:
        if not runs:
            raise UsageError(
                say(f"There is no finished run in {home}.", f"{home} 中没有已完成的运行。"),
                "",
                say("`luodi run` makes one.", "`luodi run` 会产生一次运行。"),
            )
        wanted = next(reversed(runs))
    if wanted in runs:
        result = read_json(runs[wanted] / RESULT)
        return _of_bundle(Path(result["bundle"]), wanted, result["verdict"])
    if "/" in wanted or (Path(wanted) / "manifest.json").is_file():
        return _of_bundle(Path(wanted), "", "")
    from luodi.registry import Registry

    found = Registry(home).find(wanted)
    return _of_bundle(found.folder, found.run, found.verdict)


def _of_bundle(folder: Path, run: str, verdict: str) -> Logged:
    from luodi.bundle import read_data, read_manifest

    manifest, digest = read_manifest(folder)
    data = read_data(folder, manifest)
    if "lineage" not in data:
        raise BundleError(
            say(f"{folder} names no lineage.", f"{folder} 没有数据谱系。"),
            say("It was made by an earlier Luodi.", "它由较早版本的 Luodi 制作。"),
            say("`luodi run` makes one that does.", "`luodi run` 会制作带谱系的模型包。"),
        )
    return Logged(
        manifest.name, digest, folder, run, verdict, data["fingerprints"], data["lineage"]
    )
