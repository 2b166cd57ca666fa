"""Over the bound nothing is trained; a corrected file lets it pass; clean labels are no trouble."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

from tests.reviews import PROJECT, make_reviews

ROWS = 300
OTHER = {"good": "bad", "bad": "good"}


def project(folder: Path, flipped: float, more: str = "") -> dict[str, str]:
    """A project whose labels are flipped in a share of the rows; text -> true label."""
    pairs = make_reviews(ROWS, 3)
    flips = set(random.Random(1).sample(range(ROWS), int(flipped * ROWS)))
    with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "sentiment"])
        writer.writerows(
            (text, OTHER[label] if n in flips else label) for n, (text, label) in enumerate(pairs)
        )
    settings = PROJECT.replace("model:", f"{more}model:")
    (folder / "luodi.yaml").write_text(settings, "utf-8")
    return dict(pairs)


def test_noise_stops_a_run_and_a_corrected_file_lets_it_pass(luodi, tmp_path: Path) -> None:
    truth = project(tmp_path, 0.2, "  noise: {max: 0.1}\n")
    refused = luodi("run", "--json", cwd=tmp_path)
    assert refused.returncode == 3, refused.stderr
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "noise"
    assert "data.noise.max is 10.0%" in error["message"]
    again = luodi("run", cwd=tmp_path)  # done before: told at once, and as before
    assert again.returncode == 3
    assert "done before" in again.stderr
    (file,) = (tmp_path / ".luodi" / "runs").glob("*/suspicious.csv")
    with file.open(encoding="utf-8-sig", newline="") as source:
        rows = list(csv.DictReader(source))
    flipped = [row for row in rows if truth[row["content"]] != row["given"]]
    assert len(flipped) > 0.6 * 60
    assert len(flipped) > 0.7 * len(rows)
    for row in rows:
        row["corrected"] = truth[row["content"]]
    with (tmp_path / "fixed.csv").open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    project(tmp_path, 0.2, "  noise: {max: 0.1}\n  corrections: fixed.csv\n")
    passed = luodi("run", "--json", cwd=tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    result = json.loads(passed.stdout)
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    codes = {finding["code"]: finding for finding in report["findings"]}
    assert codes["corrections"]["count"] == len(flipped)
    assert codes["label-noise"]["severity"] == "info"
    assert codes["label-noise"]["remedy"].startswith("Look at .luodi/runs/")
    for page in Path(result["bundle"]).rglob("*.json"):
        assert str(tmp_path) not in page.read_text("utf-8"), f"{page} tells where it was made"
    assert result["data"]["suspicious"] < len(rows) / 3
    log = luodi("data", "log", "--json", cwd=tmp_path)
    assert '"corrections"' in log.stdout


@pytest.mark.parametrize("more", ["", "  noise: {check: false}\n"])
def test_unasked_it_only_tells(luodi, tmp_path: Path, more: str) -> None:
    project(tmp_path, 0.0, more)
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert ("doubt" in result["seconds"]) is ("false" not in more)
    assert result["data"].get("suspicious", 0) <= 6


def test_a_bound_that_is_no_share_is_a_mistake_of_the_project_file(luodi, tmp_path: Path) -> None:
    project(tmp_path, 0.0, "  noise: {max: 10}\n")
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "data.noise.max" in done.stdout
