"""Tables that a new project gets from files inside installed packages that name no columns.

Nothing of the package runs: its file is read as a file. A solution's `tables.yaml` says which:

    breast_cancer.csv:
      source: package:scikit-learn/sklearn/datasets/data/breast_cancer.csv
      skip: 1                                # lines before the first row
      columns: [mean radius, ..., diagnosis] # in the file's order; '' is left out
      values: {diagnosis: {"0": malignant, "1": benign}}
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from luodi.contracts import DataError, say

FILE = "tables.yaml"


def write_tables(described: Path, folder: Path) -> list[Path]:
    """Write the tables that `described` (a `tables.yaml`) names to `folder`.

    Raises:
        MissingPartError: the package of a table is not installed.
        DataError: its file has other columns than are described.
    """
    import yaml

    if not described.is_file():
        return []
    tables: Mapping[str, Mapping[str, Any]] = yaml.safe_load(described.read_text("utf-8"))
    return [_write(folder / name, table) for name, table in tables.items()]


def _write(path: Path, table: Mapping[str, Any]) -> Path:
    from luodi.data.locate import locate

    (found,) = locate(table["source"], path.parent)
    content = found.path.read_text("utf-8")
    rows = list(csv.reader(io.StringIO(content)))[table.get("skip", 0) :]
    columns = list(table["columns"])
    if wrong := next((row for row in rows if len(row) != len(columns)), None):
        raise _other(
            found.name,
            say(f"rows of {len(wrong)} values", f"{len(wrong)} 个值的行"),
            say(f"{len(columns)}", f"{len(columns)} 个"),
        )
    named = {columns.index(name): values for name, values in table.get("values", {}).items()}
    left_out = {place for place, name in enumerate(columns) if not name}
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([name for name in columns if name])
        out.writerows(
            [named[place].get(value, value) if place in named else value
             for place, value in enumerate(row) if place not in left_out]
            for row in rows
        )  # fmt: skip
    return path


def _other(name: str, found: str, expected: str) -> DataError:
    return DataError(
        say(f"{name} has {found}.", f"{name} 为 {found}。"),
        say(f"Expected {expected}.", f"应为 {expected}。"),
        say(
            "Install the version that constraints.txt names.",
            "请安装 constraints.txt 中指定的版本。",
        ),
    )
