"""Presidio with our recognisers: Chinese kinds under its names, its own kinds beside them."""

from __future__ import annotations

import pytest

from luodi.data.presidio import analyzer
from tests.data.finding_models import needs_models

pytest.importorskip("presidio_analyzer", reason="presidio-analyzer is not installed")


@needs_models
def test_chinese_and_english_texts_are_analysed() -> None:
    engine = analyzer()
    text = "我叫王建国，身份证11010519491231002X，车牌京A12345，税号91350100M000100Y43"
    found = {(text[r.start : r.end], r.entity_type) for r in engine.analyze(text, language="zh")}
    assert found == {
        ("王建国", "PERSON"),
        ("11010519491231002X", "CN_ID_CARD"),
        ("京A12345", "CN_LICENSE_PLATE"),
        ("91350100M000100Y43", "CN_CREDIT_CODE"),
    }
    text = "Anna Kowalska, anna@example.com, her social security number is 536-90-4399."
    kinds = {r.entity_type for r in engine.analyze(text, language="en") if r.score >= 0.5}
    assert {"PERSON", "EMAIL_ADDRESS", "US_SSN"} <= kinds
