"""From a CSV to an answer over HTTP, by the commands that a user types."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.forked import LUODI
from tests.reviews import PROJECT, make_reviews, write_project, write_reviews

KEYS = {"run", "verdict", "bundle", "digest", "model", "version", "metrics", "baselines", "data",
        "seconds", "report"}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project that has been run once, with faults planted in its table."""
    folder = write_project(
        tmp_path_factory.mktemp("shop"), rows=400, copies=30, conflicts=10, empty=5
    )
    done = subprocess.run(
        [LUODI, "run", "--json"], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"LUODI_LANGUAGE": "en"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "printed.json").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def result(project) -> dict:
    return json.loads((project / "printed.json").read_text())


def test_result_json_is_what_was_printed_and_keeps_the_contract(project, result):
    run = project / ".luodi" / "runs" / result["run"]
    assert json.loads((run / "result.json").read_text()) == result
    assert result.keys() >= KEYS
    assert result["verdict"] == "passed"
    assert result["model"] == "shop-reviews"
    assert result["digest"].startswith("sha256:")
    for value in result["metrics"].values():
        assert value.keys() >= {"value", "low", "high"}
        assert value["low"] <= value["high"]
    assert set(result["baselines"]) == {"naive", "linear"}
    assert Path(result["report"]).read_text("utf-8").startswith("<!")
    assert all(value >= 0 for value in result["seconds"].values())


def test_every_planted_row_is_counted(result):
    data = result["data"]
    assert data["rows"] == 445
    assert data["duplicates"] == 30
    assert data["conflicts"] == 10
    assert data["empty"] == 5
    kept = data["train"] + data["valid"] + data["test"]
    # 400 distinct texts; the ten with two labels are gone.
    assert kept == 390
    assert data["test"] == pytest.approx(0.2 * kept, abs=4)
    assert data["valid"] == pytest.approx(0.1 * kept, abs=4)


def test_models_lists_it_and_verify_finds_it_whole(project, result, luodi):
    models = luodi("models", "--json", cwd=project)
    assert result["version"] in models.stdout
    verified = luodi("verify", result["bundle"], "--json", cwd=project)
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["ok"] is True


@pytest.mark.parametrize("file", ["model/weights.npy", "schema.json", "evaluation/report.html"])
def test_a_flipped_byte_is_found_and_refused(project, result, luodi, tmp_path, file):
    import shutil

    bundle = tmp_path / "bundle"
    shutil.copytree(result["bundle"], bundle)
    path = bundle / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    verified = luodi("verify", bundle, cwd=project)
    assert verified.returncode == 1
    assert file in verified.stdout + verified.stderr


def test_predict_answers_a_table(project, luodi, tmp_path):
    write_reviews(tmp_path / "new.csv", rows=50, seed=99)
    done = luodi("predict", "shop-reviews", tmp_path / "new.csv", "-o", tmp_path / "out.jsonl",
                 cwd=project)  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 50
    right = sum(row["label"] == row["sentiment"] for row in rows)
    assert right >= 45


def test_the_service_answers_over_http_and_loads_no_torch(project, result):
    service = subprocess.Popen(
        [LUODI, "serve", "--port", "0", "--json"], cwd=project, stdout=subprocess.PIPE, text=True
    )
    try:
        assert service.stdout is not None
        ready = json.loads(service.stdout.readline())
        url = ready["url"]
        texts = [text for text, _ in make_reviews(40, seed=5)]
        labels = [label for _, label in make_reviews(40, seed=5)]
        answer = httpx.post(f"{url}/predict/shop-reviews", json={"inputs": texts}).json()
        assert answer["version"] == result["version"]
        given = [output["label"] for output in answer["outputs"]]
        assert sum(a == b for a, b in zip(given, labels, strict=True)) >= 36
        infer = httpx.post(
            f"{url}/v2/models/shop-reviews/infer",
            json={"inputs": [{"name": "text", "shape": [2], "datatype": "BYTES",
                              "data": texts[:2]}]},
        )  # fmt: skip
        assert infer.json()["model_version"] == result["version"]
        bad = httpx.post(f"{url}/predict/shop-reviews", json={"inputs": [{"txt": "x"}]})
        assert 400 <= bad.status_code < 500
        assert "txt" in bad.text
        maps = Path(f"/proc/{service.pid}/maps").read_text()
        assert "libtorch" not in maps
        assert "onnxruntime" in maps or "numpy" in maps
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(timeout=20) == 0
        service.stdout.close()


