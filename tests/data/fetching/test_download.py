"""A file at an address: read by its name, kept by its content, gone on with where it broke."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from luodi.contracts import DataError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import DownloadSource

CSV = "text,label\n" + "".join(f"第{n}行,{n % 2}\n" for n in range(5000))


def test_a_packed_table(site, access: Access) -> None:
    raw = gzip.compress(CSV.encode())
    server = site(lambda *_: (200, {}, raw))
    collected = collect(server.address + "/shop/rows.csv.gz?v=1", access.root, access=access)
    assert collected.table.height == 5000
    [file] = collected.files
    assert file.sha256 == hashlib.sha256(raw).hexdigest()
    kept = access.home / "data" / "objects" / file.sha256[:2] / file.sha256
    assert kept.read_bytes() == raw
    kept.write_bytes(raw[:-1])
    with pytest.raises(DataError, match=r"gone or was changed.*luodi data fetch"):
        collect(server.address + "/shop/rows.csv.gz?v=1", access.root, access=access)
    assert len(server.asked) == 1


def test_the_rest_is_asked_for(site, access: Access) -> None:
    raw = CSV.encode()

    def answer(_: str, headers: dict[str, str]):
        if "range" not in headers:
            return 200, {"ETag": '"v1"', "Content-Length": str(len(raw))}, raw[:40_000]
        assert headers["if-range"] == '"v1"'
        start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
        span = f"bytes {start}-{len(raw) - 1}/{len(raw)}"
        return 206, {"ETag": '"v1"', "Content-Range": span}, raw[start:]

    server = site(answer)
    collected = collect(server.address + "/rows.csv", access.root, access=access)
    assert collected.table.height == 5000
    assert collected.files[0].sha256 == hashlib.sha256(raw).hexdigest()
    assert [headers.get("range") for headers in server.headers] == [None, "bytes=40000-"]


def test_another_file_is_taken_whole(site, access: Access) -> None:
    """A server that changed the file between two tries answers with the whole of the new one."""
    old, new = CSV.encode(), CSV.replace("第", "新").encode()
    answers = [(200, {"ETag": '"v1"', "Content-Length": str(len(old))}, old[:30_000]),
               (200, {"ETag": '"v2"'}, new)]  # fmt: skip
    server = site(lambda *_: answers.pop(0))
    collected = collect(server.address + "/rows.csv", access.root, access=access)
    assert collected.files[0].sha256 == hashlib.sha256(new).hexdigest()


@pytest.mark.parametrize(
    ("path", "kind", "form"),
    [("/rows", "text/csv; charset=utf-8", ""), ("/rows.php?x=1", "text/html", "csv"),
     ("/", "", ""), ("/../../etc/rows.csv", "", ""), ("/..%2f..%2frows.csv", "", "")],
)  # fmt: skip
def test_a_name_is_only_a_name(path: str, kind: str, form: str, site, access: Access) -> None:
    server = site(lambda *_: (200, {"Content-Type": kind}, CSV.encode()))
    source = DownloadSource(download=server.address + path, format=form)
    assert collect(source, access.root, access=access).table.height == 5000
    assert sorted(p.name for p in access.root.iterdir()) == [".luodi"]
