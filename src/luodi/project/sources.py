"""What `data.source` may say: a text (a path, a glob, an address) or a mapping of one kind.

    source: reviews/*.csv.gz
    source: {sql: "select text, label from tickets", url: "${TICKETS_DB}"}
    source: {api: https://host/items, pagination: cursor, cursor: meta.next, token: "${TOKEN}"}
    source: {download: https://host/rows.csv}
    source: {s3: "s3://bucket/rows/*.parquet", endpoint: https://minio.example.org}
    source: {crawl: https://host/docs, depth: 2, pages: 100}
    source: {mqtt: mqtt://host, topic: plant/+/temperature, count: 10000, seconds: 60}
    source: {kafka: "host:9092", topic: readings, count: 10000}
    source: {files: book.xlsx, sheet: 2024}
    source: {texts: folder-of-label-folders}
    source: {images: folder-of-label-folders}

A secret is named as `${NAME}`, never written: a file that is read by many and kept for ever is no
place for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from luodi.contracts import DataError, say
from luodi.project.quantities import Duration

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_NAME = re.compile(
    r"(?i)authorization|cookie|token|secret|passw|api[-_.]?key|access[-_.]?key|credential|signature"
)


def _no_secret(name: str, value: str) -> str:
    """A header or parameter whose name says that it is a secret holds a reference."""
    if _SECRET_NAME.search(name) and value and not _REFERENCE.search(value):
        raise ValueError(
            say(
                f"a secret is written out in {name}; expected a reference such as ${{NAME}}, with "
                "NAME in the environment or in .luodi/secrets",
                f"{name} 中直接写了机密；应为 ${{NAME}} 形式的引用，NAME 放在环境变量或 "
                ".luodi/secrets 中",
            )
        )
    return value


def check_address(value: str, schemes: tuple[str, ...]) -> str:
    """An address of one of these schemes, or a reference to one, without a written password.

    Raises:
        ValueError: for anything else.
    """
    if _REFERENCE.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        known = parts.scheme.lower() in schemes and (parts.hostname or "sqlite" in parts.scheme)
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            say(
                f"found {hide_password(value)!r}; expected an address such as {schemes[0]}://HOST, "
                "or a reference ${NAME} to one",
                f"收到 {hide_password(value)!r}；应为 {schemes[0]}://主机 形式的地址，"
                "或指向它的引用 ${NAME}",
            )
        )
    if parts.password:
        _no_secret("password", parts.password)
    for name, text in parse_qsl(parts.query):
        _no_secret(name, text)
    return value


def hide_password(address: str) -> str:
    """An address as it may be shown: a written password becomes ***."""
    return re.sub(r"(://[^/@\s:]*:)(?!\$\{)[^/@\s]*@", r"\1***@", address)


class SourceModel(BaseModel):
    """One kind of source; `kind` is the key that tells it from the others.

    What is `remote` is fetched into the store; `in_pieces`, as records, not as files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    remote: ClassVar[bool] = True
    in_pieces: ClassVar[bool] = True

    def __str__(self) -> str:
        """As errors and lineages name it: what is fetched from where, secrets as `${NAME}`."""
        return hide_password(str(getattr(self, self.kind)))


class SqlSource(SourceModel):
    """Rows that a query gives, read in one read-only transaction."""

    kind: ClassVar[str] = "sql"
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "mysql", "mariadb", "sqlite")
    sql: str = Field(min_length=6)
    url: str
    batch: int = Field(default=20_000, ge=1, le=1_000_000)

    @field_validator("sql")
    @classmethod
    def _reads(cls, value: str) -> str:
        bare = re.sub(r"(?s)/\*.*?\*/|--[^\n]*", " ", value).strip().rstrip(";").strip()
        if not re.match(r"(?i)(select|with|values|table)\b", bare):
            raise ValueError(
                say(
                    f"found {value[:60]!r}; expected one query that reads, beginning with SELECT",
                    f"收到 {value[:60]!r}；应为一条以 SELECT 开头的只读查询",
                )
            )
        if re.search(r"(?i)\binto\s+(outfile|dumpfile)\b", bare):
            raise ValueError(
                say("found INTO OUTFILE; expected a query that only reads",
                    "收到 INTO OUTFILE；应为只读查询")
            )  # fmt: skip
        return value

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value.lower().startswith("postgres://"):
            value = "postgresql" + value[8:]
        return check_address(value, cls.schemes)

    def __str__(self) -> str:
        return f"{hide_password(self.url)}: {' '.join(self.sql.split())}"


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
            _no_secret(name, text)
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or set(text) & set("\r\n\0"):
                raise ValueError(
                    say(f"{name!r} is no HTTP header; expected name: value on one line",
                        f"{name!r} 不是 HTTP 头；应为单行的 名称: 值")
                )  # fmt: skip
        return value

    @field_validator("token")
    @classmethod
    def _token(cls, value: str | None) -> str | None:
        return None if value is None else _no_secret("token", value)


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
            _no_secret(name, str(given))
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


