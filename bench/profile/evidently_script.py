"""Evidently's data summary of a Parquet table. Runs in the peers' environment."""

import json
import resource
import sys
import time

started = time.perf_counter()
import pandas as pd  # noqa: E402
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.presets import DataSummaryPreset  # noqa: E402

table, page = sys.argv[1], sys.argv[2]
clocks = [(time.perf_counter(), time.process_time())]
for _ in range(2):
    frame = pd.read_parquet(table)
    done = Report([DataSummaryPreset()]).run(
        Dataset.from_pandas(frame, data_definition=DataDefinition()), None
    )
    done.save_html(page)
    clocks.append((time.perf_counter(), time.process_time()))
missing, constant, duplicates = {}, [], 0
for metric in done.dict()["metrics"]:
    name, value = metric["metric_name"], metric["value"]
    if name.startswith("DuplicatedRowCount"):
        duplicates = int(value)
    if name.startswith("MissingValueCount(column="):
        column = name.removeprefix("MissingValueCount(column=").removesuffix(")")
        if isinstance(value, dict) and value.get("count"):
            missing[column] = int(value["count"])
    if name.startswith("UniqueValueCount(column="):
        column = name.removeprefix("UniqueValueCount(column=").removesuffix(")")
        counts = value.get("counts", value) if isinstance(value, dict) else {}
        if len([c for c in counts.values() if c]) == 1:
            constant.append(column)
print(
    json.dumps(
        {
            "clocks": clocks,
            "import_seconds": clocks[0][0] - started,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "findings": {
                "missing": missing,
                "constant": sorted(constant),
                "duplicates": duplicates,
            },
        }
    )
)