def test_the_same_command_again_reuses_the_work_and_gives_the_same_bundle(project, result, luodi):
    again = luodi("run", "--json", cwd=project)
    assert again.returncode == 0
    assert json.loads(again.stdout)["digest"] == result["digest"]
    assert "done before" in luodi("run", cwd=project).stderr


def test_the_gate_refuses_with_exit_code_3_and_registers_nothing(luodi, tmp_path):
    text = PROJECT.replace('accuracy: ">= 0.8"', 'accuracy: ">= 0.9999"\n  log_loss: "<= 9"')
    folder = write_project(tmp_path / "strict", text, rows=200)
    done = luodi("run", "--json", cwd=folder)
    assert done.returncode == 3, done.stderr
    result = json.loads(done.stdout)
    assert result["verdict"] == "refused"
    failed = [line["metric"] for line in result["gate"]["lines"] if not line["passed"]]
    assert failed == ["accuracy"]
    assert Path(result["bundle"]).is_dir()
    assert Path(result["report"]).is_file()
    assert result["version"] is None
    assert "shop-reviews" not in luodi("models", cwd=folder).stdout
    served = luodi("predict", "shop-reviews", folder / "reviews.csv", cwd=folder)
    assert served.returncode == 1


def test_openings_of_the_same_test_part_widen_the_intervals(luodi, tmp_path):
    folder = write_project(tmp_path, rows=200)
    first = json.loads(luodi("run", "--json", cwd=folder).stdout)
    other = luodi("run", "--json", "--set", "model.options.longest=2", cwd=folder)
    second = json.loads(other.stdout)
    assert (first["openings"], second["openings"]) == (1, 2)
    assert second["metrics"]["log_loss"]["level"] > first["metrics"]["log_loss"]["level"]


def test_chinese_report_and_words(luodi, tmp_path):
    folder = write_project(tmp_path, "language: zh\n" + PROJECT, rows=200)
    done = luodi("run", cwd=folder)
    assert done.returncode == 0
    assert "通过" in done.stdout
    report = json.loads(luodi("report", "--json", cwd=folder).stdout)["report"]
    assert 'lang="zh' in Path(report).read_text("utf-8")


def test_check_trains_nothing(luodi, tmp_path):
    folder = write_project(tmp_path, rows=200, copies=7)
    done = luodi("check", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["data"]["duplicates"] == 7
    assert told["estimate"]["seconds"] > 0
    assert not list((folder / ".luodi" / "stages").glob("train-*"))


def test_a_column_that_is_not_there_is_a_mistake_in_the_project_file(luodi, tmp_path):
    folder = write_project(tmp_path, PROJECT.replace("text: review", "text: reviw"), rows=50)
    done = luodi("run", cwd=folder)
    assert done.returncode == 2
    assert "line 5" in done.stderr
    assert "review" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "reviews.csv"),
        ("review,sentiment\n", "no rows"),
        ("review,sentiment\n" + "fine,good\n" * 30, "one label"),
    ],
)
def test_bad_tables_end_in_words(luodi, tmp_path, content, words):
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    (tmp_path / "reviews.csv").write_text(content)
    done = luodi("run", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_kill_9_in_the_middle_and_the_same_command_ends_the_same(luodi, tmp_path):
    folder = write_project(tmp_path / "killed", rows=300)
    whole = write_project(tmp_path / "whole", rows=300)
    expected = json.loads(luodi("run", "--json", cwd=whole).stdout)
    for wait in (0.5, 1.0, 1.6, 2.3):
        process = subprocess.Popen(
            [LUODI, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(wait)
        process.kill()
        process.wait()
    done = luodi("run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == expected["digest"]
