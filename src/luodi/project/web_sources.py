"""Sources over HTTP: an interface, a file, a site."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from luodi.contracts import say
from luodi.project.quantities import Duration
from luodi.project.source_model import SourceModel, check_address, no_secret


class _Web(SourceModel):
    """What every fetch over HTTP may be told.

    `rate` is in requests a second; `timeout` in seconds, for each wait on the network.
    """

    headers: dict[str, str] = Field(default_factory=dict)
    token: str | None = None
    rate: float = Field(default=10.0, gt=0, le=1000)
    retries: int = Field(default=5, ge=0, le=20)
    timeout: Duration = 30.0

    @field_validator("headers")
    @classmethod
    def _headers(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            no_secret(name, text)
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or set(text) & set("\r\n\0"):
                raise ValueError(
                    say(f"{name!r} is no HTTP header; expected name: value on one line",
                        f"{name!r} 不是 HTTP 头；应为单行的 名称: 值")
                )  # fmt: skip
        return value

    @field_validator("token")
    @classmethod
    def _token(cls, value: str | None) -> str | None:
        return None if value is None else no_secret("token", value)


Scalar = str | int | float | bool


class ApiSource(_Web):
    """Records of a JSON or CSV interface, page after page.

    Attributes:
        records: the dotted path of the list within an answer; empty for the answer itself.
        pagination: `page` and `offset` count in the parameter `page_param`; `cursor` takes the
            next one from the dotted path `cursor` (a token, or a whole address); `link` follows
            the Link header's rel="next".
        page_size: asked for in `size_param`; `offset` counts on by it.
        pages: never more than so many.
    """

    kind: ClassVar[str] = "api"
    api: str
    params: dict[str, Scalar] = Field(default_factory=dict)
    records: str = ""
    format: Literal["auto", "json", "jsonl", "csv"] = "auto"
    pagination: Literal["none", "page", "offset", "cursor", "link"] = "none"
    page_param: str = ""
    first_page: int = Field(default=1, ge=0)
    size_param: str = ""
    page_size: int | None = Field(default=None, ge=1)
    cursor: str = ""
    pages: int = Field(default=10_000, ge=1)

    @field_validator("api")
    @classmethod
    def _api(cls, value: str) -> str:
        return check_address(value, ("https", "http"))

    @field_validator("params")
    @classmethod
    def _params(cls, value: dict[str, Scalar]) -> dict[str, Scalar]:
        for name, given in value.items():
            no_secret(name, str(given))
        return value

    @model_validator(mode="after")
    def _pages(self) -> ApiSource:
        if self.pagination == "offset" and self.page_size is None:
            raise ValueError(
                say("pagination by offset without a page_size; expected how many rows a page has",
                    "按 offset 分页但没有 page_size；应为每页的行数")
            )  # fmt: skip
        if self.pagination == "cursor" and not self.cursor:
            raise ValueError(
                say("pagination by cursor without cursor; expected the dotted path of the next "
                    "cursor in an answer, such as meta.next",
                    "按 cursor 分页但没有 cursor；应为应答中下一游标的点分路径，例如 meta.next")
            )  # fmt: skip
        return self


class DownloadSource(_Web):
    """A file at an address, read by its ending or by `format` (such as csv or parquet)."""

    kind: ClassVar[str] = "download"
    in_pieces: ClassVar[bool] = False
    download: str
    format: str = Field(default="", pattern=r"^[a-z0-9.]*$")

    @field_validator("download")
    @classmethod
    def _download(cls, value: str) -> str:
        return check_address(value, ("https", "http"))


class CrawlSource(_Web):
    """The main text of pages reached from a first one, robots.txt honoured."""

    kind: ClassVar[str] = "crawl"
    crawl: str
    depth: int = Field(default=2, ge=0, le=20)
    pages: int = Field(default=100, ge=1, le=100_000)
    rate: float = Field(default=1.0, gt=0, le=20)
    agent: str = Field(default="luodi", pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")

    @field_validator("crawl")
    @classmethod
    def _crawl(cls, value: str) -> str:
        return check_address(value, ("https", "http"))
