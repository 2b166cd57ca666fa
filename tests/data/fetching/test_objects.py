"""Objects of a bucket, from a real S3 server (moto's) on loopback."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from luodi.contracts import ROW, DataError, MissingPartError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import S3Source
from tests.data.fetching.conftest import Stopping


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    pytest.importorskip("moto.server", reason="moto is not installed")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1",
                          aws_access_key_id="key", aws_secret_access_key="word")  # noqa: S106  # fmt: skip
    client.create_bucket(Bucket="rows")
    texts = {
        "2024/a.csv": "n,text\n1,好\n",
        "2024/b.csv": "n,text\n2,x\n",
        "2024/deep/c.csv": "n,text\n3,y\n",
        "2024/readme.doc": "no",
    }
    for key, text in texts.items():
        client.put_object(Bucket="rows", Key=key, Body=text.encode())
    client.put_object(Bucket="rows", Key="packed/rows.csv.gz", Body=gzip.compress(b"n\n7\n"))
    client.put_object(Bucket="rows", Key="../../etc/rows.csv", Body=b"n\n8\n")
    yield address
    server.stop()


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "word")


@pytest.mark.parametrize(
    ("pattern", "rows"),
    [
        ("2024/a.csv", [1]), ("2024/*.csv", [1, 2]), ("2024/**/*.csv", [1, 2, 3]),
        ("2024/deep/", [3]), ("packed/rows.csv.gz", [7]), ("../../etc/rows.csv", [8]),
    ],
)  # fmt: skip
def test_which_objects_a_pattern_means(pattern, rows, endpoint: str, access: Access) -> None:
    source = S3Source(s3=f"s3://rows/{pattern}", endpoint=endpoint)
    collected = collect(source, access.root, access=access)
    assert collected.table["n"].to_list() == rows
    assert sorted(p.name for p in access.root.iterdir()) == [".luodi"]
    assert ROW in collected.table.columns


def test_what_is_wrong_is_said(endpoint: str, access: Access, monkeypatch) -> None:
    def get(**given):
        collect(S3Source(endpoint=endpoint, **given), access.root, access=access)

    with pytest.raises(DataError, match="names no object"):
        get(s3="s3://rows/none.csv")
    with pytest.raises(DataError, match="NoSuchBucket"):
        get(s3="s3://no-such-bucket/a.csv")
    with pytest.raises(DataError, match=r"ending '\.doc'"):
        get(s3="s3://rows/2024/readme.doc")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MissingPartError, match="keys are not set"):
        get(s3="s3://rows/2024/b.csv")


def test_what_was_fetched_is_not_again(endpoint: str, access: Access) -> None:
    source = S3Source(s3="s3://rows/2024/**/*.csv", endpoint=endpoint)
    with pytest.raises(KeyboardInterrupt):
        collect(source, access.root, Stopping(2), access)
    partial = access.home / "data/collected"
    kept = {path: path.stat().st_mtime_ns for path in partial.glob("*.partial/object-*")}
    assert len(kept) == 2
    with pytest.raises(KeyboardInterrupt):
        collect(source, access.root, Stopping(3), access)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    assert collect(source, access.root, access=access).table["n"].to_list() == [1, 2, 3]
