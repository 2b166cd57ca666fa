"""The stage that mends features: gaps, outliers, scales, learnt on the training part alone."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import CleanSettings, Dataset, Parts, Progress, Role, Schema
from luodi.lifecycle.lineage import remade
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.rows import PARTS
from luodi.lifecycle.stages import code_version, read_json, write_json
from luodi.lifecycle.training import Cut

if TYPE_CHECKING:
    from luodi.data.mending import Mended


def mend(run: RunPlace, cut: Cut) -> Cut:
    """The parts as a learner sees them, and the steps that do the same to every request.

    Nothing is done, and no stage run, where the project asks for nothing.

    Raises:
        DataError: a constant that is asked for and not given.
    """
    clean = run.project.data.clean
    if not _asked(clean):
        return cut
    inputs = {"parts": cut.key, "clean": asdict(clean), "code": code_version("luodi.data")}
    folder = run.stages.run("mend", inputs, partial(_mend, clean, cut))
    return _read(folder, cut)


def _asked(clean: CleanSettings) -> bool:
    every = [clean.of(name) for name in ("", *clean.columns)]
    return any(
        own.missing not in ("keep", "drop") or own.outliers != "keep" or own.scale != "none"
        for own in every
    )


def _mend(clean: CleanSettings, cut: Cut, folder: Path, progress: Progress) -> None:
    from luodi.data.mending import mend as mend_parts
    from luodi.data.preparation import Preparation

    progress.step(0, 1)
    mended: Mended = mend_parts(cut.parts, cut.schema, clean)
    rows = cut.parts.train.rows
    assert rows == mended.parts.train.rows + mended.dropped  # noqa: S101  # the promise
    for name in PARTS:
        getattr(mended.parts, name).table.write_parquet(folder / f"{name}.parquet")
        getattr(mended.asked, name).table.write_parquet(folder / f"asked-{name}.parquet")
    write_json(
        folder / "mended.json",
        {
            "features": list(mended.parts.train.columns(Role.FEATURE)),
            "preparation": Preparation(mended.steps).to_json(),
            "schema": mended.schema.to_json(),
            "outer": mended.outer.to_json(),
            "dropped": mended.dropped,
        },
    )
    progress.step(1, 1)


def _read(folder: Path, cut: Cut) -> Cut:
    import polars as pl

    from luodi.data.fingerprint import fingerprint
    from luodi.data.preparation import Preparation

    facts = read_json(folder / "mended.json")
    roles = {**cut.parts.train.roles, Role.FEATURE: tuple(facts["features"])}

    def part(name: str) -> Dataset:
        return replace(cut.parts.train, table=pl.read_parquet(folder / f"{name}.parquet"))

    asked = Parts(*(part(f"asked-{name}") for name in PARTS))
    learnt = Preparation.from_json(facts["preparation"])
    train = fingerprint(asked.train.table)
    dropped = {**cut.dropped, **({"outliers": facts["dropped"]} if facts["dropped"] else {})}
    return replace(
        cut,
        parts=asked,
        schema=Schema.from_json(facts["outer"]),
        taught=Parts(*(replace(part(name), roles=roles) for name in PARTS)),
        inner=Schema.from_json(facts["schema"]),
        preparation=Preparation((*cut.preparation.steps, *learnt.steps)),
        key=folder.name,
        fingerprints={**cut.fingerprints, "part:train": train},
        dropped=dropped,
        lineage=remade(cut.lineage, "train", asked.train.rows, train, dropped),
    )
