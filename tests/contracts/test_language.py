"""Words that are kept are kept in both languages."""

from __future__ import annotations

import json

from luodi.contracts import DataError, Finding, recording, say, use_language, worded


def test_a_recorded_wording_is_told_in_either_language_also_within_another() -> None:
    with recording():
        inner = say("two rows", "两行")
        kept = json.loads(json.dumps({"note": [say(f"{inner} went", f"去掉{inner}") + "!"]}))
        assert worded(kept) == kept
    assert worded(kept) == {"note": ["two rows went!"]}
    use_language("zh")
    assert worded(kept) == {"note": ["去掉两行!"]}
    assert say("two", "两") == "两"


def test_a_finding_is_in_the_language_of_whoever_reads_it() -> None:
    with recording():
        kept = Finding("copies", "info", 2, say("Two.", "两行。"), ({"row": 1},)).to_json()
    assert Finding(**kept).message == "Two."
    use_language("zh")
    assert Finding(**kept).message == "两行。"


def test_an_error_out_of_recording_work_is_told() -> None:
    with recording():
        error = DataError(say("No rows.", "没有数据行。"), "", say("Add some.", "请添加。"))
    assert str(error) == "No rows. Add some."
    with recording(), recording(False):
        assert say("a", "甲") == "a"
