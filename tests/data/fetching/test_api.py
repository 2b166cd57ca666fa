"""Pages of every kind, tokens, pauses, half answers: what an interface may do to us."""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from luodi.contracts import ROW, DataError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import ApiSource

ROWS = [{"n": n, "text": f"第{n}行", **({"more": n / 2} if n % 3 else {})} for n in range(25)]
TABLE = [(n, row["text"], row.get("more")) for n, row in enumerate(ROWS)]


def reply(value: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"} | headers, json.dumps(value).encode()


def asked(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def by_page(path: str, _: object):
    page = int(asked(path)["page"])
    return reply({"data": {"items": ROWS[10 * (page - 1) : 10 * page]}})


def by_offset(path: str, _: object):
    start, size = int(asked(path)["offset"]), int(asked(path)["limit"])
    return reply(ROWS[start : start + size])


def by_cursor(path: str, _: object):
    start = int(asked(path).get("after", "0"))
    following = str(start + 10) if start + 10 < len(ROWS) else None
    return reply({"rows": ROWS[start : start + 10], "meta": {"next": following}})


def by_link(path: str, _: object):
    start = int(asked(path).get("from", "0"))
    link = f'</items?from={start + 10}>; rel="next", </items?from=0>; rel="first"'
    return reply(ROWS[start : start + 10], **({"Link": link} if start + 10 < len(ROWS) else {}))


WAYS = {
    "page": (by_page, {"records": "data.items"}, 4),
    "offset": (by_offset, {"page_size": 10, "size_param": "limit"}, 3),
    "cursor": (by_cursor, {"records": "rows", "cursor": "meta.next", "page_param": "after"}, 3),
    "link": (by_link, {}, 3),
    "none": (lambda *_: reply(ROWS), {}, 1),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_pages(way: str, site, access: Access) -> None:
    answer, options, pages = WAYS[way]
    server = site(answer)
    source = ApiSource(api=f"{server.address}/items", pagination=way, rate=500, **options)
    collected = collect(source, access.root, access=access)
    assert collected.table.drop(ROW).rows() == TABLE
    assert len(server.asked) == pages
    # Once is enough; a second time only when it is asked for.
    assert collect(source, access.root, access=access).table.equals(collected.table)
    assert len(server.asked) == pages
    collect(source, access.root, access=dataclasses.replace(access, refresh=True))
    assert len(server.asked) == 2 * pages


def test_a_broken_fetch_goes_on_at_its_page(site, access: Access) -> None:
    broken = {"20": True}

    def answer(path: str, headers: dict[str, str]):
        if broken.get(asked(path)["offset"]):
            return 400, {}, b"not now"
        return by_offset(path, headers)

    server = site(answer)
    source = ApiSource(api=f"{server.address}/items", pagination="offset", page_size=10,
                       size_param="limit", rate=500)  # fmt: skip
    with pytest.raises(DataError, match=r"answered 400 \(not now\)"):
        collect(source, access.root, access=access)
    broken.clear()
    assert collect(source, access.root, access=access).table.drop(ROW).rows() == TABLE
    offsets = [asked(path)["offset"] for path in server.asked]
    assert offsets == ["0", "10", "20", "20"]


def test_it_tries_again_as_the_server_asks(site, access: Access) -> None:
    answers = [(429, {"Retry-After": "1"}, b""), (503, {}, b""), reply(ROWS)]
    server = site(lambda *_: answers.pop(0))
    started = time.monotonic()
    table = collect(ApiSource(api=server.address + "/x", rate=500), access.root, access=access)
    assert table.table.height == 25
    assert time.monotonic() - started >= 1
    assert len(server.asked) == 3


def test_an_answer_cut_short_is_asked_for_again(site, access: Access) -> None:
    whole = reply(ROWS)
    cut = (200, {"Content-Length": str(len(whole[2]))}, whole[2][:50])
    answers = [cut, whole]
    server = site(lambda *_: answers.pop(0))
    table = collect(ApiSource(api=server.address + "/x", rate=500), access.root, access=access)
    assert table.table.drop(ROW).rows() == TABLE


def test_requests_keep_their_distance(site, access: Access) -> None:
    server = site(by_link)
    started = time.monotonic()
    source = ApiSource(api=f"{server.address}/items", pagination="link", rate=5)
    collect(source, access.root, access=access)
    assert time.monotonic() - started >= 0.4  # 3 requests, 2 pauses of 0.2 s


def test_csv_pages(site, access: Access) -> None:
    bodies = {"1": b"n,text\n1,a\n2,b\n", "2": b"n,text\n3,c\n", "3": b""}
    server = site(lambda path, _: (200, {"Content-Type": "text/csv"}, bodies[asked(path)["page"]]))
    source = ApiSource(api=server.address + "/x", pagination="page", rate=500)
    assert collect(source, access.root, access=access).table.drop(ROW).rows() == [
        (1, "a"), (2, "b"), (3, "c"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "options", "words"),
    [
        ((401, {}, b"who?"), {}, r"answered 401 \(who\?\).*token is missing or wrong"),
        ((200, {}, b"<html>"), {}, "answers no JSON: line 1"),
        (reply({"a": {"b": 1}}), {"records": "a.c"}, r"no list of objects at a\.c.*holds: a"),
        (reply([1, 2]), {}, "no list of objects"),
        (reply({"r": [{"a": 1}], "n": "/x?c=1"}),
         {"records": "r", "pagination": "cursor", "cursor": "n"}, "same next page again"),
        (reply([{"a": 1}], Link='<http://elsewhere.example/x>; rel="next"'),
         {"pagination": "link"}, r"next page .* lies on elsewhere\.example"),
        (reply([]), {}, "no rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(answer, options, words, site, access: Access) -> None:
    server = site(lambda *_: answer)
    source = ApiSource(api=server.address + "/x", rate=500, **options)
    with pytest.raises(DataError, match=words):
        collect(source, access.root, access=access)


def test_more_pages_than_wanted_are_counted(site, access: Access) -> None:
    server = site(by_link)
    source = ApiSource(api=f"{server.address}/items", pagination="link", rate=500, pages=2)
    collected = collect(source, access.root, access=access)
    assert collected.table.height == 20
    assert [(f.code, f.count) for f in collected.findings] == [("pages-limit", 2)]


def test_a_token_goes_to_its_host_alone(site, access: Access, monkeypatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "tk-5ecret-93")
    other = site(lambda *_: reply(ROWS))
    elsewhere = other.address.replace("127.0.0.1", "localhost")
    first = site(lambda *_: (302, {"Location": elsewhere + "/y"}, b""))
    source = ApiSource(api=first.address + "/x", token="${SHOP_TOKEN}", rate=500,  # noqa: S106
                       headers={"X-Api-Key": "${SHOP_TOKEN}"})  # fmt: skip
    assert collect(source, access.root, access=access).table.height == 25
    assert first.headers[0]["authorization"] == "Bearer tk-5ecret-93"
    assert first.headers[0]["x-api-key"] == "tk-5ecret-93"
    assert not {"authorization", "x-api-key"} & set(other.headers[0])


def test_a_server_that_says_enough_is_left_alone(site, access: Access) -> None:
    def answer(path: str, headers: object):
        status, said, body = by_link(path, headers)
        return status, said | {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, body

    server = site(answer)
    started = time.monotonic()
    source = ApiSource(api=f"{server.address}/items", pagination="link", rate=500)
    assert collect(source, access.root, access=access).table.height == 25
    assert time.monotonic() - started >= 2  # 3 requests, 2 pauses of a second


def test_an_answer_without_end(site, access: Access, monkeypatch) -> None:
    """A small packed answer that unpacks to more than a page may be."""
    from luodi.data.fetching import api

    monkeypatch.setattr(api, "_LARGEST", 1 << 20)
    bomb = gzip.compress(b"[" + b" " * (64 << 20))
    server = site(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb))
    with pytest.raises(DataError, match="answers with more than 1 MiB"):
        collect(ApiSource(api=server.address + "/x"), access.root, access=access)


def test_redirects_in_a_circle(site, access: Access) -> None:
    server = site(lambda *_: (302, {"Location": "/x"}, b""))
    with pytest.raises(DataError, match=r"gives no answer: .*redirects"):
        collect(ApiSource(api=server.address + "/x"), access.root, access=access)
    assert len(server.asked) == 6


def test_a_token_in_the_next_address_is_not_kept(site, access: Access, monkeypatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "pl4nted-5ecret")

    def answer(path: str, headers: object):
        assert asked(path)["key"] == "pl4nted-5ecret"
        if asked(path).get("from") == "10" and broken:
            return 400, {}, b"not now"
        status, said, body = by_link(path, headers)
        link = said.get("Link", "").replace("?from", "?key=pl4nted-5ecret&from")
        return status, said | {"Link": link}, body

    broken = [True]
    server = site(answer)
    source = ApiSource(api=server.address + "/items", params={"key": "${SHOP_TOKEN}"},
                       pagination="link", rate=500, retries=0)  # fmt: skip
    with pytest.raises(DataError, match=r"key=\$\{SHOP_TOKEN\}&from=10 answered 400"):
        collect(source, access.root, access=access)
    files = [path for path in access.home.rglob("*") if path.is_file()]
    assert any(path.name == "state.json" for path in files)
    assert not any(b"pl4nted" in path.read_bytes() for path in files)
    broken.clear()
    assert collect(source, access.root, access=access).table.height == 25
    assert len(server.asked) == 4


def test_no_value_that_was_sent_is_in_an_error(site, access: Access) -> None:
    def answer(path: str, headers: dict[str, str]):
        return 500, {}, f"no: {path} {headers['x-shop']} http://h/{path}".encode()

    source = ApiSource(
        api=f"{site(answer).address}/rows?k=hunter2%2F", params={"who": "hunter2", "q": 7},
        headers={"X-Shop": "hunter2"}, pagination="page", retries=0,
    )  # fmt: skip
    with pytest.raises(DataError, match=r"answered 500") as caught:
        collect(source, access.root, access=access)
    assert "hunter2" not in str(caught.value)
    assert "/rows?k=***&who=***&q=***&page=1 answered" in str(caught.value)
    silent = source.model_copy(update={"api": "http://127.0.0.1:9/rows?k=hunter2"})
    with pytest.raises(DataError, match="gives no answer") as caught:
        collect(silent, access.root, access=access)
    assert "hunter2" not in str(caught.value)
    assert "k=***" in str(caught.value)


@pytest.mark.parametrize("way", ["page", "offset"])
def test_an_interface_that_takes_no_notice_of_pages_is_told(way, site, access: Access) -> None:
    server = site(lambda *_: reply(ROWS))
    source = ApiSource(api=f"{server.address}/items", pagination=way, rate=500, page_size=len(ROWS))
    collected = collect(source, access.root, access=access)
    assert collected.table.drop(ROW).rows() == TABLE
    assert len(server.asked) == 2
    [finding] = collected.findings
    assert (finding.code, finding.count) == ("page-repeated", len(ROWS))
    assert way in finding.remedy


def test_the_last_page_given_for_all_behind_it_is_left_out(site, access: Access) -> None:
    def answer(path: str, _: object):
        page = min(int(asked(path)["page"]), 3)
        return reply(ROWS[10 * (page - 1) : 10 * page])

    source = ApiSource(api=f"{site(answer).address}/items", pagination="page", rate=500)
    collected = collect(source, access.root, access=access)
    assert collected.table.drop(ROW).rows() == TABLE
    assert [finding.count for finding in collected.findings] == [5]
