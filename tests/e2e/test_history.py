"""From a log of machines to a bundle that is asked with a machine's last rows."""

from __future__ import annotations

import json

import httpx
import numpy as np
import polars as pl

from luodi.bundle import open_predictor
from tests.bundle.tiny.tiny_service import running

PROJECT = """\
name: wear
task: tabular-regression
data:
  source: log.csv
  test: now.csv
  history:
    group: machine
    time: hour
    columns: [heat, shake]
    sizes: [3, 8]
    remaining: {column: hours left, cap: 25}
  columns: {label: hours left, group: machine}
  split: {valid: 0.4}
model: {learner: linear, coverage: 0.8}
gate: {rmse: "<= 8", coverage: ">= 0.4"}
"""


def machines(count, seed, stopped):
    """Heat rises towards the end, under noise; `stopped` logs end somewhere before it."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(count):
        life = int(rng.integers(30, 60))
        hour = np.arange(1, life + 1)
        left = life - hour
        log = pl.DataFrame({
            "machine": [f"m{number}"] * life, "hour": hour,
            "heat": (np.exp(-left / 12) * 5 + rng.normal(0, 0.3, life)).round(4),
            "shake": rng.normal(0, 1, life).round(4), "shift": rng.choice(["day", "night"], life),
        })  # fmt: skip
        if stopped:
            end = int(rng.integers(10, life))
            log = log.with_columns(pl.Series("hours left", left)).head(end)
        parts.append(log)
    return pl.concat(parts)


def test_a_log_becomes_a_model_of_what_is_left(luodi, tmp_path):
    machines(30, 0, stopped=False).write_csv(tmp_path / "log.csv")
    now = machines(25, 1, stopped=True)
    now.write_csv(tmp_path / "now.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    home = tmp_path / "home"
    run = luodi("run", "--json", cwd=tmp_path, LUODI_HOME=str(home))
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads(run.stdout)
    assert result["data"]["test"] == 25  # each machine's last row
    assert result["metrics"]["rmse"]["value"] < result["baselines"]["naive"]["rmse"]["value"]
    assert {"coverage", "pinball", "interval_width"} <= set(result["metrics"])
    bundle = open_predictor(next(iter((home / "bundles" / "wear").iterdir())))
    rows = now.filter(pl.col("machine") == "m3").drop("hours left").to_dicts()
    asked = bundle.predict([{"history": rows}])[0]
    assert asked["low"] <= asked["value"] <= asked["high"]
    # The evaluation asked about the same machine, from the table: the same answer.
    stored = next((home / "stages").glob("evaluate-*/answers.json"))
    answers = json.loads(stored.read_text())
    order = sorted(now["machine"].unique().to_list())
    assert np.isclose(answers[order.index("m3")]["value"], asked["value"])
    flat = bundle.read([{"history": rows}])[0]
    assert bundle.predict([flat])[0] == asked
    # Over HTTP, and in the document that tells how to ask.
    with (
        running("wear", cwd=tmp_path, LUODI_HOME=str(home)) as service,
        httpx.Client(base_url=service["url"], timeout=30) as client,
    ):
        found = client.post("/predict/wear", json={"inputs": [{"history": rows}]}).json()
        assert found["outputs"][0] == asked
        broken = {"inputs": [{"history": [{"hour": 1, "heat": "x"}]}]}
        refused = client.post("/predict/wear", json=broken)
        assert refused.status_code == 400
        assert "inputs[0].history[0].heat" in refused.text
        assert "oldest first" in client.get("/openapi.json").text
