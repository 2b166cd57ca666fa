"""Objects of a bucket, S3's own or a compatible one's; those already fetched are not again."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luodi.contracts import DataError, MissingPartError, Progress, say
from luodi.project.secrets import Secrets
from luodi.project.sources import S3Source

if TYPE_CHECKING:
    from botocore.client import BaseClient

_BLOCK = 1 << 20
_LEDGER = "objects.json"
_MAGIC = re.compile(r"[*?]")


def fetch_objects(
    source: S3Source, secrets: Secrets, folder: Path, progress: Progress
) -> list[tuple[Path, str]]:
    """Each object's file and key, sorted by key.

    Raises:
        DataError: nothing is there, or the store refuses; in its own words.
        MissingPartError: no credentials.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, pattern = source.s3.removeprefix("s3://").partition("/")
    try:
        client = _client(source, secrets)
        listed = sorted(_listed(client, bucket, pattern))
        if not listed:
            raise DataError(
                say(f"{source.s3} names no object.", f"{source.s3} 下没有对象。"),
                say("Expected s3://BUCKET/KEY, a glob, or a prefix that ends with /.",
                    "应为 s3://桶/键、通配，或以 / 结尾的前缀。"),
            )  # fmt: skip
        return _fetched(client, bucket, listed, folder, progress)
    except (BotoCoreError, ClientError, OSError) as error:
        raise DataError(
            say(f"The object store answered: {str(error)[:300].rstrip('.')}.",
                f"对象存储应答：{str(error)[:300].rstrip('.')}。"),
            say(f"Asked was: {source}.", f"请求为：{source}。"),
            say("Look at the bucket's name, endpoint, region and keys.",
                "请检查桶名、endpoint、region 与密钥。"),
        ) from None  # fmt: skip


def _client(source: S3Source, secrets: Secrets) -> BaseClient:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    key, secret, session = (
        secrets.resolve(given) if given else secrets.find(name)
        for given, name in (
            (source.key, "AWS_ACCESS_KEY_ID"),
            (source.secret, "AWS_SECRET_ACCESS_KEY"),
            (source.session, "AWS_SESSION_TOKEN"),
        )
    )
    if not source.anonymous and not (key and secret):
        raise MissingPartError(
            say("The object store's keys are not set.", "未设置对象存储的密钥。"),
            say("Looked for AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
                "已查找 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY。"),
            say("Set them in the environment or .luodi/secrets, or say anonymous: true.",
                "请写入环境变量或 .luodi/secrets，或写 anonymous: true。"),
        )  # fmt: skip
    endpoint = source.endpoint and secrets.resolve(source.endpoint)
    config = Config(
        connect_timeout=15, read_timeout=60, retries={"mode": "standard", "max_attempts": 5},
        s3={"addressing_style": "path"} if endpoint else None, proxies={},
        signature_version=UNSIGNED if source.anonymous else None,
    )  # fmt: skip
    # The keys are ours to find: boto3's own search would ask the machine's metadata service.
    return boto3.session.Session(
        aws_access_key_id=key or "none",
        aws_secret_access_key=secret or "none",
        aws_session_token=session,
        region_name=source.region,
    ).client("s3", endpoint_url=endpoint, config=config)


def _listed(client: BaseClient, bucket: str, pattern: str) -> Iterator[tuple[str, str, int]]:
    """(key, ETag, size) of each object that the pattern means."""
    prefix = _MAGIC.split(pattern, maxsplit=1)[0]
    wanted = _glob(pattern) if _MAGIC.search(pattern) else None
    pages: Any = client.get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            key = item["Key"]
            meant = wanted.fullmatch(key) if wanted else pattern.endswith("/") or key == pattern
            if meant and not key.endswith("/"):
                yield key, item["ETag"], item["Size"]


def _glob(pattern: str) -> re.Pattern[str]:
    """As in a shell: * and ? stay within a folder, **/ goes through any."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    signs: Mapping[str, str] = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts))


def _fetched(
    client: Any, bucket: str, listed: list[tuple[str, str, int]], folder: Path, progress: Progress
) -> list[tuple[Path, str]]:
    ledger = folder / _LEDGER
    done: dict[str, list[str]] = json.loads(ledger.read_text()) if ledger.exists() else {}
    total, so_far = sum(size for _, _, size in listed), 0
    found = []
    for number, (key, etag, size) in enumerate(listed):
        name = f"object-{number:06d}-{etag.strip(chr(34))[:16]}{_ending(key)}"
        path = folder / name
        if done.get(key) != [etag, name] or not path.exists():
            # IfMatch: an object that changes on the way is an error, not half of each.
            body = client.get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"]
            with path.open("wb") as file:
                for block in body.iter_chunks(_BLOCK):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            done[key] = [etag, name]
            ledger.write_text(json.dumps(done))
        so_far += size
        progress.step(so_far, total, key)
        found.append((path, key))
    return found


def _ending(key: str) -> str:
    return "".join(PurePosixPath(key).suffixes[-2:])


def host_of(source: S3Source) -> str:
    """The host that is asked."""
    return urlsplit(source.endpoint or "").hostname or ""
