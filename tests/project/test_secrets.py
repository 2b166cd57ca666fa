"""Secrets come from the environment or a file of one's own, and go nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.contracts import DataError, MissingPartError
from luodi.project.secrets import Secrets


@pytest.fixture
def home(tmp_path: Path) -> Path:
    file = tmp_path / "secrets"
    file.write_text("# ours\nexport DB_WORD='p/w d'\nTOKEN=tk-93\nURL=pg://u:in%20side@h/x\n")
    file.chmod(0o600)
    return tmp_path


def test_where_they_come_from(home: Path, monkeypatch) -> None:
    secrets = Secrets(home)
    assert secrets.resolve("a ${TOKEN} b ${DB_WORD}") == "a tk-93 b p/w d"
    assert secrets.resolve("$TOKEN ${} $${x") == "$TOKEN ${} $${x"
    monkeypatch.setenv("TOKEN", "of-the-environment")
    assert Secrets(home).resolve("${TOKEN}") == "of-the-environment"
    with pytest.raises(MissingPartError, match=r"secret NONE is not set.*chmod 600"):
        secrets.resolve("${NONE}")
    assert secrets.find("NONE") is None


def test_messages_hold_none(home: Path) -> None:
    secrets = Secrets(home)
    for name in ("TOKEN", "DB_WORD", "URL"):
        secrets.find(name)
    told = secrets.hide(
        "tk-93, p/w d, p%2Fw%20d, p%2Fw+d, pg://u:in%20side@h/x, in side, in%20side"
    )
    assert told == "${TOKEN}, ${DB_WORD}, ${DB_WORD}, ${DB_WORD}, ${URL}, ${URL}, ${URL}"
    error = secrets.hidden(DataError("found tk-93", "expected tk-93", "do tk-93"))
    assert str(error) == "found ${TOKEN} expected ${TOKEN} do ${TOKEN}"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read(mode: int, home: Path) -> None:
    (home / "secrets").chmod(mode)
    with pytest.raises(MissingPartError, match=rf"mode {mode:o}: others can read it.*chmod 600"):
        Secrets(home).find("TOKEN")


def test_a_file_elsewhere(home: Path, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LUODI_SECRETS", str(home / "secrets"))
    assert Secrets(tmp_path / "other").find("TOKEN") == "tk-93"
    monkeypatch.setenv("LUODI_SECRETS", str(home / "none"))
    with pytest.raises(MissingPartError, match="There is no file"):
        Secrets(home).find("TOKEN")


def test_a_line_that_is_none(home: Path) -> None:
    (home / "secrets").write_text("A=1\nhunter2\n")
    with pytest.raises(MissingPartError, match="line 2: not understood") as caught:
        Secrets(home).find("A")
    assert "hunter2" not in str(caught.value)
