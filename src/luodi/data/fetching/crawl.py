"""A small polite crawler: the main text of pages, breadth first, one at a time.

robots.txt is honoured (Protego: wild cards, Crawl-delay; RFC 9309: none there allows all, an
error forbids all), as are nofollow and noindex. It stays on the first page's scheme, host and
port. Trafilatura takes the main text out of a page.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from luodi.contracts import DataError, Finding, Progress, say
from luodi.data.fetching.pieces import Pieces, series
from luodi.data.fetching.web import Page, Web, refusal
from luodi.project.sources import CrawlSource

if TYPE_CHECKING:
    from lxml.html import HtmlElement
    from protego import Protego

_LARGEST_PAGE = 10 << 20
_LARGEST_ROBOTS = 512 << 10  # RFC 9309 asks for at least 500 KiB
_AT_ONCE = 20
_QUEUE = 100_000
_HTML = ("text/html", "application/xhtml+xml", "")


def fetch_crawl(
    source: CrawlSource,
    first: str,
    web: Web,
    pieces: Pieces,
    progress: Progress,
    hide: Callable[[str], str],
) -> list[Finding]:
    """Keep url, title, date and text of each page.

    Args:
        hide: takes secrets out of an address that is kept.

    Raises:
        DataError: the first page cannot be had, or robots.txt forbids it.
    """
    first = _as_linked(first)
    robots = _robots(first, web)
    _slow_down(robots, source, web)
    state = pieces.state or {"queue": [[first, 0]], "seen": [first], "asked": 0, "passed": {}}
    queue: deque[list[Any]] = deque(state["queue"])
    seen, asked, passed = set(state["seen"]), int(state["asked"]), Counter(state["passed"])
    rows: list[dict[str, Any]] = []
    while queue and asked < source.pages:
        address, depth = queue.popleft()
        if not robots.can_fetch(address, source.agent):
            if not asked:
                raise _forbidden(web.shown(first))
            passed["robots"] += 1
            continue
        asked += 1
        progress.step(asked, source.pages, web.shown(address))
        page = _page(address, web, first, passed, asked == 1)
        if page is not None:
            seen.add(page.address)
        if page is not None and (tree := _tree(page)) is not None:
            row, links = _read(page, tree, passed)
            rows += [row | {"url": hide(row["url"])}] if row else []
            if depth < source.depth:
                _enqueue(links, depth + 1, first, queue, seen)
        if len(rows) >= _AT_ONCE:
            pieces.add(_table(rows), **_state(queue, seen, asked, passed))
            rows = []
    if queue:
        passed["pages-limit"] += len(queue)
    pieces.add(_table(rows), **_state(deque(), seen, asked, passed))
    return _findings(source, passed)


def _as_linked(first: str) -> str:
    """The first page's address as links of the site write it, so that it is not taken for two."""
    parts = urlsplit(urldefrag(first).url)
    return parts._replace(path=parts.path or "/").geturl()


def _robots(first: str, web: Web) -> Protego:
    from protego import Protego

    try:
        page = web.get(urljoin(first, "/robots.txt"), _LARGEST_ROBOTS)
    except DataError as error:
        if not any(f"answered {status}" in error.found or f"应答 {status}" in error.found
                   for status in range(400, 500)):  # fmt: skip
            raise
        return Protego.parse("")
    return Protego.parse(page.body.decode("utf-8", "replace"))


def _slow_down(robots: Protego, source: CrawlSource, web: Web) -> None:
    if (delay := robots.crawl_delay(source.agent)) and delay > 0:
        web.rate = min(web.rate, 1 / delay)
    if asked := robots.request_rate(source.agent):
        web.rate = min(web.rate, asked.requests / max(asked.seconds, 1))


def _forbidden(first: str) -> DataError:
    return DataError(
        say(f"robots.txt forbids {first}.", f"robots.txt 禁止访问 {first}。"),
        say("It is honoured.", "我们遵守该约定。"),
        say("Ask the owner of the site.", "请联系网站所有者。"),
    )


