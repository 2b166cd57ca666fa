"""Whom a fetch may connect to: never a private address that the project file does not name.

Names lie: a public name may lead to a private address, today or a second from now, and a public
page may redirect there. So the check is not made on names. Python tells (`sys.addaudithook`)
before a socket connects, with the very address that the connection goes to, whatever library
opens it and after whatever redirect; there a private one is refused.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections.abc import Iterable, Iterator

from luodi.contracts import DataError, say

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class PrivateAddressError(DataError):
    """A fetch led to an address inside the company's own network."""


class Guard:
    """What one fetch may connect to, and what it was refused."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = {address for host in allowed if host.strip() for address in _addresses(host)}
        self.refused: PrivateAddressError | None = None

    def check(self, given: str) -> None:
        """Refuse a private address that was not named.

        Raises:
            PrivateAddressError: which also stays in `refused`: a library may swallow it.
        """
        address = _parsed(given)
        if address is None or is_public(address) or address in self.allowed:
            return
        self.refused = PrivateAddressError(
            say(
                f"The source leads to {address}, an address inside this network.",
                f"数据源指向内网地址 {address}。",
            ),
            say(
                "Fetching goes to public addresses unless the project file names the host.",
                "除非项目文件写明主机，只会访问公网地址。",
            ),
            say(
                f"If it is meant: data.allow_private: [{address}], or the host's name.",
                f"如确需访问：data.allow_private: [{address}]，或写主机名。",
            ),
        )
        raise self.refused


_active: list[Guard] = []
_hooked = False


@contextlib.contextmanager
def guarded(allowed: Iterable[str]) -> Iterator[Guard]:
    """While this lasts, no socket of this process connects to a private address not allowed.

    Raises:
        PrivateAddressError: at the end, when a refusal was swallowed on the way and the work
            failed with another error.
    """
    global _hooked  # noqa: PLW0603  # an audit hook cannot be taken back: one for all guards
    guard = Guard(allowed)
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _active.append(guard)
    try:
        yield guard
    except Exception:
        if guard.refused is not None:
            raise guard.refused from None
        raise
    finally:
        _active.remove(guard)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event != "socket.connect" or not _active:
        return
    address = arguments[1]
    if isinstance(address, tuple) and address and isinstance(address[0], str):
        for guard in tuple(_active):
            try:
                guard.check(address[0])
            except PrivateAddressError:
                # A library that opened the socket foresees errors of the system, not this one.
                if isinstance(arguments[0], socket.socket):
                    arguments[0].close()
                raise


def is_public(address: Address) -> bool:
    """Whether anyone on the internet would reach the same machine at this address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _parsed(text: str) -> Address | None:
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _addresses(host: str) -> set[Address]:
    """The addresses of a host that the project file names; none while it cannot be resolved."""
    bare = host.strip().strip("[]")
    if (address := _parsed(bare)) is not None:
        return {address}
    try:
        found = socket.getaddrinfo(bare, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {address for item in found if (address := _parsed(str(item[4][0]))) is not None}
