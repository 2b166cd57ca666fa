"""Keyed stand-ins: the same for the same thing, another under another key."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import BundleError, CleanSettings, MissingPartError
from luodi.data.masking import Mask, Pseudonymise, hiding
from luodi.data.preparation import Preparation
from luodi.data.privacy import find_personal
from luodi.data.pseudonyms import Pseudonyms

KEY = "correct horse battery staple"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("PHONE", "138 0013 8000", "+86-13800138000"),
        ("PHONE", "008613800138000", "１３８００１３８０００"),
        ("PHONE", "(555) 123-4567", "555.123.4567"),
        ("EMAIL", "Anna@Example.com", "anna@example.com"),
        ("ID_CARD", "11010519491231002x", "110105 19491231 002X"),
        ("PLATE", "京A·12345", "京a12345"),
        ("NAME", "Anna  Kowalska", "ANNA KOWALSKA"),
    ],
)
def test_however_it_is_written_it_is_the_same(kind: str, one: str, other: str) -> None:
    stand_in = Pseudonyms(KEY.encode()).of
    assert stand_in(kind, one) == stand_in(kind, other)  # type: ignore[arg-type]
    assert Pseudonyms(b"another key, as long").of(kind, one) != stand_in(kind, one)  # type: ignore[arg-type]


def test_kinds_and_values_are_told_apart() -> None:
    stand_in = Pseudonyms(KEY.encode()).of
    made = {stand_in("PHONE", f"138{number:08}") for number in range(5000)}
    assert len(made) == 5000
    assert stand_in("PHONE", "13800138000")[6:] != stand_in("BANK_CARD", "13800138000")[10:]


@given(st.text(max_size=30))
def test_a_stand_in_is_never_taken_for_personal_data(value: str) -> None:
    assert find_personal(f"号码{Pseudonyms(KEY.encode()).of('PHONE', value)}。") == []


def test_tables_still_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", KEY)
    step = hiding(CleanSettings(personal_data="pseudonymise"))
    assert step is not None
    left = pl.DataFrame({"who": ["13800138000", "139-0013-9000"], "bought": [1, 2]})
    right = pl.DataFrame({"who": ["+86 139 0013 9000", "138 0013 8000"], "paid": [3, 4]})
    tables = [
        table.with_columns(who=pl.Series(step.texts(table["who"].to_list())))
        for table in (left, right)
    ]
    assert tables[0].join(tables[1], on="who").select("bought", "paid").sort("bought").rows() == [
        (1, 4),
        (2, 3),
    ]
    assert "138" not in str(tables)


def test_the_key_stays_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_text(f"LUODI_PSEUDONYM_KEY={KEY}\n")
    path.chmod(0o600)
    monkeypatch.delenv("LUODI_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("LUODI_HOME", str(tmp_path))
    step = hiding(CleanSettings(personal_data="pseudonymise"))
    assert step is not None
    preparation = Preparation((step,))
    assert KEY not in str(preparation.to_json()) + repr(preparation) + repr(
        Pseudonyms(KEY.encode())
    )
    again = Preparation.from_json(preparation.to_json())
    assert again.apply([{"text": "call 13800138000"}]) == preparation.apply(
        [{"text": "call 13800138000"}]
    )
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", "not the key of the rows")
    other = Preparation.from_json(preparation.to_json())
    with pytest.raises(BundleError, match="Set the key"):
        other.check()


@pytest.mark.parametrize("key", [None, "", "short"])
def test_a_missing_or_short_key_is_refused(
    key: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUODI_HOME", str(tmp_path))
    monkeypatch.delenv("LUODI_PSEUDONYM_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("LUODI_PSEUDONYM_KEY", key)
    with pytest.raises(MissingPartError, match="LUODI_PSEUDONYM_KEY"):
        hiding(CleanSettings(personal_data="pseudonymise"))


def test_a_key_file_that_others_can_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secrets").write_text(f"LUODI_PSEUDONYM_KEY={KEY}\n")
    (tmp_path / "secrets").chmod(0o644)
    monkeypatch.delenv("LUODI_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("LUODI_HOME", str(tmp_path))
    with pytest.raises(MissingPartError, match="others can read"):
        Pseudonyms.from_environment()


def test_an_older_bundle_hides_what_it_was_taught_to() -> None:
    step = Mask.from_json({"step": "mask", "fields": []})
    text = "13800138000，车牌京A12345"
    assert step.texts([text]) == ["<PHONE>，车牌京A12345"]
    assert Pseudonymise.name != Mask.name
