"""What a project file may say of a source; each mistake with its line and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.contracts import ProjectError
from luodi.project.file import load_project
from luodi.project.sources import ApiSource, KafkaSource, S3Source, SqlSource, hide_password, typed

HEAD = """\
name: shop
task: text-classification
data:
  columns: {text: review, label: sentiment}
"""


def load(folder: Path, source: str):
    (folder / "luodi.yaml").write_text(HEAD + source, "utf-8")
    return load_project(folder).data


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('  source: {sql: "select * from r", url: "sqlite:///shop.db"}', "sql"),
        ('  source: {reviews: {sql: "select 1", url: "${SHOP_DB}"}}', "sql"),
        ('  source: {api: "https://h/items", token: "${TOKEN}", pagination: link}', "api"),
        ('  source: {download: "https://h/rows.csv?key=${KEY}"}', "download"),
        ("  source: {s3: s3://rows/2024/*.csv}", "s3"),
        ('  source: {crawl: "https://h/", depth: 1}', "crawl"),
        ('  source: {mqtt: "mqtt://h", topic: a/+, seconds: 10m}', "mqtt"),
        ('  source: {kafka: "h:9092,i:9092", topic: a, count: 5, version: 2.3}', "kafka"),
        ("  source: {files: book.xlsx, sheet: 2024}", "files"),
        ("  source: {texts: folder}", "texts"),
        ("  source: {images: folder, table: list.csv, path: file}", "images"),
        ("  source: https://h/rows.csv", "download"),
        ("  source: s3://rows/a.csv", "s3"),
        ("  source: rows/*.csv", "files"),
        ("  source: {reviews: rows.csv}", "files"),
    ],
)
def test_every_kind(source: str, kind: str, tmp_path: Path) -> None:
    data = load(tmp_path, source)
    assert typed(data.source).kind == kind
    assert load(tmp_path, source).source == data.source


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("  source: {sqll: x, url: y}", r"line 5: data\.source: no kind of source.*mean sql\?"),
        ("  source:\n    sql: select 1\n    urll: sqlite:///x",
         r"line 7: data\.source\.urll: no such name.*sql, url, batch\. Did you mean url\?"),
        ("  source:\n    sql: select 1", r"line 5: data\.source\.url: missing"),
        ("  source:\n    url: sqlite:///x\n    sql: drop table r", r"line 7: data\.source\.sql"),
        ("  source:\n    sql: select 1; commit; drop table x\n    url: sqlite:///x", "several"),
        ("  source:\n    sql: select 'a--'; drop table x\n    url: sqlite:///x", "several"),
        ("  source:\n    sql: select 1 into outfile '/x'\n    url: sqlite:///x", "INTO OUTFILE"),
        ("  source:\n    sql: select 1\n    url: oracle://h/x", r"line 7.*postgresql://HOST"),
        ("  source:\n    api: https://h/\n    pagination: pages", r"line 7.*Did you mean page\?"),
        ("  source:\n    api: https://h/\n    pagination: offset", "without a page_size"),
        ("  source:\n    api: https://h/\n    pagination: cursor", "without cursor"),
        ("  source:\n    api: https://h/\n    rate: 0", r"line 7: data\.source\.rate: 0"),
        ("  source:\n    api: https://h/\n    headers: {\"a b\": x}", "is no HTTP header"),
        ("  source:\n    mqtt: mqtt://h\n    topic: a", "a stream without an end"),
        ("  source:\n    mqtt: http://h\n    topic: a\n    count: 1", r"line 6.*mqtt://HOST"),
        ("  source:\n    s3: bucket/x", r"line 6.*a text of the form"),
        ("  source: 5", r"line 5: data\.source: 5; expected a text"),
        ("  source: a.csv\n  sample: 3", r"line 6: data\.sample: 3"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_line(source: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=words):
        load(tmp_path, source)


@pytest.mark.parametrize(
    "source",
    [
        "  source:\n    sql: select 1\n    url: postgresql://u:hunter2@h/x",
        "  source: https://u:hunter2@h/rows.csv",
        "  source: https://h/rows.csv?api_key=hunter2",
        "  source:\n    api: https://h/\n    token: hunter2",
        "  source:\n    api: https://h/\n    headers: {Authorization: hunter2}",
        "  source:\n    api: https://h/\n    params: {access_key: hunter2}",
        "  source:\n    s3: s3://rows/a.csv\n    secret: hunter2",
        "  source:\n    mqtt: mqtt://u:hunter2@h\n    topic: a\n    count: 1",
        "  source:\n    kafka: h:1\n    topic: a\n    count: 1\n    password: hunter2",
    ],
)
def test_a_written_secret_is_refused_and_not_repeated(source: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"secret is written out.*\$\{NAME\}") as caught:
        load(tmp_path, source)
    assert "hunter2" not in str(caught.value)


def test_how_sources_are_named() -> None:
    assert str(SqlSource(sql="select  1\n", url="${DB}")) == "${DB}: select 1"
    assert str(ApiSource(api="https://h/x")) == "https://h/x"
    assert str(S3Source(s3="s3://rows/x")) == "s3://rows/x"
    assert str(KafkaSource(kafka="h:1", topic="t", count=1)) == "h:1 t"
    assert hide_password("a://u:word@h, b://u:${X}@h") == "a://u:***@h, b://u:${X}@h"


def test_what_an_address_asks_is_not_shown() -> None:
    named = str(ApiSource(api="https://h/x?k=hunter2&page=3&id=${ID}&hunter2"))
    assert named == "https://h/x?k=***&page=3&id=${ID}&***"
    assert hide_password("https://hunter2@h/x?page=hunter2") == "https://***@h/x?page=***"
    assert hide_password("rows?.csv") == "rows?.csv"  # a glob


@pytest.mark.parametrize(
    "source",
    [
        "  source:\n    api: https://h/x\n    params: {k: [hunter2]}",
        "  source:\n    api: https://h/x\n    params: hunter2",
        "  source:\n    api: https://h/x\n    headers: {X-Auth: {a: hunter2}}",
        "  source:\n    api: ftp://h/x?k=hunter2",
    ],
)
def test_a_mistake_does_not_repeat_what_is_sent(source: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        load(tmp_path, source)
    assert "hunter2" not in str(caught.value)
