"""Lists of synonyms: ours, and a file of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.contracts import DataError
from luodi.data.augment.words import Words, own_groups, read_groups, sound_alikes


def test_our_own_lists_are_whole() -> None:
    groups = own_groups()
    assert len(groups) > 300
    assert all(len(group) > 1 and len(set(group)) == len(group) for group in groups)
    sounds = sound_alikes()
    assert len(sounds) > 400
    assert all(sign not in others and others for sign, others in sounds.items())


def test_a_file_of_the_users(tmp_path: Path) -> None:
    path = tmp_path / "syn.txt"
    path.write_text("# mine\nAa01A01= 人 士 人物\nfast,quick\nice_cream gelato\n独\n", "utf-8")
    assert read_groups(path) == [["人", "士", "人物"], ["fast", "quick"], ["ice cream", "gelato"]]
    assert list(Words(read_groups(path)).synonyms("quick")) == ["fast"]


@pytest.mark.parametrize("content", [b"", b"one\ntwo\n", b"\xff\xfe\xff", None])
def test_a_file_that_is_none_is_told(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "syn.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"syn\.txt"):
        read_groups(path)
