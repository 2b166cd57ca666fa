"""Makes bundles of the tiny task, for the tests of every room above."""

from __future__ import annotations

import json
from pathlib import Path

from tiny_task import TinyPredictor

from luodi.bundle import BundleFacts, write_bundle
from luodi.bundle.seals import canonical, digest_of
from luodi.contracts import Field, Schema
from luodi.data.masking import Mask
from luodi.data.preparation import Preparation

WEIGHTS = {"great": 2.0, "fine": 1.0, "poor": -1.5, "awful": -2.5, "好": 1.0, "差": -1.0}
SCHEMA = Schema(
    request=(Field("text", "text", example="a great day"),),
    answer=(
        Field("label", "category", categories=("bad", "good")),
        Field("probabilities", "scores", categories=("bad", "good")),
    ),
)
PROJECT = """
name: tiny
task: text-classification
data:
  source: rows.csv
  columns: {text: text, label: label}
"""
"""Of a model that a service is told of by its project file."""
TEXTS = ("great", "poor", "awful but fine", "好 好 差", "", "mail me@example.com great")


def export(folder: Path, weights=WEIGHTS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.json").write_text(json.dumps(weights), encoding="utf-8")
    (folder / "notes").mkdir(exist_ok=True)
    (folder / "notes" / "read.txt").write_text("nothing to see", encoding="utf-8")
    return folder


def facts(name: str = "tiny", **more) -> BundleFacts:
    return BundleFacts(
        name=name,
        task="tiny",
        learner="words",
        learner_version=1,
        data={"train": {"fingerprint": "abc", "rows": 12}, **more.pop("data", {})},
        licences={"tiny": "MIT"},
        settings={"seed": 7},
        serving={"max_batch": 8} | more.pop("serving", {}),
        **more,
    )


def make_bundle(folder: Path, name: str = "tiny", weights=WEIGHTS, schema=SCHEMA, **more) -> str:
    """A bundle at `folder`; its digest."""
    exported = export(folder.parent / f"{folder.name}-exported", weights)
    preparation = Preparation((Mask(),))
    requests = [{"text": text} for text in TEXTS]
    answers = TinyPredictor(weights).predict(preparation.apply(requests))
    return write_bundle(
        folder,
        exported=exported,
        facts=facts(name, **more),
        schema=schema,
        golden=list(zip(requests, answers, strict=True)),
        preparation=preparation,
    )


def reseal(folder, change):
    """What an attacker, or a careless hand, would do: change the manifest and its digest too."""
    value = json.loads((folder / "manifest.json").read_bytes())
    change(value)
    data = canonical(value)
    (folder / "manifest.json").write_bytes(data)
    (folder / "digest").write_text(digest_of(data) + "\n")
