"""Texts brought into one form: encoding, HTML, addresses, Unicode, width, case, white space.

Light: the service does to a request what was done to the rows, by this very code.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Collection

from luodi.data.mojibake import repaired

URL = "<URL>"

_ADDRESS = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'，。；！？、）】》]+|\bwww\.[a-z0-9-]+\.[^\s<>\"'，。；]+", re.I
)
# Named, so that <EMAIL> and other placeholders, and "a < b > c", are left alone.
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|b|big|blockquote|body|br|button|center|cite|code|col|dd|del|div|dl"
    r"|dt|em|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li"
    r"|link|main|mark|meta|nav|ol|option|p|pre|q|s|samp|script|section|select|small|span|strike"
    r"|strong|style|sub|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|tt|u|ul|var|video)"
    r"(?:\s[^<>]*)?/?>",
    re.I,
)
# What no page shows: from an opening to the next closing.
_HIDDEN_PARTS = (
    (re.compile(r"<script\b", re.I), re.compile(r"</script\s{0,9}>", re.I)),
    (re.compile(r"<style\b", re.I), re.compile(r"</style\s{0,9}>", re.I)),
    (re.compile("<!--"), re.compile("-->")),
    (re.compile("<!doctype", re.I), re.compile(">")),
)
_PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]{1,15}(?::[a-p]{16})?>")
_AMPERSANDS = re.compile(r"&(?:amp;)+", re.I)
_SPACE = re.compile(r"\s+")
_UNSEEN = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
# Letters, digits and signs of full width; Chinese punctuation keeps its own.
_WIDTH = {
    code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "！（），：；？［］"
} | {0x3000: 0x20}
_HALF_KANA = re.compile("[\uff61-\uff9f\uffa0-\uffdc]+")
_PASSES = 6


def _without_html(text: str) -> str:
    if "<" in text:
        for opening, closing in _HIDDEN_PARTS:
            text = _cut(text, opening, closing)
        text = _TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(_AMPERSANDS.sub("&", text))
    return text


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Without what stands from each opening to its closing; in linear time, whatever comes."""
    kept, at = [], 0
    while (start := opening.search(text, at)) and (end := closing.search(text, start.end())):
        kept += [text[at : start.start()], " "]
        at = end.end()
    return "".join([*kept, text[at:]]) if kept else text


def _without_addresses(text: str) -> str:
    return _ADDRESS.sub(URL, text) if "://" in text or "www." in text.lower() else text


def _one_unicode(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def _one_width(text: str) -> str:
    if text.isascii():
        return text
    text = text.translate(_WIDTH)
    return _HALF_KANA.sub(lambda kana: unicodedata.normalize("NFKC", kana[0]), text)


def _small(text: str) -> str:
    """Small letters, but for placeholders: a second look must know them for what they are."""
    small = text.lower()
    if "<" not in text or len(small) != len(text):
        return small
    pieces = list(small)
    for match in _PLACEHOLDER.finditer(text):
        pieces[match.start() : match.end()] = match[0]
    return "".join(pieces)


def _one_space(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


_WAYS: dict[str, Callable[[str], str]] = {
    "encoding": repaired,
    "html": _without_html,
    "urls": _without_addresses,
    "unicode": _one_unicode,
    "width": _one_width,
    "case": _small,
    "space": _one_space,
}


def tidy(text: str, ways: Collection[str]) -> str:
    """The text in one form, by the ways named; doing it twice changes nothing.

    Args:
        ways: of `encoding` (garbled texts are read back), `html` (tags and entities go), `urls`
            (become <URL>), `unicode` (NFC, no hidden signs), `width` (letters and digits half
            wide), `case` (small letters), `space` (single blanks); done in this order.
    """
    for _ in range(_PASSES):  # what one way uncovers is another's to take
        before = text
        for name, way in _WAYS.items():
            if name in ways:
                text = way(text)
        if text == before:
            break
    return text
