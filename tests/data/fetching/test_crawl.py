"""The crawler keeps to robots.txt, to its site, to its limits; and takes the main text."""

from __future__ import annotations

import time

import pytest

from luodi.contracts import DataError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import CrawlSource
from tests.data.fetching.conftest import Stopping

WORDS = "房间很干净，服务也很周到，下次来还会住在这里。The breakfast was warm and plenty. " * 6
ROBOTS = "User-agent: *\nDisallow: /private\nDisallow: /*.pdf$\n"


def page(title: str, *links: str, head: str = "") -> bytes:
    anchors = " ".join(f'<a href="{link}">go</a>' for link in links)
    return (
        f"<html><head><title>{title}</title>{head}</head><body><nav>Home | Login</nav><article>"
        f"<h1>{title}</h1><p>{title}: {WORDS}</p></article><footer>{anchors} (c) us</footer></body>"
    ).encode()


PAGES = {
    "/": page("first", "/a", "/b#part", "b", "/private/x", "/x.pdf", "http://other.example/",
              "mailto:a@b.c", "http://[", "/img", "/hidden", "/away"),
    "/a": page("a", "/deep", "/"),
    "/b": page("b", "/a"),
    "/deep": page("deep", "/deeper"),
    "/deeper": page("deeper"),
    "/private/x": page("never"),
    "/hidden": page("hidden", "/a", head='<meta name="Robots" content="NoIndex">'),
}  # fmt: skip


def answer(path: str, _: object):
    if path == "/robots.txt":
        return 200, {"Content-Type": "text/plain"}, ROBOTS.encode()
    if path == "/img":
        return 200, {"Content-Type": "image/png"}, b"\x89PNG"
    if path == "/away":
        return 302, {"Location": "http://localhost:1/x"}, b""
    if path in PAGES:
        return 200, {"Content-Type": "text/html; charset=utf-8"}, PAGES[path]
    return 404, {}, b"no"


def test_a_small_site(site, access: Access) -> None:
    server = site(answer)
    source = CrawlSource(crawl=server.address + "/", depth=2, rate=20, retries=0)
    collected = collect(source, access.root, access=access)
    assert server.asked[0] == "/robots.txt"
    assert "/private/x" not in server.asked
    assert "/x.pdf" not in server.asked
    assert len(server.asked) == len(set(server.asked))
    table = collected.table
    found = {url.removeprefix(server.address) for url in table["url"]}
    assert found == {"/", "/a", "/b", "/deep"}
    assert table["title"].to_list()[0] == "first"
    assert all("房间很干净" in text and "Login" not in text for text in table["text"])
    counts = {finding.code: finding.count for finding in collected.findings}
    assert counts == {
        "crawl-robots": 2, "crawl-no-html": 1, "crawl-noindex": 1, "crawl-unreachable": 1,
    }  # fmt: skip


def test_its_limits(site, access: Access) -> None:
    server = site(answer)
    source = CrawlSource(crawl=server.address + "/", depth=9, pages=2, rate=20)
    collected = collect(source, access.root, access=access)
    assert collected.table.height == 2
    assert {finding.code for finding in collected.findings} >= {"crawl-pages-limit"}
    shallow = CrawlSource(crawl=server.address + "/a", depth=0, rate=20)
    assert collect(shallow, access.root, access=access).table.height == 1


@pytest.mark.parametrize(("depth", "pages"), [(0, 1), (1, 2), (2, 3), (3, 4)])
def test_depth_is_counted_from_the_first_page(depth: int, pages: int, site, access: Access) -> None:
    chain = {f"/{n or ''}": page(str(n), f"/{n + 1}", "/") for n in range(5)}

    def along(path: str, _: object):
        return (
            (200, {"Content-Type": "text/html"}, chain[path]) if path in chain else (404, {}, b"")
        )

    server = site(along)
    source = CrawlSource(crawl=server.address, depth=depth, rate=20)  # without a last slash
    assert collect(source, access.root, access=access).table.height == pages
    assert len(server.asked) == pages + 1


