"""Luodi's look at a Parquet table: read, look, write the page."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

started = time.perf_counter()
import jinja2  # noqa: E402, F401
import numpy  # noqa: E402, F401
import polars  # noqa: E402, F401

from luodi.contracts import Quiet  # noqa: E402
from luodi.evaluation.page.profile import render_profile  # noqa: E402
from luodi.lifecycle.looking import look  # noqa: E402

table, page = Path(sys.argv[1]), Path(sys.argv[2])
clocks = [(time.perf_counter(), time.process_time())]
for _ in range(2):
    looked = look(table.name, table.parent, {}, Quiet())
    page.write_text(render_profile(looked.to_json(), looked.findings), "utf-8")
    clocks.append((time.perf_counter(), time.process_time()))
codes = {finding.code: finding for finding in looked.findings}
missing = {c["name"]: c["missing"] for c in looked.columns if c["missing"]}


def columns(code: str) -> list[str]:
    return sorted(codes[code].columns) if code in codes else []


print(
    json.dumps(
        {
            "clocks": clocks,
            "import_seconds": clocks[0][0] - started,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "findings": {
                "missing": missing,
                "constant": columns("constant-columns"),
                "near_constant": columns("near-constant-columns"),
                "identifier": columns("identifier-columns"),
                "outliers": columns("outliers"),
                "future": columns("future-dates"),
                "duplicates": codes["duplicate-rows"].count if "duplicate-rows" in codes else 0,
            },
            "codes": [f"{f.severity} {f.code}" for f in looked.findings],
        }
    )
)
