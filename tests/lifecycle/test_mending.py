"""A table with gaps and outliers from run to answer: the bundle mends requests as rows were."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

PROJECT = """\
name: loans
task: tabular-classification
data:
  source: loans.csv
  columns: {label: bad}
  noise: {check: false}
  clean:
    missing: flag
    outliers: drop
    scale: standard
    normalise: [width, case, space]
    columns: {城市: {missing: constant, fill: 未知}}
model: {learner: linear}
"""


def test_from_run_to_answer(luodi, tmp_path: Path) -> None:
    rng = random.Random(3)
    with (tmp_path / "loans.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["income", "城市", "years", "bad"])
        for n in range(400):
            income, years = rng.lognormvariate(3, 0.5), rng.randint(0, 30)
            bad = rng.random() < 1 / (1 + income / 20)
            income = 1e9 if n in (5, 9) else income
            city = rng.choice(["Beijing", "BEIJING ", "ｂｅｉｊｉｎｇ", "上海", ""])
            shown = "" if rng.random() < 0.1 else f"{income:.2f}"
            writer.writerow([shown, city, years, int(bad)])
    (tmp_path / "luodi.yaml").write_text(PROJECT, "utf-8")
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    folder = Path(result["report"]).parent
    report = json.loads((folder / "report.json").read_text("utf-8"))
    dropped, data = report["dropped"], result["data"]
    assert 1 <= dropped["outliers"] <= 2
    parts = data["train"] + data["valid"] + data["test"]
    assert data["rows"] == parts + sum(dropped.values())
    assert data["dropped"] == dropped
    log = json.loads(luodi("data", "log", "--json", cwd=tmp_path).stdout)["lineage"]
    kept = sum(part["rows"] for part in log["parts"].values())
    assert log["left_out"] == {"outliers": dropped["outliers"]}
    assert log["mended"]["kept"] == kept + sum(log["left_out"].values())
    shown = luodi("data", "log", cwd=tmp_path).stdout
    assert f"left out again: outliers {dropped['outliers']}" in shown
    bundle = Path(result["bundle"])
    steps = json.loads((bundle / "preparation.json").read_text("utf-8"))["steps"]
    assert [s["step"] for s in steps if s.get("field") == "income"] == ["flag", "fill", "scale"]
    assert steps[0]["ways"] == ["width", "case", "space"]
    verified = luodi("verify", str(bundle), cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    asked = [
        {"income": None, "城市": None, "years": 3},
        {"城市": " ＢEIJING", "years": 3},
        {"income": 20.0, "城市": "beijing", "years": 3},
    ]
    (tmp_path / "asked.jsonl").write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in asked), "utf-8"
    )
    answers = luodi("predict", "loans", "asked.jsonl", "--json", cwd=tmp_path)
    assert answers.returncode == 0, answers.stdout + answers.stderr
    assert len(json.loads(answers.stdout)["answers"]) == 3
    why = luodi("predict", "loans", "asked.jsonl", "--explain", "--json", cwd=tmp_path)
    assert why.returncode == 0, why.stdout
    # Reasons speak of the caller's fields, in the caller's numbers.
    reasons = json.loads(why.stdout)["answers"][2]["reasons"]
    assert {reason["field"] for reason in reasons} <= {"income", "城市", "years"}
    incomes = [r for r in reasons if r["field"] == "income" and isinstance(r["value"], float)]
    assert [round(reason["value"], 6) for reason in incomes] == [20.0]
    assert "income = 20 " in incomes[0]["text"]