def test_a_page_behind_a_redirect_is_read_once(site, access: Access) -> None:
    def moved(path: str, headers: object):
        if path == "/old":
            return 302, {"Location": "/new"}, b""
        if path == "/new":
            return 200, {"Content-Type": "text/html"}, page("new", "/new")
        return 404, {}, b""

    source = CrawlSource(crawl=site(moved).address + "/old", depth=2, rate=20)
    assert collect(source, access.root, access=access).table.height == 1


def test_robots_that_forbid_or_fail(site, access: Access) -> None:
    no = site(lambda path, _: (200, {}, b"User-agent: luodi\nDisallow: /\n"))
    with pytest.raises(DataError, match=r"robots\.txt forbids"):
        collect(CrawlSource(crawl=no.address + "/", rate=20), access.root, access=access)
    assert no.asked == ["/robots.txt"]
    broken = site(lambda path, _: (500, {}, b""))
    with pytest.raises(DataError, match="answered 500"):
        collect(CrawlSource(crawl=broken.address + "/", rate=20, retries=0), access.root,
                access=access)  # fmt: skip
    assert broken.asked == ["/robots.txt"]
    none = site(lambda path, h: (404, {}, b"") if path == "/robots.txt" else answer("/deeper", h))
    one = CrawlSource(crawl=none.address + "/deeper", rate=20)
    assert collect(one, access.root, access=access).table.height == 1


def test_it_keeps_the_pace_that_robots_ask_for(site, access: Access) -> None:
    def slow(path: str, headers: object):
        if path == "/robots.txt":
            return 200, {}, b"User-agent: *\nCrawl-delay: 0.3\n"
        return answer(path, headers)

    server = site(slow)
    started = time.monotonic()
    source = CrawlSource(crawl=server.address + "/", depth=1, pages=3, rate=20)
    collect(source, access.root, access=access)
    assert time.monotonic() - started >= 0.6


def test_a_stopped_crawl_goes_on(site, access: Access, monkeypatch) -> None:
    from luodi.data.fetching import crawl

    monkeypatch.setattr(crawl, "_AT_ONCE", 1)
    server = site(answer)
    source = CrawlSource(crawl=server.address + "/", depth=2, rate=20, retries=0)
    with pytest.raises(KeyboardInterrupt):
        collect(source, access.root, Stopping(4), access)
    before = list(server.asked)
    table = collect(source, access.root, access=access).table
    found = {url.removeprefix(server.address) for url in table["url"]}
    assert found == {"/", "/a", "/b", "/deep"}
    assert table["url"].n_unique() == table.height
    again = [path for path in server.asked[len(before) :] if path in before]
    assert set(again) <= {"/robots.txt", before[-1]}


def test_a_secret_in_an_address_is_not_kept(site, access: Access, monkeypatch) -> None:
    from luodi.data.fetching import crawl

    monkeypatch.setenv("SITE_KEY", "pl4nted/5ecret")
    monkeypatch.setattr(crawl, "_AT_ONCE", 1)
    keyed = {"/": page("first", "/a?key=pl4nted%2F5ecret"), "/a": page("second")}

    def locked(path: str, _: object):
        bare, _, query = path.partition("?")
        if bare == "/robots.txt":
            return 404, {}, b""
        assert query in ("key=pl4nted/5ecret", "key=pl4nted%2F5ecret")
        return 200, {"Content-Type": "text/html"}, keyed[bare]

    server = site(locked)
    source = CrawlSource(crawl=server.address + "/?key=${SITE_KEY}", rate=20)
    with pytest.raises(KeyboardInterrupt):
        collect(source, access.root, Stopping(2), access)
    files = [path for path in access.home.rglob("*") if path.is_file()]
    assert any(path.name == "state.json" for path in files)
    table = collect(source, access.root, access=access).table
    assert [url.partition("?")[2] for url in table["url"]] == ["key=${SITE_KEY}"] * 2
    files += [path for path in access.home.rglob("*") if path.is_file()]
    assert not any(b"5ecret" in path.read_bytes() for path in files if path.exists())
