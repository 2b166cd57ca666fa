import asyncio
import json

import pytest

from luodi.traffic.feedback import Feedback, FeedbackLog
from luodi.traffic.reading import read_feedback


def add(home, *feedback, mask=True):
    async def all_of_them():
        log = FeedbackLog(home)
        await asyncio.gather(*(log.add("m", [each], mask) for each in feedback))
        log.close()

    asyncio.run(all_of_them())
    return read_feedback(home, "m")


def test_the_last_word_on_a_row_counts(tmp_path):
    add(tmp_path, Feedback("r1", 0, {"label": "pos"}), Feedback("r1", 1, {"label": "neg"}))
    table = add(tmp_path, Feedback("r1", 0, {"label": "neg"}))
    truths = {
        (row["request_id"], row["row"]): json.loads(row["truth"])["label"]
        for row in table.to_dicts()
    }
    assert truths == {("r1", 0): "neg", ("r1", 1): "neg"}


def test_many_at_once_share_a_write(tmp_path, monkeypatch):
    import os

    synced = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (synced.append(file), real(file)))
    table = add(tmp_path, *(Feedback(f"r{n}", 0, {"label": "pos"}) for n in range(200)))
    assert table.height == 200
    assert 1 <= len(synced) < 50


def test_personal_data_is_masked_and_ids_still_meet(tmp_path):
    from luodi.traffic.masking import Numbers
    from luodi.traffic.segments import root

    table = add(tmp_path, Feedback("13812345678", 0, {"label": "a@b.example.com"}))
    assert "<EMAIL>" in table["truth"][0]
    assert table["request_id"][0] == Numbers(root(tmp_path)).written("13812345678")


def test_a_failed_write_is_told_and_counts_for_nothing(tmp_path, monkeypatch):
    import os

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(OSError, match="No space"):
        add(tmp_path, Feedback("r1", 0, {"label": "pos"}))
