# ruff: noqa: S104 - addresses to be refused
"""No fetch reaches a private address that the project file does not name, however it is led."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from luodi.data.fetching import Access
from luodi.data.fetching.peers import PrivateAddressError, guarded, is_public
from luodi.data.sources import collect
from luodi.project.sources import ApiSource, CrawlSource, DownloadSource, S3Source
from tests.data.fetching.servers import server


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("192.168.1.1", False), ("172.31.255.255", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False), ("fe80::1", False),
        ("fd00::1", False), ("::ffff:127.0.0.1", False), ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("224.0.0.1", False), ("::", False),
        ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) == public


def test_a_socket_is_stopped_before_it_connects(site) -> None:
    made = site(lambda *_: (200, {}, b""))
    port = made.server.server_address[1]
    with guarded([]), pytest.raises(PrivateAddressError, match=r"allow_private: \[127\.0\.0\.1\]"):
        socket.create_connection(("127.0.0.1", port), timeout=2)
    with guarded(["localhost"]):
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    socket.create_connection(("127.0.0.1", port), timeout=2).close()  # nobody is guarded now
    assert made.asked == []


@pytest.mark.parametrize("kind", ["api", "download", "crawl", "s3"])
def test_every_way_over_http_is_guarded(kind: str, site, access: Access) -> None:
    made = site(lambda *_: (200, {}, b"[]"))
    bare = Access(access.home, access.root)
    source = {
        "api": ApiSource(api=made.address + "/x"),
        "download": DownloadSource(download=made.address + "/x.csv"),
        "crawl": CrawlSource(crawl=made.address + "/x"),
        "s3": S3Source(s3="s3://rows/k.csv", endpoint=made.address, anonymous=True),
    }[kind]
    with pytest.raises(PrivateAddressError, match="inside this network"):
        collect(source, access.root, access=bare)
    assert made.asked == []


def test_a_redirect_leads_nowhere_private(site, access: Access) -> None:
    inner = site(lambda *_: (200, {}, b'[{"secret": 1}]'))
    outer = site(lambda *_: (302, {"Location": f"http://127.0.0.2:{port(inner)}/"}, b""))
    only = Access(access.home, access.root, ["127.0.0.1"])
    with pytest.raises(PrivateAddressError, match=r"127\.0\.0\.2"):
        collect(ApiSource(api=outer.address + "/x"), access.root, access=only)
    assert (len(outer.asked), inner.asked) == (1, [])


def test_a_public_name_with_a_private_address(site, access: Access, monkeypatch) -> None:
    """DNS rebinding: the name is public when it is looked at and private when it is used."""
    made = site(lambda *_: (200, {}, b"[]"))
    real = socket.getaddrinfo

    def lying(host: str, *rest: object, **more: object):
        return real("127.0.0.1" if host == "shop.example" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    source = ApiSource(api=f"http://shop.example:{port(made)}/x", retries=0)
    with pytest.raises(PrivateAddressError):
        collect(source, access.root, access=Access(access.home, access.root))
    assert made.asked == []
    # Named by the project file, the same address may be asked.
    with pytest.raises(Exception, match="no rows"):
        collect(source, access.root, access=Access(access.home, access.root, ["shop.example"]))
    assert len(made.asked) == 1


def test_a_database_s_own_host_is_named_by_its_source(access: Access) -> None:
    from luodi.project.sources import SqlSource

    with server("postgresql", 5432) as place:
        url = f"postgresql://postgres@127.0.0.1:{place}/postgres"
        source = SqlSource(sql="select 1 as a", url=url)
        table = collect(source, access.root, access=Access(access.home, access.root)).table
    assert table.height == 1


def port(site) -> int:
    return site.server.server_address[1]
