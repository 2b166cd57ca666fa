"""A fine-tuned encoder through the whole lifecycle: run, verify, serve, ask; a base made on the
spot, so that no weights need fetching.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import httpx
import polars as pl
import pytest

from luodi.contracts import Dataset, Role
from luodi.tasks.text_classification.transformer_fit import Fit
from tests.forked import LUODI
from tests.tiny_base import make_tiny_base

PROJECT = """\
name: moods
task: text-classification
data:
  source: texts.csv
  columns: {text: text, label: mood}
model:
  learner: [linear, transformer]
  base: ./tiny
  budget: 10m
  options: {learning_rate: 0.003, epochs: 4, max_length: 16, batch_tokens: 512}
gate: {accuracy: ">= 0.7", beats: naive}
"""
SUBJECTS = ["book", "film", "phone", "hotel", "meal", "room", "service", "price"]
MOODS = {"up": ["good", "great", "nice", "happy"], "down": ["bad", "poor", "awful", "sad"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("moods")
    make_tiny_base(folder / "tiny")
    rows = {
        f"the {first} was {word} and the {second} {link} very {other}": mood
        for mood, words in MOODS.items()
        for word in words
        for other in words
        for first in SUBJECTS
        for second in SUBJECTS
        for link in ("is", "was")
        if first != second and word != other
    }
    picked = list(rows.items())[::3]
    table = "text,mood\n" + "".join(f"{text},{mood}\n" for text, mood in picked)
    (folder / "texts.csv").write_text(table)
    (folder / "luodi.yaml").write_text(PROJECT)
    return folder


def test_run_verify_serve_ask(luodi, project):
    run = luodi(
        "run", "--json", "--set", "model.learner=transformer",
        "--set", "data.clean.near_duplicates=together",
        "--set", "data.clean.similarity=1", cwd=project,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["learner"] == "transformer"
    assert result["metrics"]["accuracy"]["low"] >= 0.7
    _forms_are_told(result)
    names = {path.name for path in (Path(result["bundle"]) / "model").iterdir()}
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert any(name.endswith(".onnx") for name in names)
    verified = luodi("verify", result["bundle"], "--json", cwd=project)
    assert json.loads(verified.stdout)["ok"] is True
    _cut_rows_are_marked(luodi, project)
    service = subprocess.Popen(
        [LUODI, "serve", "--port", "0", "--json"], cwd=project, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"LUODI_LANGUAGE": "en"},
    )  # fmt: skip
    assert service.stdout is not None
    try:
        url = json.loads(service.stdout.readline())["url"]
        asked = {"inputs": ["the film was great", {"text": "the meal was awful and sad"}]}
        answer = httpx.post(f"{url}/predict/moods", json=asked).json()
        assert [output["label"] for output in answer["outputs"]] == ["up", "down"]
        assert answer["version"] == result["version"]
        assert "libtorch" not in Path(f"/proc/{service.pid}/maps").read_text()
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=20)
        service.stdout.close()


def _cut_rows_are_marked(luodi, project):
    """Also where the first block of rows, which makes the header, has none."""
    (project / "asked.csv").write_text("id,text\n1,the film was great\n2," + "great " * 40 + "\n")
    for output in ("answers.csv", "answers.jsonl"):
        done = luodi("predict", "moods", "asked.csv", "-o", output, cwd=project)
        assert done.returncode == 0, done.stderr
        path = project / output
        read = pl.read_csv if output.endswith("csv") else pl.read_ndjson
        assert read(path)["truncated"].to_list() == [False, True]


def _forms_are_told(result):
    """Speed, memory, score and the gate on the validation part, of every form."""
    probes = result["form"]["probes"]
    assert {probe["form"]["name"] for probe in probes} >= {"float32", "int8"}
    for probe in probes:
        assert probe["rows_a_second"] > 0
        assert 2e7 < probe["memory"] < 1e9
        assert 0 <= probe["score"] <= 1
        lines = probe["gate"]["lines"]
        assert [line["rule"] for line in lines] == [">= 0.7", "better than naive"]
        assert all(line["reason"] for line in lines)
    assert probes[0]["gate"]["passed"] is True
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    (table,) = (each for each in report["sections"] if each["title"] == "Forms of the model")
    assert len(table["rows"]) == len(probes)
    assert [row[-1] for row in table["rows"]].count("yes") == 1
    assert report["openings"] == 1


def test_an_ensemble_takes_what_was_trained_already(luodi, project):
    settings = ["--set", "data.clean.similarity=1", "--set", "serve.form=float32"]
    run = luodi("run", "--json", "--set", "model.learner=[transformer, ensemble]",
                "--set", "gate={}", *settings, cwd=project)  # fmt: skip
    assert run.returncode == 0, run.stderr
    # Each was trained once: the baseline and the candidate are the ensemble's members.
    for name in ("linear", "transformer", "ensemble"):
        assert run.stderr.count(f"✓ Train {name}  (") == 1, run.stderr
    told = json.loads(run.stdout)
    alone = luodi("run", "--json", "--set", "model.learner=ensemble", "--set", "gate={}",
                  *settings, cwd=project)  # fmt: skip
    result = json.loads(alone.stdout)
    assert result["learner"] == "ensemble"
    assert result["seconds"]["train-ensemble"] == told["seconds"]["train-ensemble"]  # reused
    model = Path(result["bundle"]) / "model"
    assert {path.name for path in model.iterdir()} == {"ensemble.json", "linear", "transformer"}
    assert json.loads(luodi("verify", result["bundle"], "--json", cwd=project).stdout)["ok"] is True
    more = luodi("run", "--json", "--set", "model.learner=ensemble", "--set", "gate={}",
                 "--set", "model.refit=true", *settings, cwd=project)  # fmt: skip
    refit = json.loads(more.stdout)
    assert {"refit-ensemble", "refit-linear"} <= set(refit["seconds"])
    assert refit["digest"] != result["digest"]
    assert json.loads(luodi("verify", refit["bundle"], "--json", cwd=project).stdout)["ok"] is True
    page = Path(refit["report"]).read_text("utf-8")
    assert "The ensemble&#39;s members" in page or "The ensemble's members" in page
    checked = luodi("check", "--json", "--set", "model.learner=[transformer, ensemble]",
                    *settings, cwd=project)  # fmt: skip
    names = [each["learner"] for each in json.loads(checked.stdout)["estimates"]]
    assert names == ["naive", "linear", "transformer", "ensemble"]


def test_auto_goes_on_without_a_base_that_cannot_be_had(luodi, project):
    nowhere = "model.base=nobody/nothing"  # a name that a hub may know, which cannot be reached
    run = luodi(
        "run", "--json", "--set", "model.learner=auto", "--set", nowhere,
        "--set", "model.options={}", "--set", "gate={}", "--set", "data.clean.similarity=1",
        cwd=project, HF_HUB_OFFLINE="1",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["learner"] == "linear"
    assert "Left out" in run.stderr
    asked_for = luodi(
        "run", "--set", "model.learner=transformer", "--set", nowhere, cwd=project,
        HF_HUB_OFFLINE="1",
    )  # fmt: skip
    assert asked_for.returncode == 1
    assert "nobody/nothing" in asked_for.stderr


@pytest.mark.parametrize(
    ("texts", "base"),
    [(["这本书很好", "质量太差了"], "bge-small-zh"), (["a good book", "it broke"], "minilm-en")],
)
def test_the_usual_base_follows_the_script(texts, base):
    table = pl.DataFrame({"text": texts, "label": ["a", "b"]})
    data = Dataset(table, {Role.TEXT: ("text",), Role.LABEL: ("label",)})
    told: list[str] = []
    progress = SimpleNamespace(say=told.append, step=lambda *_: None)
    assert Fit(None, {}, progress)._usual_base(data) == base
    assert base in told[0]
