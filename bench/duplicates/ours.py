"""Luodi's search for near-copies among the lines of a file."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from luodi.data.duplicates import near_groups

texts = Path(sys.argv[1]).read_text("utf-8").split("\n")
began = time.perf_counter()
groups = near_groups(texts, float(sys.argv[3]))
ended = time.perf_counter()
np.save(sys.argv[2], groups)
print(
    json.dumps(
        {
            "seconds": ended - began,
            "texts": len(texts),
            "groups": len(np.unique(groups)),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
