"""A planted secret is nowhere but where it was planted: not in what is printed, nor in any file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.fetching.conftest import Site
from tests.data.fetching.servers import listens
from tests.reviews import make_reviews

TOKEN, WORD = "tk-pl4nted-5ecret", "pw-pl4nted/5ecret"
PROJECT = """\
name: shop-reviews
task: text-classification
data:
  source: {api: "%s/reviews?key=${SHOP_TOKEN}", token: "${SHOP_TOKEN}", retries: 0}
  test: {sql: "select review, sentiment from official", url: "${SHOP_DB}"}
  allow_private: [127.0.0.1]
  columns: {text: review, label: sentiment}
model: {learner: linear}
"""


@pytest.fixture
def site() -> Iterator[Site]:
    rows = [{"review": text, "sentiment": label} for text, label in make_reviews(200)]

    def answer(path: str, headers: dict[str, str]):
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, f"no: {headers.get('authorization')} {path}".encode()
        return 200, {"Content-Type": "application/json"}, json.dumps(rows).encode()

    made = Site(answer)
    yield made
    made.close()


def leaks(folder: Path, *printed: str) -> list[str]:
    """Where a planted secret is found: in any form that a program may give it."""
    forms = [TOKEN, WORD, WORD.replace("/", "%2F")]
    found = [f"printed: {text[:200]}" for text in printed for form in forms if form in text]
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "secrets":
            content = path.read_bytes()
            found += [str(path) for form in forms if form.encode() in content]
    return found


@pytest.fixture
def project(site: Site, tmp_path: Path) -> Path:
    (tmp_path / "luodi.yaml").write_text(PROJECT % site.address)
    home = tmp_path / ".luodi"
    home.mkdir()
    (home / "secrets").write_text(f"SHOP_TOKEN={TOKEN}\nSHOP_DB=sqlite:///official.db\n")
    (home / "secrets").chmod(0o600)
    with sqlite3.connect(tmp_path / "official.db") as connection:
        connection.execute("create table official (review text, sentiment text)")
        connection.executemany("insert into official values (?, ?)", make_reviews(60, seed=11))
    connection.close()
    return tmp_path


def test_a_run_from_afar_leaves_no_secret(luodi, project: Path, site: Site) -> None:
    done = luodi("run", "--json", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.asked == [f"/reviews?key={TOKEN}"]
    log = luodi("data", "log", "--json", cwd=project)
    origins = json.loads(log.stdout)["lineage"]["origins"]
    assert [origin["rows"] for origin in origins] == [200, 60]
    assert "${SHOP_TOKEN}" in origins[0]["source"]
    fetched = luodi("data", "fetch", "--json", cwd=project)
    assert [item["table"] for item in json.loads(fetched.stdout)["fetched"]] == ["data", "test"]
    assert len(site.asked) == 2
    again = luodi("run", "--refresh", "--json", cwd=project)
    assert again.returncode == 0, again.stderr
    assert len(site.asked) == 3
    first, second = json.loads(done.stdout), json.loads(again.stdout)
    assert first["digest"] == second["digest"]
    printed = [text for run in (done, log, fetched, again) for text in (run.stdout, run.stderr)]
    assert leaks(project, *printed) == []


def test_what_goes_wrong_shows_no_secret(luodi, project: Path, site: Site) -> None:
    wrong = (PROJECT % site.address).replace(
        'token: "${SHOP_TOKEN}"', 'headers: {X: "${SHOP_TOKEN}"}, token: "${OTHER_TOKEN}"'
    )
    (project / "luodi.yaml").write_text(wrong)
    done = luodi("run", cwd=project, OTHER_TOKEN=WORD)
    assert done.returncode == 1
    assert "answered 401" in done.stderr
    assert "${OTHER_TOKEN}" in done.stderr
    servers = [("postgresql", 5432), ("mysql", 3306), ("postgresql", 1), ("mysql", 1)]
    told = [done.stdout, done.stderr]
    for kind, port in servers:
        if port != 1 and not listens(port):
            continue
        (project / "luodi.yaml").write_text(PROJECT.replace("%s", site.address))
        url = f"{kind}://nobody:{WORD.replace('/', '%2F')}@127.0.0.1:{port}/none"
        run = luodi("run", "--json", cwd=project, SHOP_DB=url)
        assert run.returncode == 1, run.stdout
        assert json.loads(run.stdout)["error"]["code"] == "data"
        told += [run.stdout, run.stderr]
    assert leaks(project, *told) == []


def test_the_search_finds_what_it_should(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/report.html").write_text(f"<p>{TOKEN}</p>")
    assert leaks(tmp_path, f"url {WORD}") == [
        f"printed: url {WORD}",
        str(tmp_path / "a/report.html"),
    ]
