"""From a report to its page."""

from __future__ import annotations

import contextvars
import math
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from luodi.contracts import current_language, say, use_language
from luodi.evaluation.metrics import title
from luodi.evaluation.page import chart, drawing, wording
from luodi.evaluation.page.view import view
from luodi.evaluation.report import Report

if TYPE_CHECKING:
    from jinja2 import Environment


def render(report: Report) -> str:
    """The report as one self-contained HTML file, in the report's language.

    Whatever stands in the data is text and stays text. Nothing is fetched: no font, no script,
    no picture.
    """

    def draw() -> str:
        use_language(report.language)
        language = "zh-CN" if current_language() == "zh" else "en"
        page = environment().get_template("page.html")
        return page.render(report=report, lang=language, css=style(), **view(report))

    # In a context of its own: the caller's language is none of the page's business.
    return contextvars.copy_context().run(draw)


@cache
def environment() -> Environment:
    """The templates, with what they may call."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("luodi.evaluation", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=wording.clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        say=say, draw=drawing, chart=chart, words=wording, title=title, nan=math.nan
    )
    environment.tests["number"] = wording.is_number
    return environment


@cache
def style() -> Markup:
    """The page's CSS."""
    # Our own file, not data: the one text on the page that is not escaped.
    return Markup(files("luodi.evaluation.page").joinpath("page.css").read_text("utf-8"))  # noqa: S704
