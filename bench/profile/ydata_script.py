"""ydata-profiling's report of a Parquet table. Runs in the peers' environment."""

import json
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")
started = time.perf_counter()
import pandas as pd  # noqa: E402
from ydata_profiling import ProfileReport  # noqa: E402

table, page, minimal = sys.argv[1], sys.argv[2], sys.argv[3] == "minimal"
clocks = [(time.perf_counter(), time.process_time())]
for _ in range(2):
    frame = pd.read_parquet(table)
    report = ProfileReport(frame, minimal=minimal, progress_bar=False)
    report.to_file(page, silent=True)
    clocks.append((time.perf_counter(), time.process_time()))
description = report.get_description()
found = {}
for alert in description.alerts:
    found.setdefault(alert.alert_type.name, []).append(alert.column_name)
variables = description.variables
missing = {name: int(v["n_missing"]) for name, v in variables.items() if v["n_missing"]}
print(
    json.dumps(
        {
            "clocks": clocks,
            "import_seconds": clocks[0][0] - started,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "findings": {
                "missing": missing,
                "constant": sorted(found.get("CONSTANT", [])),
                "near_constant": sorted(found.get("IMBALANCE", [])),
                "identifier": sorted(found.get("UNIQUE", []) + found.get("UNIFORM", [])),
                "duplicates": int(description.table.get("n_duplicates") or 0),
            },
            "alerts": {kind: len(names) for kind, names in found.items()},
        },
        default=str,
    )
)
