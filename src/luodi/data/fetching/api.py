"""Records of an HTTP interface, page after page; a killed fetch goes on at the next page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from luodi.contracts import DataError, Finding, JsonValue, Progress, say
from luodi.data.fetching.pieces import Pieces, series
from luodi.data.fetching.web import Page, Web
from luodi.data.fingerprint import fingerprint
from luodi.project.sources import ApiSource, hide_password

if TYPE_CHECKING:
    import polars as pl

_LARGEST = 256 << 20
_NEXT = re.compile(r"<([^>]*)>\s*((?:;\s*[\w*-]+\s*=\s*(?:\"[^\"]*\"|[^,;\s]+)\s*)*)")
_CURSOR_PARAM = "cursor"


def fetch_api(
    source: ApiSource, first: str, params: Mapping[str, str], web: Web, pieces: Pieces,
    progress: Progress,
) -> list[Finding]:  # fmt: skip
    """Keep the records of every page.

    Args:
        first, params: the address and the parameters, with their secrets.

    Raises:
        DataError: an answer that is no success, not of its format, or without the list at
            `records`.
    """
    state = pieces.state or {"page": 0, "next": None, "done": False, "last": ""}
    pages = int(state["page"])
    while not state["done"] and pages < source.pages:
        address = _address(source, first, params, pages, state["next"])
        page = web.get(address, _LARGEST)
        table, answer = _records(source, page, _bare(address))
        state = _after(source, page, answer, table, state)
        pages += 1
        state["page"] = pages
        pieces.add(table.clear() if state["repeated"] else table, **state)
        progress.step(pages, source.pages if not state["done"] else pages,
                      say(f"{pieces.rows:,} rows", f"{pieces.rows:,} 行"))  # fmt: skip
    if repeated := state.get("repeated", 0):
        return [_repeated(source, pages, repeated)]
    if state["done"]:
        return []
    return [
        Finding(
            "pages-limit",
            "warning",
            pages,
            say(f"{source}: stopped after {pages} pages; there are more.",
                f"{source}：读取 {pages} 页后停止，仍有更多。"),
            remedy=say("Raise `pages` in the source.", "请调大来源中的 pages。"),
        )
    ]  # fmt: skip


def _address(
    source: ApiSource, first: str, params: Mapping[str, str], page: int, follow: str | None
) -> str:
    """The address of a page: counted, followed, or with a cursor."""
    asked = dict(params)
    if source.size_param and source.page_size is not None:
        asked[source.size_param] = str(source.page_size)
    if source.pagination == "page":
        asked[source.page_param or "page"] = str(source.first_page + page)
    elif source.pagination == "offset":
        asked[source.page_param or "offset"] = str(page * (source.page_size or 1))
    elif follow is not None:
        if source.pagination == "link" or "://" in follow or follow.startswith("/"):
            return _same_place(first, urljoin(first, follow))
        asked[source.page_param or _CURSOR_PARAM] = follow
    parts = urlsplit(first)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *asked.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _same_place(first: str, following: str) -> str:
    """A next page stays on the host: its answer must not send our token elsewhere."""
    here, there = urlsplit(first), urlsplit(following)
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return following
    raise DataError(
        say(f"The next page of {_bare(first)} lies on {_host(there)}.",
            f"{_bare(first)} 的下一页位于 {_host(there)}。"),
        say(f"Expected {_host(here)}.", f"应为 {_host(here)}。"),
        say("If it is meant, name that host as the source.", "如确需，请以该主机为数据源。"),
    )  # fmt: skip


def _records(source: ApiSource, page: Page, shown: str) -> tuple[pl.DataFrame, JsonValue]:
    """The page's rows, and the whole answer where it is JSON."""
    import orjson

    form = source.format
    if form == "auto":
        is_csv = page.kind in ("text/csv", "application/csv")
        form = "csv" if is_csv else "jsonl" if "ndjson" in page.kind else "json"
    if form != "json":
        from luodi.data.readers import read_file

        if not page.body.strip():
            return _table([], shown), None
        table, _, _ = read_file(page.body, f"page.{form}", shown)
        return table, None
    try:
        answer: JsonValue = orjson.loads(page.body)
    except orjson.JSONDecodeError as error:
        raise DataError(
            say(f"{shown} answers no JSON: line {error.lineno}: {error.msg}.",
                f"{shown} 的应答不是 JSON：第 {error.lineno} 行：{error.msg}。"),
            say("Expected JSON.", "应为 JSON。"),
            say("Say format: csv where it is CSV.", "如为 CSV，请写 format: csv。"),
        ) from None  # fmt: skip
    found = _at(answer, source.records)
    if isinstance(found, dict) and not source.records and source.pagination == "none":
        found = [found]
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        names = ", ".join(list(answer)[:10]) if isinstance(answer, dict) else type(answer).__name__
        raise DataError(
            say(f"{shown} has no list of objects at {source.records or 'its top'}.",
                f"{shown} 在 {source.records or '顶层'} 处没有对象列表。"),
            say(f"The answer holds: {names}.", f"应答包含：{names}。"),
            say("Say records: the dotted path of the list.", "请写 records: 列表的点分路径。"),
        )  # fmt: skip
    return _table(found, shown), answer


