"""`luodi data log`: the chain from a source to a bundle, and what is said when there is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests import forked
from tests.reviews import write_project


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("log"), rows=240, copies=10, conflicts=6)
    (folder / ".luodi").mkdir()  # a home of its own
    done = forked.call("run", "--json", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "result").write_text(done.stdout)
    return folder


def test_the_chain_from_source_to_bundle(luodi, project):
    result = json.loads((project / "result").read_text())
    done = luodi("data", "log", "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    log = json.loads(done.stdout)
    chain = log["lineage"]
    [origin] = chain["origins"]
    raw = (project / "reviews.csv").read_bytes()
    assert origin["source"] == "reviews.csv"
    assert origin["files"] == [
        {
            "path": "reviews.csv",
            "bytes": len(raw),
            "sha256": hashlib.sha256(raw).hexdigest(),
            "rows": origin["rows"],
        }
    ]
    mended = chain["mended"]
    assert mended["rows"] == origin["rows"] == mended["kept"] + sum(mended["dropped"].values())
    assert mended["kept"] == sum(part["rows"] for part in chain["parts"].values())
    assert {"duplicates", "conflicts"} <= {finding["code"] for finding in chain["findings"]}
    assert not any("examples" in finding for finding in chain["findings"])
    prints = [origin["fingerprint"], mended["fingerprint"]]
    prints += [part["fingerprint"] for part in chain["parts"].values()]
    assert len(set(prints)) == 5
    assert (log["digest"], log["run"]) == (result["digest"], result["run"])
    shown = luodi("data", "log", cwd=project).stdout
    order = [shown.index(word) for word in ("source (data)", "findings", "mended", "parts",
                                            "bundle", result["digest"])]  # fmt: skip
    assert order == sorted(order)


def test_a_run_a_model_and_a_bundle_tell_the_same(luodi, project):
    result = json.loads((project / "result").read_text())
    lineages = []
    for wanted in (result["run"], result["model"], result["bundle"]):
        done = luodi("data", "log", wanted, "--json", cwd=project)
        assert done.returncode == 0, done.stderr
        lineages.append(json.loads(done.stdout)["lineage"])
    assert lineages[0] == lineages[1] == lineages[2]


def test_a_changed_chain_is_refused(luodi, project, tmp_path):
    result = json.loads((project / "result").read_text())
    copy = tmp_path / "bundle"
    shutil.copytree(result["bundle"], copy)
    data = copy / "data.json"
    data.write_text(data.read_text().replace("reviews.csv", "another.csv"))
    done = luodi("data", "log", copy, cwd=project)
    assert done.returncode == 1
    assert "not what its manifest says" in done.stderr


def test_no_run_no_such_name_no_such_command(luodi, tmp_path):
    (tmp_path / ".luodi").mkdir()
    done = luodi("data", "log", cwd=tmp_path)
    assert (done.returncode, "no finished run" in done.stderr) == (2, True)
    done = luodi("data", "log", "nothing", cwd=tmp_path)
    assert (done.returncode, "No model" in done.stderr) == (1, True)
    done = luodi("data", "logg", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert "Did you mean log?" in json.loads(done.stdout)["error"]["message"]
    done = luodi("data", cwd=tmp_path)
    assert done.returncode == 2
    assert "log" in done.stdout
