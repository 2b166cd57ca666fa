"""python -m bench.profile: the same table, three reports, in turn; write the results."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.data_peers import peers_python, run_script
from bench.finetune.machine import machine
from bench.profile.table import PLANTED, ROWS, make

_HERE = Path(__file__).parent
_RESULTS = _HERE.parent / "results"
OURS = "luodi data profile"
PEERS = {
    "Evidently, DataSummaryPreset": ("evidently_script.py", ()),
    "ydata-profiling, minimal": ("ydata_script.py", ("minimal",)),
    "ydata-profiling, default": ("ydata_script.py", ("default",)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=900, help="seconds for one report")
    parser.add_argument("--output", type=Path, default=_RESULTS)
    options = parser.parse_args(arguments)
    python = peers_python()
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        table, page = Path(folder) / "table.parquet", Path(folder) / "page.html"
        make(table, options.rows)
        for number in range(options.rounds):
            turns = [(OURS, sys.executable, "ours.py", ())]
            turns += [(name, str(python), script, more) for name, (script, more) in PEERS.items()]
            # Ours once more after each round's peers: the machine may have changed meanwhile.
            for name, interpreter, script, more in [*turns, turns[0]]:
                found.append(_one(name, interpreter, script, (table, page, *more), options, number))
                print(found[-1], file=sys.stderr, flush=True)
                _write(found, options)
    print((options.output / "profile.md").read_text("utf-8"))
    return 0


def _one(
    name: str, interpreter: str, script: str, arguments: Sequence[Any],
    options: argparse.Namespace, number: int,
) -> dict[str, Any]:  # fmt: skip
    began = time.perf_counter()
    try:
        told = run_script(interpreter, _HERE / script, *arguments, threads=options.threads,
                          timeout=options.timeout)  # fmt: skip
    except subprocess.TimeoutExpired:
        told = {"stopped_after": options.timeout}
    taken = {"process_seconds": time.perf_counter() - began}
    if clocks := told.pop("clocks", None):
        # Two reports in one process: at the first, what is imported or compiled late is made ready.
        started, first, second = clocks
        taken["process_seconds"] -= second[0] - first[0]
        taken |= {"first_seconds": first[0] - started[0], "report_seconds": second[0] - first[0],
                  "report_cpu_seconds": second[1] - first[1]}  # fmt: skip
    return {"name": name, "round": number} | taken | told


def _write(found: list[dict[str, Any]], options: argparse.Namespace) -> None:
    options.output.mkdir(parents=True, exist_ok=True)
    date = time.strftime("%Y-%m-%d")
    document = {"date": date, "machine": machine(), "rows": options.rows, "planted": PLANTED,
                "threads": options.threads, "measurements": found}  # fmt: skip
    text = json.dumps(document, indent=1, ensure_ascii=False, default=str)
    (options.output / f"profile-{date}.json").write_text(text + "\n", "utf-8")
    (options.output / "profile.md").write_text(_table(found, options), "utf-8")


def _table(found: list[dict[str, Any]], options: argparse.Namespace) -> str:
    lines = [
        "# A table's profile: 30 columns, planted faults",
        "",
        f"{time.strftime('%Y-%m-%d')}; {options.rows:,} rows, {options.threads} threads, one",
        "process after the other; beside each time, how many times as long as ours; medians.",
        "Report: reading the Parquet file, looking, writing the page. First: in a new process,",
        "imports at its start left out; again: once more in the same process, so that nothing",
        "imported or compiled late counts; processor: that report's, all threads together.",
        "Process: from its start to its end, with one report. Peak: with both.",
        "",
        "| | report again, s | | processor, s | | first report, s | | process, s | | peak, MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    kinds = ("report_seconds", "report_cpu_seconds", "first_seconds", "process_seconds")
    ours = {kind: _median(found, OURS, kind) for kind in kinds}
    for name in dict.fromkeys(r["name"] for r in found):
        runs = [r for r in found if r["name"] == name]
        if not any("report_seconds" in r for r in runs):
            limit = runs[0]["stopped_after"]
            lines.append(f"| {name} | stopped after {limit:.0f} s |" + " |" * 8)
            continue
        cells = [name]
        for kind in kinds:
            seconds = _median(found, name, kind)
            cells += [f"{seconds:.2f}", "1" if name == OURS else f"{seconds / ours[kind]:.1f}"]
        cells.append(f"{max(r['peak_mib'] for r in runs if 'peak_mib' in r):.0f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_findings(found)]) + "\n"


def _median(found: list[dict[str, Any]], name: str, kind: str) -> float:
    return median(r[kind] for r in found if r["name"] == name and kind in r)


def _findings(found: list[dict[str, Any]]) -> list[str]:
    """Who found which of the planted faults; `=` where it names the very columns or count."""
    last = {r["name"]: r["findings"] for r in found if "findings" in r}
    truth = last[OURS]["missing"]
    lines = ["| planted | " + " | ".join(last) + " |", "| --- |" + " --- |" * len(last)]
    for fault, wanted in PLANTED.items():
        cells = []
        for told in last.values():
            value = told.get(fault)
            if fault == "missing":
                cells.append("=" if value == truth and set(value) == set(wanted) else str(value))  # type: ignore[call-overload]
            else:
                cells.append(
                    "=" if value == wanted else "not told" if value is None else str(value)
                )
        lines.append(f"| {fault.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
