"""The finding about personal data, in columns of text of every role that is read or joined by."""

from __future__ import annotations

import time

import polars as pl
import pytest

from luodi.contracts import ROW, CleanSettings, Dataset, Role
from luodi.data.clean import inspect, prepare
from luodi.data.personal import hidden_columns, personal

TABLE = pl.DataFrame(
    {
        ROW: range(4),
        "text": ["call 13800138000", None, "nothing", "mail a@example.com or b@example.com"],
        "城市 (city)": ["x", "车牌京A12345", "y", None],
        "who": ["13800138000", "138 0013 8000", "13900139000", None],
        "amount": [1, 2, 3, 4],
        "label": ["a", "b", "a", "b"],
    }
)
DATA = Dataset(
    TABLE,
    {
        Role.TEXT: ("text",), Role.FEATURE: ("城市 (city)", "amount"), Role.GROUP: ("who",),
        Role.LABEL: ("label",),
    },
)  # fmt: skip


def test_rows_kinds_and_columns_are_counted() -> None:
    [finding], rows = personal(DATA, CleanSettings())
    assert rows == finding.count == 3
    assert finding.details == {"PHONE": 1, "EMAIL": 2, "PLATE": 1}
    assert list(finding.columns) == ["text", "城市 (city)"]
    assert finding.severity == "warning"
    told = str(finding.to_json())
    assert "13800138000" not in told
    assert "京A12345" not in told
    [masked], _ = personal(DATA, CleanSettings(personal_data="mask"))
    assert masked.severity == "info"
    assert "personal_types" in masked.remedy
    [only], rows = personal(DATA, CleanSettings(personal_types=("EMAIL",)))
    assert (rows, only.details) == (1, {"EMAIL": 2})
    assert personal(DATA, CleanSettings(personal_types=("IBAN",))) == ([], 0)


def test_groups_are_hidden_only_where_they_stay_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hidden_columns(DATA, CleanSettings(personal_data="mask")) == ["text", "城市 (city)"]
    wanted = CleanSettings(personal_data="pseudonymise", duplicates="keep")
    assert hidden_columns(DATA, wanted) == ["text", "城市 (city)", "who"]
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", "long enough to be a key")
    contents = [text or "" for text in TABLE["text"].to_list()]
    ready = prepare(DATA, inspect(DATA, contents, wanted), wanted)
    table = ready.data.table
    assert table["amount"].to_list() == [1, 3, 4]  # the row without a text is left out
    assert table["who"][0].startswith("<PHONE:")
    assert table["who"][2] is None
    again = {"who": "138-0013-8000", "text": "x"}
    assert ready.preparation.apply([again])[0]["who"] == table["who"][0]


def test_a_column_of_few_values_is_read_once() -> None:
    rows = 300_000
    table = pl.DataFrame({"text": ["x"], "kind": ["k"]}).with_columns(pl.lit(0).alias(ROW))
    table = pl.concat([table] * 10).select(pl.all().repeat_by(rows // 10).explode())
    data = Dataset(table, {Role.FEATURE: ("text", "kind")})
    started = time.perf_counter()
    assert personal(data, CleanSettings()) == ([], 0)
    assert time.perf_counter() - started < 2
