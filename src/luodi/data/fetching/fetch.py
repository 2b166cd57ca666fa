"""One source from afar, into the store; what was fetched before is not fetched again."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from luodi.contracts import (
    DataError,
    Finding,
    LuodiError,
    MissingPartError,
    Progress,
    Spoken,
    recording,
    say,
)
from luodi.data.fetching.peers import guarded
from luodi.data.fetching.pieces import Pieces
from luodi.data.fetching.web import Manners, Web
from luodi.data.store import Manifest, Store, key_of
from luodi.project import sources as kinds
from luodi.project.secrets import Secrets
from luodi.project.sources import SourceModel

_LOGGERS = (
    "urllib3",
    "botocore",
    "boto3",
    "s3transfer",
    "kafka",
    "paho",
    "trafilatura",
    "sqlalchemy",
)
Found = tuple[list[tuple[Path, str]], list[Finding]]
"""Files with the names that readers know them by, and what was noticed."""


@dataclass(frozen=True)
class Access:
    """What a fetch may use.

    Attributes:
        home: the state folder, with the store and the secrets file.
        root: the project's folder.
        allow_private: hosts and addresses inside the own network that may be asked.
        refresh: fetch again what was fetched before.
    """

    home: Path
    root: Path
    allow_private: Sequence[str] = ()
    refresh: bool = False


@dataclass
class _Job:
    """One fetch at work."""

    access: Access
    secrets: Secrets
    folder: Path
    progress: Progress
    pieces: Pieces = field(init=False)

    def __post_init__(self) -> None:
        self.pieces = Pieces(self.folder, self.secrets)

    def found(self, findings: list[Finding], name: str) -> Found:
        """The pieces as files."""
        files = self.pieces.files
        named = [(path, f"{name}-{number:06d}.parquet") for number, path in enumerate(files, 1)]
        return named, findings


def fetch(source: SourceModel, access: Access, progress: Progress) -> Manifest:
    """What the source gave: from the store, or fetched into it now.

    Raises:
        DataError: it cannot be had, or leads to a private address that was not named.
        MissingPartError: a secret or a library is missing.
    """
    store, key = Store(access.home), key_of(source)
    known = store.find(key)
    if known is not None and not access.refresh:
        return known
    with store.work(key) as folder:
        again = store.find(key)
        if again is not None and again != known:  # another run has just fetched it
            return again
        secrets = Secrets(access.home)
        job = _Job(access, secrets, folder, Spoken(progress))
        with recording():  # whoever reads the store next may have another language
            files, findings = _carefully(source, job)
        if not files:
            raise DataError(
                say(f"{source} gives no rows.", f"{source} 没有给出数据行。"),
                say("Expected rows.", "应有数据行。"),
            )
        when = datetime.now(UTC).isoformat(timespec="seconds")
        objects = [store.put(path, name) for path, name in files]
        manifest = Manifest(str(source), when, objects, findings)
        store.keep(key, manifest)
        store.discard(folder)
    return store.find(key) or manifest


def _carefully(source: SourceModel, job: _Job) -> Found:
    """Fetch behind the guard; whatever goes wrong is told in words that hold no secret."""
    try:
        with _silent(), guarded([*job.access.allow_private, *_named(source, job.secrets)]):
            return _WAYS[type(source)](source, job)
    except LuodiError as error:
        raise job.secrets.hidden(error) from None
    except ModuleNotFoundError as error:
        raise MissingPartError(
            say(f"{error.name} is not installed.", f"未安装 {error.name}。"),
            say(f"It reads sources of the kind {source.kind}.", f"读取 {source.kind} 来源需要它。"),
            "pip install 'luodi[sources]'",
        ) from None
    except Exception as error:
        # A dozen libraries speak here, each with errors of its own: none may end in a traceback,
        # which could show an address with its password.
        words = job.secrets.hide(f"{type(error).__name__}: {error}")
        raise DataError(
            say(
                f"{source} cannot be fetched: {words[:300]}.", f"无法获取 {source}：{words[:300]}。"
            )
        ) from None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Libraries that would log addresses, with what secrets they hold, say nothing meanwhile."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _named(source: SourceModel, secrets: Secrets) -> list[str]:
    """The hosts of databases and brokers that the source itself names: they lead nowhere else."""
    if isinstance(source, kinds.SqlSource):
        from luodi.data.fetching.sql import host_of

        return [host_of(secrets.resolve(source.url))]
    if isinstance(source, kinds.MqttSource):
        return [urlsplit(secrets.resolve(source.mqtt)).hostname or ""]
    if isinstance(source, kinds.KafkaSource):
        servers = secrets.resolve(source.kafka).split(",")
        return [server.strip().rpartition(":")[0] for server in servers]
    return []


def _sql(source: kinds.SqlSource, job: _Job) -> Found:
    from luodi.data.fetching.sql import fetch_sql

    address = job.secrets.resolve(source.url)
    fetch_sql(source, address, job.access.root, job.pieces, job.progress)
    return job.found([], "sql")


def _web(source: kinds.ApiSource | kinds.DownloadSource | kinds.CrawlSource, job: _Job) -> Web:
    headers = {name: job.secrets.resolve(value) for name, value in source.headers.items()}
    if source.token is not None:
        headers["Authorization"] = f"Bearer {job.secrets.resolve(source.token)}"
    agent = source.agent if isinstance(source, kinds.CrawlSource) else "luodi"
    hide = job.secrets.hide
    return Web(Manners(headers, source.rate, source.retries, source.timeout, agent, hide))


def _api(source: kinds.ApiSource, job: _Job) -> Found:
    from luodi.data.fetching.api import fetch_api

    params = {name: _param(job, value) for name, value in source.params.items()}
    first, web = job.secrets.resolve(source.api), _web(source, job)
    findings = fetch_api(source, first, params, web, job.pieces, job.progress)
    return job.found(findings, "api")


def _param(job: _Job, value: kinds.Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return job.secrets.resolve(str(value))


def _download(source: kinds.DownloadSource, job: _Job) -> Found:
    from luodi.data.fetching.download import download

    address, web = job.secrets.resolve(source.download), _web(source, job)
    path = download(source, address, web, job.folder, job.progress)
    return [(path, path.name)], []


def _crawl(source: kinds.CrawlSource, job: _Job) -> Found:
    from luodi.data.fetching.crawl import fetch_crawl

    first, web = job.secrets.resolve(source.crawl), _web(source, job)
    findings = fetch_crawl(source, first, web, job.pieces, job.progress, job.secrets.hide)
    return job.found(findings, "crawl")


def _s3(source: kinds.S3Source, job: _Job) -> Found:
    from luodi.data.fetching.objects import fetch_objects

    return fetch_objects(source, job.secrets, job.folder, job.progress), []


def _login(source: kinds.MqttSource | kinds.KafkaSource, job: _Job) -> tuple[str, str]:
    return job.secrets.resolve(source.user or ""), job.secrets.resolve(source.password or "")


def _mqtt(source: kinds.MqttSource, job: _Job) -> Found:
    from luodi.data.fetching.mqtt import fetch_mqtt

    address, login = job.secrets.resolve(source.mqtt), _login(source, job)
    return job.found(fetch_mqtt(source, address, login, job.pieces, job.progress), "mqtt")


def _kafka(source: kinds.KafkaSource, job: _Job) -> Found:
    from luodi.data.fetching.kafka import fetch_kafka

    servers, login = job.secrets.resolve(source.kafka), _login(source, job)
    return job.found(fetch_kafka(source, servers, login, job.pieces, job.progress), "kafka")


_WAYS: dict[type[SourceModel], Callable[..., Found]] = {
    kinds.SqlSource: _sql,
    kinds.ApiSource: _api,
    kinds.DownloadSource: _download,
    kinds.CrawlSource: _crawl,
    kinds.S3Source: _s3,
    kinds.MqttSource: _mqtt,
    kinds.KafkaSource: _kafka,
}
