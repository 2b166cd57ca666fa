"""The language of the words changes the words, and nothing that was worked out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from luodi.contracts import Language
from luodi.lifecycle.check import Checked, check_project
from luodi.lifecycle.place import open_run
from luodi.lifecycle.result import Outcome
from luodi.lifecycle.run import run_lifecycle
from luodi.project.file import load_project
from tests.reviews import write_project
from tests.tables import make_table
from tests.watcher import Watcher

HAN = re.compile(r"[\u4e00-\u9fff]")
UNTOLD = re.compile("[\ufdd0-\ufdd2]")
"""What a record of both wordings is made of: no reader ever sees it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_project(tmp_path / "shop", rows=120, copies=5, conflicts=2, empty=1)


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def call(language: Language, watcher: Watcher) -> Outcome:
        monkeypatch.setenv("LUODI_LANGUAGE", language)
        return run_lifecycle(load_project(folder, ["data.noise.check=false"]), watcher)

    return call


def test_the_files_own_language_is_no_part_of_what_a_run_is(folder: Path) -> None:
    first, again = (
        open_run(load_project(folder, [f"language={language}"]), Watcher(), language)
        for language in ("en", "zh")
    )
    assert again.id == first.id


def test_a_shell_of_another_language_goes_on_and_has_its_own_words(run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("en", Watcher(stop_at="train-linear"))
    second = Watcher()
    chinese = run("zh", second)
    assert second.told[0].startswith("继续运行")
    assert second.worked_on == {"train-linear", "evaluate", "leak"}
    assert len(list((chinese.folder.parent).iterdir())) == 1
    assert all(HAN.search(finding.message) for finding in chinese.report.findings)
    english = Watcher()
    again = run("en", english)
    assert english.worked_on <= {"evaluate"}, "but the test part is opened a second time"
    assert again.result["digest"] == chinese.result["digest"]
    assert not any(HAN.search(finding.message) for finding in again.report.findings)
    for outcome in (chinese, again):
        for file in outcome.folder.iterdir():
            assert not UNTOLD.search(file.read_text("utf-8")), file
        assert not UNTOLD.search(json.dumps(outcome.result, ensure_ascii=False))


def test_a_look_is_shared_by_readers_of_both_languages(folder, monkeypatch) -> None:
    def check(language: Language, home: str = "home") -> tuple[Checked, Watcher]:
        monkeypatch.setenv("LUODI_LANGUAGE", language)
        monkeypatch.setenv("LUODI_HOME", str(folder / home))
        watcher = Watcher()
        return check_project(load_project(folder), watcher), watcher

    english, _ = check("en")
    chinese, watcher = check("zh")
    assert watcher.worked_on == set()
    alone, _ = check("zh", "another")
    assert chinese.clean.findings == alone.clean.findings
    pairs = list(zip(english.clean.findings, chinese.clean.findings, strict=True))
    assert len(pairs) > 3
    for en, zh in pairs:
        assert (en.code, en.count, en.examples) == (zh.code, zh.count, zh.examples)
        assert not HAN.search(en.message + en.handled)
        assert HAN.search(zh.message)


def test_what_is_served_and_filed_has_the_words_of_one_language(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LUODI_LANGUAGE", "zh")
    make_table(300).drop("__row__", "amount due", "note").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(
        "name: loans\ntask: tabular-classification\n"
        "data: {source: rows.csv, columns: {label: risk}}\nmodel: {learner: scorecard}\n"
    )
    outcome = run_lifecycle(load_project(tmp_path), Watcher())
    folder = Path(outcome.result["bundle"])
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert "缺失" in (folder / "model" / "scorecard.csv").read_text("utf-8-sig")
    for file in files:
        text = file.read_text("utf-8", errors="replace")
        assert not UNTOLD.search(text), file
        assert r"\ufdd0" not in text, file
