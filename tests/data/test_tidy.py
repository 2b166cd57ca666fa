"""Each way does what its name says; twice is as once; nothing hostile takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.data.tidy import tidy

WAYS = ("encoding", "html", "urls", "unicode", "width", "case", "space")


@pytest.mark.parametrize(
    ("way", "text", "tidied"),
    [
        ("encoding", "å¥½ book", "好 book"),
        ("html", "<p>很好<br/>a &lt; b &amp;amp; c</p><script>x<1</script>", " 很好 a < b & c  "),
        ("html", "mail <EMAIL>, 3 < 5 > 2", "mail <EMAIL>, 3 < 5 > 2"),
        ("urls", "见 https://a.cn/x?y=1，好 www.b.com/z end", "见 <URL>，好 <URL> end"),
        ("unicode", "e\u0301\u200b\ufeff\x07好", "é好"),
        ("width", "ＡＢＣ１２３％，（好）　ｶﾞ", "ABC123%，（好） ガ"),
        ("case", "Good BOOK", "good book"),
        ("space", "  a\u3000b\n\tc ", "a b c"),
    ],
)
def test_ways(way: str, text: str, tidied: str) -> None:
    assert tidy(text, [way]) == tidied
    assert tidy(text, []) == text


TEXTS = st.one_of(
    st.text(),
    st.text("<>/&;amplt#bp好Ａ１ \u200b.:htswURL"),
    st.sampled_from(["&amp;lt;b&amp;gt;", "<<b>b>", "htt\u200bp://x.cn", "ｗww.x.cn"]),
)


@given(text=TEXTS, ways=st.sets(st.sampled_from(WAYS)))
def test_twice_is_as_once(text: str, ways: set[str]) -> None:
    once = tidy(text, ways)
    assert tidy(once, ways) == once


@pytest.mark.parametrize(
    "text", ["<script>", "<b ", "&amp;", "<!doctype", "www.", "<!--", "Ã©", "</script ", "&#"]
)
def test_nothing_hostile_takes_long(text: str) -> None:
    started = time.process_time()
    tidy(text * (300_000 // len(text)), WAYS)
    assert time.process_time() - started < 5
