"""`luodi data diff`: files and fingerprints; `luodi data fetch` where nothing is afar."""

from __future__ import annotations

import json

from tests.reviews import write_project, write_reviews


def test_two_files_and_two_fingerprints(luodi, tmp_path):
    folder = write_project(tmp_path / "p", rows=240, copies=12)
    (folder / ".luodi").mkdir()  # a home of its own
    done = luodi("run", "--json", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    chain = json.loads(luodi("data", "log", "--json", cwd=folder).stdout)["lineage"]
    raw, kept = chain["origins"][0]["fingerprint"], chain["mended"]["fingerprint"]
    train = chain["parts"]["train"]["fingerprint"]
    found = luodi("data", "diff", raw, kept.removeprefix("sha256:")[:10], "--json", cwd=folder)
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["a"]["rows"], told["b"]["rows"]) == (252, chain["mended"]["kept"])
    assert told["b"]["fingerprint"] == kept
    # The file that was collected is the table of that fingerprint; the rows may be gone by then.
    same = luodi("data", "diff", "reviews.csv", raw, cwd=folder)
    assert "one and the same table" in same.stdout
    (folder / "reviews.csv").unlink()
    again = luodi("data", "diff", raw, train, "--json", cwd=folder)
    assert json.loads(again.stdout)["b"]["rows"] == chain["parts"]["train"]["rows"]


def test_what_it_shows(luodi, tmp_path):
    write_reviews(tmp_path / "a.csv", rows=100)
    text = (tmp_path / "a.csv").read_text()
    for old, new in (("good\n", "fine,5\n"), ("bad\n", "bad,1\n"), ("iment", "iment,stars")):
        text = text.replace(old, new)
    (tmp_path / "b.csv").write_text(text)
    shown = luodi("data", "diff", "a.csv", "b.csv", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "Only in B: stars" in shown.stdout
    assert "✗ drifted" in shown.stdout
    unknown = luodi("data", "diff", "a.csv", "abcdef123456", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "No tables have a fingerprint that begins with abcdef123456" in unknown.stderr


def test_nothing_is_afar(luodi, tmp_path):
    folder = write_project(tmp_path, rows=50)
    done = luodi("data", "fetch", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "nothing to fetch" in done.stdout
    assert json.loads(luodi("data", "fetch", "--json", cwd=folder).stdout) == {"fetched": []}


def test_files_without_a_header(luodi, tmp_path):
    (tmp_path / "a.csv").write_text("".join(f"{n},{'xy'[n % 2]}\n" for n in range(40)))
    (tmp_path / "b.csv").write_text("n,kind\n" + (tmp_path / "a.csv").read_text())
    both = luodi("data", "diff", "a.csv", "a.csv", "--no-header", "--json", cwd=tmp_path)
    told = json.loads(both.stdout)
    assert (told["a"]["rows"], told["b"]["rows"], told["same"]) == (40, 40, True)
    named = "{files: a.csv, header: [n, kind]}"
    same = luodi("data", "diff", named, "b.csv", cwd=tmp_path)
    assert "one and the same table" in same.stdout, same.stderr
