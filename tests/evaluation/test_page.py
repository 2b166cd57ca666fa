"""The page: whole, harmless, in two languages, and never wider than the window."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from luodi.contracts import current_language, use_language
from luodi.evaluation.page import render
from luodi.evaluation.report import Report

Make = Callable[..., Report]

HOSTILE = (
    '</style></title><script>alert(1)</script><img src=x onerror=alert(2)>" onload=alert(3) x=" '
    "' --> ]]> {{ 7*7 }} {% raw %} &lt; \u202eevil\u2066 \u0000\u0007\ud800 👩‍👩‍👧‍👦 "
    + "long"
    * 400
)
_ELEMENTS = """
html head meta title style body main header nav footer section div p h1 h2 h3 span strong small
code time a ul ol li dl dt dd table thead tbody tr th td figure figcaption details summary i bdi
svg line circle rect path polyline text
"""
OURS = frozenset(_ELEMENTS.split())
"""Every element that the templates and the drawings use."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


class _Reader(HTMLParser):
    """Tags, attributes and texts of a page; open tags are held against closed ones."""

    empty = frozenset(["meta", "img", "br", "link", "input", "hr", "base", "source"])

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.empty:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert not reader.faults
    assert not reader.open
    return reader


def test_text_from_data_stays_text(report: Make) -> None:
    page = render(report(text=HOSTILE))
    page.encode("utf-8")
    reader = _read(page)
    assert {tag for tag, _ in reader.tags} <= OURS
    for tag, attributes in reader.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "src" not in attributes, tag
    assert "49" not in "".join(reader.texts).split()  # {{ 7*7 }} was not computed
    assert "\x00" not in page
    assert "\x07" not in page


def test_a_right_to_left_text_is_kept_to_itself(report: Make) -> None:
    page = render(report(text="\u202eabc"))
    body = page[page.index("<main>") :]
    for match in re.finditer("\u202e", body):
        before = body[: match.start()]
        in_element = before.rfind("<bdi>") > before.rfind("</bdi>")
        in_attribute = before.rfind("<") > before.rfind(">")
        in_title = before.rfind("<title>") > before.rfind("</title>")
        in_block = re.search(r"<(p|h3|text|figcaption)[^<]*$", before) is not None
        assert in_element or in_attribute or in_title or in_block, before[-80:]


def test_nothing_is_fetched(report: Make) -> None:
    page = render(report())
    for found in ("http://", "https://", "url(", "@import", "<script", "<link", "src="):
        assert found not in page, found
    assert "default-src 'none'" in page


@pytest.mark.parametrize(("language", "code"), [("en", "en"), ("zh", "zh-CN")])
def test_speaks_the_reports_language(report: Make, language: str, code: str) -> None:
    made = report(language=language, text="x")
    use_language("zh" if language == "en" else "en")
    before = current_language()
    page = render(made)
    assert current_language() == before
    assert f'<html lang="{code}">' in page
    words = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))
    if language == "en":
        assert not re.search("[\u4e00-\u9fff]", words)
    else:
        # What stays Latin: names and terms of the field, never a sentence of ours.
        assert not re.search(r"\b(the|of|and|is|with|than|rows|model|holds)\b", words)


def test_shows_the_verdict_first_and_every_interval(report: Make) -> None:
    made = report()
    page = render(made)
    assert page.index('id="verdict"') < page.index('id="metrics"') < page.index('id="gate"')
    for found in made.metrics.values():
        assert f"[{found.low:.4f}, {found.high:.4f}]" in page or found.high > 1
    for line in made.verdict.lines:
        assert html.escape(line.reason.split(",")[0].replace("<=", "≤")).split("&")[0] in page
    assert made.digest in page
    assert "opened 3 times" in page


def test_a_report_with_little_in_it_is_a_page_too(report: Make) -> None:
    full = report()
    least = Report(full.name, full.task, "en", full.created, full.run, full.verdict, metrics={})
    _read(render(least))
    _read(render(dataclasses.replace(full, findings=(), history=(), leak=None, baselines={})))


def test_heads_of_tables_are_named_once(report: Make) -> None:
    made = dataclasses.replace(
        report(text="x"), candidates=[{"learner": "linear", "value": 0.8, "seconds": 75.0}]
    )
    page = render(made)
    for name in ("learner", "validation score", "time"):
        assert f"<bdi>{name}</bdi></th>" in page, name


def test_pictures_tell_what_they_show(report: Make) -> None:
    for tag, attributes in _read(render(report())).tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"


def _contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        full = colour.lstrip("#")
        full = "".join(c * 2 for c in full) if len(full) == 3 else full
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_stand_out_in_light_and_dark(report: Make) -> None:
    page = render(report())
    palettes = re.findall(r":root \{(.*?)\}", page, flags=re.DOTALL)
    assert len(palettes) == 2
    for palette in palettes:
        colours = dict(re.findall(r"--([\w-]+): (#\w+)", palette))
        for ink in ("ink", "quiet", "accent", "good", "bad", "warn"):
            for ground in ("paper", "panel"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for tone in ("good", "bad"):
            assert _contrast(colours[tone], colours[f"{tone}-soft"]) >= 4.5, tone


_MEASURE = """<script>
const wide = [];
for (const e of document.querySelectorAll('main *')) {
  if (e.closest('.scroll') && !e.classList.contains('scroll')) continue;
  const box = e.getBoundingClientRect();
  if (box.right > innerWidth + 1 || box.left < -1) wide.push(e.tagName + '.' + e.className);
}
parent.document.title = JSON.stringify({window: innerWidth,
  page: document.documentElement.scrollWidth, wide: wide.slice(0, 9)});
</script></body>"""


def _measured(page: str, folder: Path, width: int) -> dict[str, object]:
    """How wide the page is in a real window of `width`."""
    assert CHROMIUM
    # The measuring script needs the policy out of the way. A frame stands for the window: a
    # window of its own is never narrower than 500 pixels here.
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    inside = html.escape(open_page.replace("</body>", _MEASURE))
    file = folder / "frame.html"
    frame = f'<iframe style="border:0" width="{width}" height="900" srcdoc="{inside}"></iframe>'
    file.write_text(f'<!DOCTYPE html><meta charset="utf-8"><title></title>{frame}', "utf-8")
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1200"),
            *("--virtual-time-budget=2000", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    title = re.search(r"<title>(.*?)</title>", done.stdout, flags=re.DOTALL)
    assert title, done.stderr[-500:]
    found: dict[str, object] = json.loads(html.unescape(title[1]))
    return found


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize(
    ("language", "text", "classes", "width"),
    [("en", HOSTILE, 9, 390), ("zh", "物流很快" * 60, 2, 390), ("en", "fine", 30, 1280)],
)
def test_fits_the_window(
    report: Make, tmp_path: Path, language: str, text: str, classes: int, width: int
) -> None:
    page = render(report(language=language, text=text, classes=classes))
    found = _measured(page, tmp_path, width)
    assert found == {"window": width, "page": width, "wide": []}


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_ruler_sees_what_is_too_wide(report: Make, tmp_path: Path) -> None:
    page = render(report(text="x")).replace("<main>", '<main><p style="width:900px">wide</p>')
    found = _measured(page, tmp_path, 390)
    assert found["page"] != 390
    assert found["wide"]
