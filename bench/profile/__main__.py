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
    return {"name": name, "round": number, "process_seconds": time.perf_counter() - began} | told


def _write(found: list[dict[str, Any]], options: argparse.Namespace) -> None:
    options.output.mkdir(parents=True, exist_ok=True)
    date = time.strftime("%Y-%m-%d")
    document = {"date": date, "machine": machine(), "rows": options.rows, "planted": PLANTED,
                "threads": options.threads, "measurements": found}  # fmt: skip
    text = json.dumps(document, indent=1, ensure_ascii=False, default=str)
    (options.output / f"profile-{date}.json").write_text(text + "\n", "utf-8")
    (options.output / "profile.md").write_text(_table(found, options), "utf-8")


def _table(found: list[dict[str, Any]], options: argparse.Namespace) -> str:
    own = [r for r in found if r["name"] == OURS]
    ours, work = (median(r[k] for r in own) for k in ("report_seconds", "report_cpu_seconds"))
    lines = [
        "# A table's profile: 30 columns, planted faults",
        "",
        f"{time.strftime('%Y-%m-%d')}; {options.rows:,} rows, {options.threads} threads; a machine",
        "shared with other work, one process after the other: ratios, not seconds, are to be read.",
        "Report: reading the Parquet file, looking, writing the HTML page; imports are left out.",
        "Processor seconds add up all threads, and feel the other work on the machine least.",
        "",
        "| | report, s | over ours | processor, s | over ours | whole process, s | peak, MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in dict.fromkeys(r["name"] for r in found):
        runs = [r for r in found if r["name"] == name]
        done = [r for r in runs if "report_seconds" in r]
        if not done:
            limit = runs[0]["stopped_after"]
            lines.append(f"| {name} | > {limit:.0f} | > {limit / ours:.0f} | - | - | - | - |")
            continue
        seconds = median(r["report_seconds"] for r in done)
        ratio = "1" if name == OURS else f"{seconds / ours:.1f}"
        busy = median(r["report_cpu_seconds"] for r in done)
        more = "1" if name == OURS else f"{busy / work:.1f}"
        whole = median(r["process_seconds"] for r in done)
        peak = max(r["peak_mib"] for r in done)
        cells = [name, f"{seconds:.1f}", ratio, f"{busy:.1f}", more, f"{whole:.1f}", f"{peak:.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *_findings(found)]) + "\n"


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
