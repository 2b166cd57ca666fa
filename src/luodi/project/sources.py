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

or several tables by name, one below the other: a mapping of such, or a list.

    source: {jan: jan.csv, feb: {sql: "select text, label from feb", url: "${TICKETS_DB}"}}

A secret is named as `${NAME}`, never written: a file that is read by many and kept for ever is no
place for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar

from pydantic import (
    Discriminator,
    Field,
    StrictBool,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from luodi.contracts import DataError, say
from luodi.project.source_model import (
    SourceModel,
    check_address,
    hide_password,
    no_secret,
    plain_value,
)
from luodi.project.stream_sources import KafkaSource, MqttSource
from luodi.project.strict import Names
from luodi.project.web_sources import ApiSource, CrawlSource, DownloadSource, Scalar

__all__ = [
    "KINDS",
    "AnySource",
    "ApiSource",
    "CrawlSource",
    "DownloadSource",
    "FilesSource",
    "ImagesSource",
    "KafkaSource",
    "MqttSource",
    "S3Source",
    "Scalar",
    "Source",
    "SourceModel",
    "SqlSource",
    "TablesSource",
    "TextsSource",
    "check_address",
    "hide_password",
    "members",
    "plain_value",
    "tables_of",
    "tag_of",
    "typed",
    "written",
]


_COMMENT = r"(?s:/\*.*?\*/)|--[^\n]*"
_QUOTED = r"""'(?:[^'\\]|'')*'|"[^"\\]*"|`[^`]*`"""
"""Without backslashes: servers differ in what those do, and a quote must not end too late."""


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
        bare = re.sub(_COMMENT, " ", value).strip().rstrip(";").strip()
        if not re.match(r"(?i)(select|with|values|table)\b", bare):
            raise ValueError(
                say(
                    f"found {value[:60]!r}; expected one query that reads, beginning with SELECT",
                    f"收到 {value[:60]!r}；应为一条以 SELECT 开头的只读查询",
                )
            )
        # What is quoted or a comment may hold one; a second query could end the transaction in
        # which nothing can be written.
        outside = re.sub(f"{_COMMENT}|{_QUOTED}", " ", value)
        if ";" in outside.strip().rstrip("; \t\n"):
            raise ValueError(
                say("found several queries, parted by a semicolon; expected one that reads",
                    "收到以分号隔开的多条语句；应为一条只读查询")
            )  # fmt: skip
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
        return None if value is None else no_secret("secret", value)


HeaderGiven = StrictBool | Annotated[int, Field(ge=1)] | Names | None
"""Whether files name their columns, in which line, or how they are named from here."""


class FilesSource(SourceModel):
    """Files by a path or a glob, with what their names do not tell; `header` as `data.header`."""

    kind: ClassVar[str] = "files"
    remote: ClassVar[bool] = False
    files: str = Field(min_length=1)
    sheet: str | int | None = None
    format: str = Field(default="", pattern=r"^[a-z0-9.]*$")
    header: HeaderGiven = None


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
_NEAR = 0.75
"""Names from so near to a kind's on are a slip, not a table's."""


def tables_of(value: Any) -> Any:
    """A mapping of named tables, or a list of sources, as `{tables: ...}`; of one, that one alone.
    Any other value as it came.
    """
    if isinstance(value, list | tuple):
        value = {str(place): each for place, each in enumerate(value, 1)}
    if not isinstance(value, Mapping) or not value or tag_of(value) is not None:
        return value
    if len(value) == 1:
        return next(iter(value.values()))
    slips = [name for name in value if get_close_matches(str(name), KINDS, 1, _NEAR)]
    sources = all(isinstance(each, str | Mapping) and tag_of(each) for each in value.values())
    return {"tables": dict(value)} if sources and not slips else value


def tag_of(value: Any) -> str | None:
    """Which kind of source a value is meant to be; None when none."""
    if isinstance(value, SourceModel):
        return f"<{value.kind}>"
    if isinstance(value, Mapping):
        return next((f"<{kind}>" for kind in KINDS if kind in value), None)
    return TEXT


OneSource = Annotated[
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


class TablesSource(SourceModel):
    """Tables by name, each a source of its own; their rows follow one another in this order."""

    kind: ClassVar[str] = "tables"
    remote: ClassVar[bool] = False
    tables: dict[str, OneSource] = Field(min_length=1)

    def __str__(self) -> str:
        told = (f"{name}: {hide_password(str(each))}" for name, each in self.tables.items())
        return ", ".join(told)


def _kind_of(value: Any) -> str:
    several = isinstance(value, TablesSource) or (isinstance(value, Mapping) and "tables" in value)
    return "<tables>" if several else "<one>"


Source = Annotated[
    Annotated[OneSource, Tag("<one>")] | Annotated[TablesSource, Tag("<tables>")],
    Discriminator(_kind_of),
]
AnySource = str | SourceModel


def members(source: AnySource) -> list[SourceModel]:
    """What a source is made of, each in its kind: its tables where it has several, else itself."""
    kind = typed(source)
    return (
        [typed(each) for each in kind.tables.values()] if isinstance(kind, TablesSource) else [kind]
    )


def headed_by(source: AnySource, header: HeaderGiven) -> int:
    """In which line a source's files name their columns, by `data.header` unless it says so itself;
    0 where none does."""
    own = source.header if isinstance(source, FilesSource) else None
    given = header if own is None else own
    if given is False or isinstance(given, tuple):
        return 0
    return 1 if given is None else int(given)


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


def written(text: str) -> AnySource:
    """A source as it would stand behind `data.source:`: a text, or a mapping in YAML's braces.

    Raises:
        DataError: nothing, or braces that hold no source.
    """
    if not text.strip():
        raise DataError(
            say("The source is empty.", "数据源为空。"),
            say("Expected a file, an address or a mapping of one kind.",
                "应为文件、地址，或一种数据源的映射。"),
        )  # fmt: skip
    if not text.lstrip().startswith("{"):
        return text
    import yaml

    try:
        source: AnySource = TypeAdapter[AnySource](Source).validate_python(
            tables_of(yaml.safe_load(text))
        )
    except (yaml.YAMLError, ValidationError) as error:
        words = str(error).splitlines()[0]
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"][1:]))
            words = f"{place}: {first['msg']}" if place else str(first["msg"])
        raise DataError(
            say(f"The source {hide_password(text)[:80]} is none: {words}.",
                f"{hide_password(text)[:80]} 不是有效来源：{words}。"),
            say("Expected a mapping of one kind, as in data.source.",
                "应与 data.source 的写法相同。"),
            say("Such as {images: FOLDER}.", "例如 {images: 文件夹}。"),
        ) from None  # fmt: skip
    return source