def _page(address: str, web: Web, first: str, passed: Counter[str], is_first: bool) -> Page | None:
    """The page; None, and counted, when it cannot be had or is none of ours."""
    from luodi.data.fetching.peers import PrivateAddressError

    try:
        page = web.get(address, _LARGEST_PAGE)
    except PrivateAddressError:
        raise
    except DataError:
        if is_first:
            raise
        passed["unreachable"] += 1
        return None
    if _origin(page.address) != _origin(first):
        if is_first:
            there = web.shown(page.address)
            raise refusal(web.shown(address), 302, say(f"leads to {there}", f"跳转到 {there}"))
        passed["elsewhere"] += 1
        return None
    if page.kind not in _HTML:
        passed["no-html"] += 1
        return None
    return page


def _tree(page: Page) -> HtmlElement | None:
    import lxml.etree
    import lxml.html

    try:
        tree: HtmlElement = lxml.html.document_fromstring(
            page.body, base_url=page.address, parser=lxml.html.HTMLParser(encoding=_charset(page))
        )
    except (lxml.etree.LxmlError, ValueError, LookupError):
        return None
    return tree


def _charset(page: Page) -> str | None:
    """What the header says; else UTF-8 where that fits; else the page's own <meta> decides."""
    _, _, said = page.headers.get("content-type", "").partition("charset=")
    if said:
        return said.partition(";")[0].strip(" \"'") or None
    try:
        page.body.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _read(
    page: Page, tree: HtmlElement, passed: Counter[str]
) -> tuple[dict[str, Any] | None, list[str]]:
    """The page's row, unless it has no main text or asks not to be kept; its links."""
    import trafilatura

    wishes = ",".join(tree.xpath("//meta[translate(@name,'ROBTS','robts')='robots']/@content"))
    links = [] if "nofollow" in wishes.lower() else list(_links(page, tree))
    if "noindex" in wishes.lower():
        passed["noindex"] += 1
        return None, links
    found = trafilatura.bare_extraction(tree, url=page.address, with_metadata=True)
    if found is None or isinstance(found, dict) or not (found.text or "").strip():
        passed["no-text"] += 1
        return None, links
    row = {"url": page.address, "title": found.title, "date": found.date, "text": found.text}
    return row, links


def _links(page: Page, tree: HtmlElement) -> Iterator[str]:
    base = next(iter(tree.xpath("//base/@href")), "")
    start = urljoin(page.address, base)
    for anchor in tree.xpath("//a[@href]"):
        if "nofollow" in (anchor.get("rel") or "").lower().split():
            continue
        try:
            yield urldefrag(urljoin(start, anchor.get("href").strip())).url
        except ValueError:  # no address at all, such as http://[
            continue


def _enqueue(
    links: list[str], depth: int, first: str, queue: deque[list[Any]], seen: set[str]
) -> None:
    for link in links:
        if link in seen or len(seen) >= _QUEUE or _origin(link) != _origin(first):
            continue
        seen.add(link)
        queue.append([link, depth])


def _origin(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc.rpartition("@")[2].lower()


def _state(
    queue: deque[list[Any]], seen: set[str], asked: int, passed: Counter[str]
) -> dict[str, Any]:
    return {"queue": list(queue), "seen": sorted(seen), "asked": asked, "passed": dict(passed)}


def _table(rows: list[dict[str, Any]]) -> Any:
    import polars as pl

    names = ("url", "title", "date", "text")
    return pl.DataFrame([series(name, [row[name] for row in rows]) for name in names])


def _findings(source: CrawlSource, passed: Counter[str]) -> list[Finding]:
    words = {
        "robots": ("forbidden by robots.txt", "被 robots.txt 禁止"),
        "unreachable": ("not to be had", "无法获取"),
        "elsewhere": ("led to another site", "跳转到其他网站"),
        "no-html": ("no HTML", "不是 HTML"),
        "noindex": ("asked not to be kept", "要求不被收录"),
        "no-text": ("without main text", "没有正文"),
        "pages-limit": ("left at the limit of pages", "因达到页数上限未访问"),
    }
    return [
        Finding(
            f"crawl-{reason}",
            "warning" if reason in ("unreachable", "pages-limit") else "info",
            count,
            say(f"{source}: {count} pages {words[reason][0]}.",
                f"{source}：{count} 个页面{words[reason][1]}。"),
        )
        for reason, count in passed.items()
    ]  # fmt: skip
