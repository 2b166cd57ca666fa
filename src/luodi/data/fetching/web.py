"""HTTP as a fetch uses it: polite, patient, bounded.

urllib3 connects, follows redirects (a token never goes along to another host), and tries again
with growing pauses, longer when the server asks for it (Retry-After). Requests keep a distance of
1/rate seconds. An answer may be cut off by a size, compressed or not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, urljoin, urlsplit

from luodi import __version__
from luodi.contracts import DataError, say
from luodi.project.sources import hide_password, plain_value

if TYPE_CHECKING:
    import urllib3

_BLOCK = 1 << 18
_PATIENCE = 120  # seconds that one Retry-After may ask for
_LONGEST = 900  # seconds that one page may take, however it trickles
_EPOCH = 10**9  # a larger number of seconds is a moment, a smaller one a span
_REDIRECTS = 5
_SHORTEST = 4  # a shorter value would be found in words that have nothing to do with it
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class BrokenAnswerError(DataError):
    """An answer broke off in its middle; what came of it may be gone on with."""


@dataclass(frozen=True)
class Manners:
    """How a server is asked.

    Attributes:
        headers: with their secrets; none of them goes along to another host.
        rate: requests a second; `retries` after the first try; `timeout` in seconds a wait.
        hide: puts references in the place of secrets.
    """

    headers: Mapping[str, str]
    rate: float
    retries: int
    timeout: float
    agent: str = "luodi"
    hide: Callable[[str], str] = str


@dataclass(frozen=True)
class Page:
    """An answer that was read whole. `address` is where it came from, after redirects."""

    address: str
    body: bytes
    headers: Mapping[str, str]
    status: int = 200

    @property
    def kind(self) -> str:
        """The media type, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Web:
    """One fetch's way to HTTP servers.

    Attributes:
        rate: requests a second; a server's wish may lower it.
    """

    def __init__(self, manners: Manners) -> None:
        import urllib3

        self.manners = manners
        private = {"Authorization", "Cookie", "Proxy-Authorization", *manners.headers}
        self._retry = urllib3.Retry(
            total=manners.retries + _REDIRECTS,
            connect=min(manners.retries, 3),
            read=manners.retries,
            status=manners.retries,
            other=0,
            redirect=_REDIRECTS,
            status_forcelist=_AGAIN,
            backoff_factor=0.5,
            backoff_max=30,
            backoff_jitter=0.2,
            respect_retry_after_header=True,
            retry_after_max=_PATIENCE,
            raise_on_status=False,
            remove_headers_on_redirect=private,
        )
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=manners.timeout, read=manners.timeout)
        )
        self.rate = manners.rate
        self._next = 0.0

    def get(self, address: str, limit: int, **extra: str) -> Page:
        """The whole answer of a GET.

        Raises:
            DataError: no answer, an answer that is not a success, or one of over `limit` bytes.
        """
        for attempt in range(self.manners.retries + 1):
            try:
                return self._get(address, limit, extra)
            except BrokenAnswerError:
                if attempt == self.manners.retries:
                    raise
                time.sleep(min(0.5 * 2**attempt, 30))
        raise AssertionError("unreachable")

    def _get(self, address: str, limit: int, extra: Mapping[str, str]) -> Page:
        response = self.open(address, **extra)
        pieces, size = [], 0
        end = time.monotonic() + _LONGEST
        shown = self.shown(address)
        try:
            for block in self.blocks(response, address):
                size += len(block)
                if time.monotonic() > end:
                    raise DataError(
                        say(f"{shown} has been answering for {_LONGEST} s.",
                            f"{shown} 的应答已持续 {_LONGEST} 秒。"),
                        say("Expected a page by then.", "届时应已得到一页。"),
                    )  # fmt: skip
                if size > limit:
                    raise DataError(
                        say(f"{shown} answers with more than {limit >> 20} MiB.",
                            f"{shown} 的应答超过 {limit >> 20} MiB。"),
                        remedy=say("Ask for smaller pages.", "请缩小分页。"),
                    )  # fmt: skip
                pieces.append(block)
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        where = urljoin(address, response.url or "")
        return Page(where, b"".join(pieces), headers, response.status)

    def open(self, address: str, **extra: str) -> urllib3.BaseHTTPResponse:
        """An answer whose body is still to be read.

        Raises:
            DataError: when there is none, or it is not a success.
        """
        import urllib3

        self._wait()
        headers = {
            "User-Agent": f"{self.manners.agent}/{__version__}",
            "Accept-Encoding": "gzip, deflate",
            **self.manners.headers,
            **{name.replace("_", "-"): value for name, value in extra.items()},
        }
        try:
            response = self._pool.request(
                "GET", address, headers=headers, retries=self._retry, preload_content=False,
                enforce_content_length=False,  # the half that came is wanted: `blocks` checks
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as error:
            raise self._silent(address, error) from None
        self._heed(response.headers)
        if response.status >= 300 and response.status != 304:
            body = response.read(400, decode_content=True).decode("utf-8", "replace")
            response.close()
            raise refusal(self.shown(address), response.status, self.masked(body, address))
        return response

    def blocks(self, response: urllib3.BaseHTTPResponse, address: str) -> Iterator[bytes]:
        """The body, decompressed, a block at a time.

        Raises:
            DataError: the answer broke off.
        """
        import urllib3

        try:
            yield from response.stream(_BLOCK, decode_content=True)
            if left := response.length_remaining:
                raise urllib3.exceptions.IncompleteRead(response.tell(), left)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            silent = self._silent(address, error)
            raise BrokenAnswerError(silent.found, silent.expected, silent.remedy) from None

    def shown(self, address: str) -> str:
        """The address as an error or a log may name it: what its query says is not told."""
        return hide_password(self.manners.hide(address))

    def masked(self, text: str, address: str) -> str:
        """What a server or a library says of a request, without the values that were sent along."""
        sent = [value for name, value in parse_qsl(urlsplit(address).query)
                if not plain_value(name, value)]  # fmt: skip
        for header in self.manners.headers.values():
            sent += [header, header.removeprefix("Bearer ")]
        text = self.manners.hide(text)
        for value in sorted(sent, key=len, reverse=True):
            for form in (value, quote(value, safe=""), quote_plus(value)):
                text = text.replace(form, "***") if len(form) >= _SHORTEST else text
        return hide_password(text)

    def _silent(self, address: str, error: BaseException) -> DataError:
        reason = getattr(error, "reason", None) or error
        words = self.masked(str(reason).partition("): ")[2] or str(reason), address)
        shown = self.shown(address)
        return DataError(
            say(f"{shown} gives no answer: {words[:200].rstrip('.')}.",
                f"{shown} 没有应答：{words[:200].rstrip('.')}。"),
            say("Expected an answer.", "应有应答。"),
            say("The same command tries again, from where it stopped.", "同一命令会从中断处重试。"),
        )  # fmt: skip

    def _heed(self, headers: Mapping[str, str]) -> None:
        """A server that says that nothing is left of what it allows is left alone till then."""
        remaining = headers.get("x-ratelimit-remaining") or headers.get("ratelimit-remaining")
        reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        if remaining != "0" or not reset.isdigit():
            return
        pause = int(reset) - time.time() if int(reset) > _EPOCH else int(reset)
        self._next = time.monotonic() + min(max(pause, 0.0), _PATIENCE)

    def _wait(self) -> None:
        now = time.monotonic()
        if now < self._next:
            time.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.rate


def refusal(address: str, status: int, body: str) -> DataError:
    """The error for an answer that is not a success; both texts as they may be shown."""
    shown = " ".join(body.split())[:160]
    remedies = {
        401: say("The token is missing or wrong.", "缺少令牌或令牌错误。"),
        403: say("The token may not read this.", "该令牌无权读取。"),
        404: say("Look at the address.", "请检查地址。"),
        429: say("Lower `rate`, or come back later.", "请调低 rate，或稍后再试。"),
    }
    return DataError(
        say(f"{address} answered {status}{f' ({shown})' if shown else ''}.",
            f"{address} 应答 {status}{f'（{shown}）' if shown else ''}。"),
        say("Expected 200.", "应为 200。"),
        remedies.get(status, say("The same command tries again, from where it stopped.",
                                 "同一命令会从中断处重试。")),
    )  # fmt: skip