class S3Source(SourceModel):
    """Objects of a bucket, S3's own or a compatible one's at `endpoint`.

    Without `key` and `secret` the environment's AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or
    those of the secrets file, are used.
    """

    kind: ClassVar[str] = "s3"
    in_pieces: ClassVar[bool] = False
    s3: str = Field(pattern=r"^s3://[a-zA-Z0-9][a-zA-Z0-9.-]+/.+")
    endpoint: str | None = None
    region: str = "us-east-1"
    key: str | None = None
    secret: str | None = None
    session: str | None = None
    anonymous: bool = False

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str | None) -> str | None:
        return None if value is None else check_address(value, ("https", "http"))

    @field_validator("key", "secret", "session")
    @classmethod
    def _keys(cls, value: str | None) -> str | None:
        return None if value is None else _no_secret("secret", value)


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


class _Stream(SourceModel):
    """What is drained until `count` messages came or `seconds` went by, whichever is first."""

    topic: str = Field(min_length=1)
    count: int | None = Field(default=None, ge=1)
    seconds: Duration | None = None
    user: str | None = None
    password: str | None = None

    @field_validator("password")
    @classmethod
    def _password(cls, value: str | None) -> str | None:
        return None if value is None else _no_secret("password", value)

    @model_validator(mode="after")
    def _ends(self) -> _Stream:
        if self.count is None and self.seconds is None:
            raise ValueError(
                say("a stream without an end; expected count or seconds",
                    "数据流没有终点；应给出 count 或 seconds")
            )  # fmt: skip
        return self

    def __str__(self) -> str:
        return f"{super().__str__()} {self.topic}"


class MqttSource(_Stream):
    """Messages of an MQTT topic; `+` and `#` as in MQTT. mqtts:// is encrypted."""

    kind: ClassVar[str] = "mqtt"
    mqtt: str
    qos: Literal[0, 1, 2] = 1

    @field_validator("mqtt")
    @classmethod
    def _mqtt(cls, value: str) -> str:
        return check_address(value, ("mqtt", "mqtts"))


class KafkaSource(_Stream):
    """Messages of a Kafka topic, read without a group: nobody else's place in it moves.

    `version` is the brokers', such as 2.3, for those that do not tell it themselves.
    """

    kind: ClassVar[str] = "kafka"
    kafka: str = Field(min_length=1)
    start: Literal["earliest", "latest"] = "earliest"
    tls: bool = False
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    version: str | None = Field(default=None, pattern=r"^[0-9]+[.][0-9]+$")

    @field_validator("version", mode="before")
    @classmethod
    def _version(cls, value: object) -> object:
        return str(value) if isinstance(value, float) else value


class FilesSource(SourceModel):
    """Files by a path or a glob, with what their names do not tell."""

    kind: ClassVar[str] = "files"
    remote: ClassVar[bool] = False
    files: str = Field(min_length=1)
    sheet: str | int | None = None
    format: str = Field(default="", pattern=r"^[a-z0-9.]*$")


class TextsSource(SourceModel):
    """A folder with a folder a label; each file is one text."""

    kind: ClassVar[str] = "texts"
    remote: ClassVar[bool] = False
    texts: str = Field(min_length=1)


class ImagesSource(SourceModel):
    """Images: a folder with a folder a label, or `table` with their paths in the column `path`."""

    kind: ClassVar[str] = "images"
    remote: ClassVar[bool] = False
    images: str = Field(min_length=1)
    table: str | None = None
    path: str = "path"


_MODELS: tuple[type[SourceModel], ...] = (
    FilesSource, TextsSource, ImagesSource, SqlSource, ApiSource, DownloadSource, S3Source,
    CrawlSource, MqttSource, KafkaSource,
)  # fmt: skip
KINDS: Mapping[str, type[SourceModel]] = {model.kind: model for model in _MODELS}
TEXT = "<text>"


def tag_of(value: Any) -> str | None:
    """Which kind of source a value is meant to be; None when none."""
    if isinstance(value, SourceModel):
        return f"<{value.kind}>"
    if isinstance(value, Mapping):
        return next((f"<{kind}>" for kind in KINDS if kind in value), None)
    return TEXT


Source = Annotated[
    Annotated[str, Tag(TEXT)]
    | Annotated[FilesSource, Tag("<files>")]
    | Annotated[TextsSource, Tag("<texts>")]
    | Annotated[ImagesSource, Tag("<images>")]
    | Annotated[SqlSource, Tag("<sql>")]
    | Annotated[ApiSource, Tag("<api>")]
    | Annotated[DownloadSource, Tag("<download>")]
    | Annotated[S3Source, Tag("<s3>")]
    | Annotated[CrawlSource, Tag("<crawl>")]
    | Annotated[MqttSource, Tag("<mqtt>")]
    | Annotated[KafkaSource, Tag("<kafka>")],
    Discriminator(tag_of, custom_error_type="source_kind", custom_error_message="no kind"),
]
AnySource = str | SourceModel


def typed(source: AnySource) -> SourceModel:
    """A source given as a text in its kind: an address is fetched, all else are files."""
    if isinstance(source, SourceModel):
        return source
    scheme = source.partition("://")[0].lower() if "://" in source else ""
    try:
        if scheme == "s3":
            return S3Source(s3=source)
        if scheme in ("http", "https"):
            return DownloadSource(download=source)
    except ValidationError as error:
        words = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
        raise DataError(
            say(f"The source {hide_password(source)} is no such address: {words}.",
                f"数据源 {hide_password(source)} 不是有效地址：{words}。"),
            say("Expected https://HOST/FILE or s3://BUCKET/KEY.",
                "应为 https://主机/文件 或 s3://桶/键。"),
        ) from None  # fmt: skip
    return FilesSource.model_construct(files=source)