def _table(records: list[Any], shown: str) -> pl.DataFrame:
    import polars as pl

    names = list(dict.fromkeys(name for record in records for name in record))
    return pl.DataFrame([series(name, [record.get(name) for record in records]) for name in names])


def _at(value: JsonValue, path: str) -> JsonValue:
    for name in filter(None, path.split(".")):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


def _repeated(source: ApiSource, pages: int, rows: int) -> Finding:
    asked = source.page_param or source.pagination
    return Finding(
        "page-repeated",
        "warning",
        rows,
        say(f"{source}: page {pages} gave the {rows} rows of the page before it again; fetching "
            "stopped there, and they were left out.",
            f"{source}：第 {pages} 页又给出前一页的 {rows} 行；获取到此停止，重复的行未保留。"),
        remedy=say(f"The interface seems to take no notice of {asked}: see how it counts pages, "
                   "and set pagination and page_param.",
                   f"该接口似乎不理会参数 {asked}：请查看其分页方式，并设置 pagination 和 "
                   "page_param。"),
    )  # fmt: skip


def _after(
    source: ApiSource, page: Page, answer: JsonValue, table: pl.DataFrame, before: Mapping[str, Any]
) -> dict[str, Any]:
    """Where to go on. A page without rows, with fewer than asked for, or with those of the page
    before it is the last."""
    following: str | None = None
    rows, repeated, last = table.height, 0, ""
    if source.pagination == "cursor":
        value = _at(answer, source.cursor)
        following = str(value) if value not in (None, "", False) else None
    elif source.pagination == "link":
        following = _next_link(page.headers.get("link", ""))
        following = following and urljoin(page.address, following)
    if source.pagination in ("cursor", "link"):
        if following is not None and following == before["next"]:
            raise DataError(
                say(f"{source} names the same next page again, on page {before['page'] + 1}.",
                    f"{source} 在第 {before['page'] + 1} 页重复给出同一个下一页。"),
                say("Expected another one, or none.", "应为另一页，或没有下一页。"),
            )  # fmt: skip
        done = following is None
    else:
        short = source.page_size is not None and rows < source.page_size
        last = fingerprint(table) if rows else ""
        repeated = rows if last and last == before["last"] else 0
        done = source.pagination == "none" or not rows or short or bool(repeated)
    return {"next": following, "done": done, "last": last, "repeated": repeated}


def _next_link(header: str) -> str | None:
    """The address with rel="next" in a Link header (RFC 8288)."""
    for target, parameters in _NEXT.findall(header):
        relation = re.search(r"rel\s*=\s*(?:\"([^\"]*)\"|([^,;\s]+))", parameters)
        if relation and "next" in (relation[1] or relation[2]).lower().split():
            return str(target)
    return None


def _bare(address: str) -> str:
    """An address without its parameters, which may hold secrets."""
    return hide_password(urlunsplit((*urlsplit(address)[:3], "", "")))


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
