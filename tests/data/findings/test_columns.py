"""Each fault planted in a clean table is found, in its column, with its count and its rows."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import polars as pl
import pytest

from luodi.contracts import Role
from tests.data.findings.tables import clean_table, noticed


def planted(name: str, rows: dict[int, object]) -> pl.DataFrame:
    table = clean_table()
    values = table[name].to_list()
    for place, value in rows.items():
        values[place] = value
    return table.with_columns(pl.Series(name, values, strict=False))


def test_missing_values() -> None:
    few = noticed(planted("age in years", dict.fromkeys((3, 5, 8))))["missing-values"]
    assert few.finding.severity == "info"
    assert few.finding.count == 3
    assert few.marks["age in years"].tolist() == [3, 5, 8]
    many = noticed(planted("city", dict.fromkeys(range(200), " ")))["missing-values"]
    assert many.finding.severity == "warning"
    assert many.finding.examples[0] == {"column": "city", "missing": 200, "share": 0.5}


def test_missing_values_written_as_text() -> None:
    found = noticed(planted("city", {1: "N/A", 2: "null", 9: "缺失"}))["missing-as-text"]
    assert found.finding.count == 3
    assert found.marks["city"].tolist() == [1, 2, 9]
    signs = clean_table().with_columns(pl.Series("sign", ["+", "-"] * 200))
    assert "missing-as-text" not in noticed(signs)


def test_constant_and_nearly_constant() -> None:
    table = clean_table(1000).with_columns(
        pl.lit("x").alias("一"),
        pl.lit(None, pl.Int64).alias("none"),
        pl.Series("flag", [1] + [0] * 999),
    )
    found = noticed(table)
    assert found["constant-columns"].finding.columns == ("一", "none")
    assert found["near-constant-columns"].finding.columns == ("flag",)


@pytest.mark.parametrize(
    "form",
    [lambda n: f"{n * 1000:,}", lambda n: f"¥{n}.50", lambda n: f"{n}%", lambda n: f"{n} kg"],
)
def test_numbers_as_text(form) -> None:
    table = clean_table().with_columns(pl.Series("sum", [form(n % 90 + 1) for n in range(400)]))
    found = noticed(table)["numbers-as-text"]
    assert found.finding.columns == ("sum",)


def test_codes_are_no_numbers() -> None:
    table = clean_table().with_columns(
        pl.Series("post code", [f"{n % 97:06}" for n in range(400)]),
        pl.Series("card", [f"62220210{n:011}" for n in range(400)]),
        pl.Series("size", [random.Random(n).choice(["S", "M", "38", "40"]) for n in range(400)]),
    )
    assert not {"numbers-as-text", "mixed-types"} & noticed(table).keys()


def test_strays_among_numbers() -> None:
    values = [str(n) for n in range(400)]
    values[7], values[8] = "see note", "12O"
    found = noticed(clean_table().with_columns(pl.Series("n", values)))["mixed-types"]
    assert found.marks["n"].tolist() == [7, 8]
    assert found.finding.examples[0]["values"] == ["see note", "12O"]


def test_dates_in_two_forms() -> None:
    days = [f"2025-03-{n % 28 + 1:02}" for n in range(400)]
    assert "mixed-dates" not in noticed(clean_table().with_columns(pl.Series("d", days)))
    days[4] = "04/03/2025"
    found = noticed(clean_table().with_columns(pl.Series("d", days)))["mixed-dates"]
    assert found.marks["d"].tolist() == [4]


def test_spellings_of_one_value() -> None:
    found = noticed(planted("label", {1: "Good", 2: "ｇｏｏｄ", 3: "bad "}))["spellings"]
    assert found.marks["label"].tolist() == [1, 2, 3]


@pytest.mark.filterwarnings("error")
def test_numbers_at_the_ends_of_all_numbers_are_no_fault_of_ours() -> None:
    table = pl.DataFrame({"n": [1e308, -1e308, 0.0] * 40, "m": [np.inf, -np.inf, 1.0] * 40})
    assert "constant-columns" not in noticed(table)


def test_outliers() -> None:
    found = noticed(planted("age in years", {11: 999, 12: 3000}))["outliers"]
    assert found.finding.severity == "warning"
    assert sorted(found.marks["age in years"].tolist()) == [11, 12]
    # A long tail is no fault, nor is a column of few values.
    rng = np.random.default_rng(1)
    tails = pl.DataFrame(
        {
            "income": rng.lognormal(8, 1.2, 5000),
            "counts": rng.poisson(0.2, 5000),
            "normal": rng.normal(size=5000),
            "t": rng.exponential(size=5000),
        }
    )
    found = noticed(tails)
    assert "outliers" not in found or found["outliers"].finding.severity == "info"


def test_a_number_that_stands_for_missing() -> None:
    found = noticed(planted("age in years", dict.fromkeys(range(40), -999)))["outliers"]
    assert found.finding.severity == "warning"
    assert found.finding.examples[0]["stands for missing"] == "-999"
    assert len(found.marks["age in years"]) == 40


def test_mojibake() -> None:
    wrong = {
        0: "很好".encode().decode("latin-1"),
        1: "café".encode().decode("cp1252"),
        2: "你好".encode().decode("gbk"),
        3: "服务态度".encode("gbk").decode("latin-1"),
        4: "lost \ufffd here",
    }
    found = noticed(planted("city", wrong))["mojibake"]
    assert found.marks["city"].tolist() == [0, 1, 2, 3, 4]
    assert found.finding.severity == "warning"


def test_hidden_characters() -> None:
    found = noticed(planted("city", {3: "北\u200b京", 4: "a\x07b"}))["hidden-characters"]
    assert found.marks["city"].tolist() == [3, 4]


CHINESE = "房间很干净，服务也很周到，下次来还会住在这里"
ENGLISH = "The room was clean and the staff was friendly, we will be back"
FRENCH = "La chambre est propre et le personnel est très gentil pour les clients"


@pytest.mark.parametrize(
    "other", [ENGLISH, FRENCH, "部屋はとてもきれいでした", "방이 아주 깨끗했어요"]
)
def test_languages(other: str) -> None:
    texts = [f"{CHINESE} {n}" for n in range(270)] + [f"{other} {n}" for n in range(130)]
    found = noticed(clean_table().with_columns(pl.Series("said", texts)))["mixed-languages"]
    assert found.finding.severity == "warning"
    assert found.marks["said"].tolist() == list(range(270, 400))
    alike = [f"{CHINESE} ok, iPhone {n} 很好 thank you" for n in range(400)]
    assert "mixed-languages" not in noticed(clean_table().with_columns(pl.Series("said", alike)))


def test_english_of_any_length_is_one_language() -> None:
    from luodi.data.sources import Path, collect  # noqa: F401
    from tests.data.test_duplicates import english

    texts = english(400, random.Random(1))
    assert "mixed-languages" not in noticed(clean_table().with_columns(pl.Series("said", texts)))


def test_identifiers() -> None:
    found = noticed(clean_table())["identifier-columns"]
    assert (found.finding.columns, found.finding.severity) == (("编号",), "info")
    learnt = noticed(clean_table(), {Role.FEATURE: ["编号"]})["identifier-columns"]
    assert learnt.finding.severity == "warning"
    assert "identifier-columns" not in noticed(clean_table(), {Role.ID: ["编号"]})


def test_classes() -> None:
    labels = ["a"] * 380 + ["b"] * 17 + ["c"] * 3
    table = clean_table().with_columns(pl.Series("label", labels).shuffle(seed=1))
    found = noticed(table, {Role.LABEL: ["label"]})
    assert found["rare-classes"].finding.examples == ({"label": "c", "rows": 3},)
    assert found["class-imbalance"].finding.details["ratio"] == pytest.approx(380 / 3)
    assert not {"rare-classes", "class-imbalance"} & noticed(table).keys()


def test_future_dates() -> None:
    found = noticed(planted("day", {6: dt.date(2035, 1, 1)}))["future-dates"]
    assert found.marks["day"].tolist() == [6]
    texts = clean_table()["day"].cast(pl.String).to_list()
    texts[9] = "2999-01-01"
    found = noticed(clean_table().with_columns(pl.Series("day", texts)))["future-dates"]
    assert found.marks["day"].tolist() == [9]
    due = clean_table().with_columns(pl.col("day").dt.offset_by("3y"))
    assert noticed(due)["future-dates"].finding.severity == "info"


@pytest.mark.parametrize("every", ["1h", "1d", "1mo"])
def test_time_gaps(every: str) -> None:
    hours = pl.datetime_range(pl.datetime(2000, 1, 1), pl.datetime(2020, 1, 1), every, eager=True)
    hours = hours.head(200)
    whole = pl.DataFrame({"at": hours})
    assert "time-gaps" not in noticed(whole, {Role.TIME: ["at"]})
    holed = whole.filter(~pl.int_range(200).is_between(50, 55) & (pl.int_range(200) != 120))
    found = noticed(holed, {Role.TIME: ["at"]})["time-gaps"]
    assert (found.finding.count, found.finding.severity) == (2, "warning")
    if every != "1mo":
        assert found.finding.examples[0]["missing steps"] == 7


def test_weekends_are_no_gaps() -> None:
    days = pl.date_range(dt.date(2024, 1, 1), dt.date(2024, 12, 31), eager=True)
    traded = pl.DataFrame({"day": days.filter(days.dt.weekday() < 6)})
    assert "time-gaps" not in noticed(traded, {Role.TIME: ["day"]})


def test_row_order() -> None:
    roles = {Role.LABEL: ["label"]}
    table = clean_table()
    assert not {"sorted-by-label", "row-order"} & noticed(table, roles).keys()
    assert noticed(table.sort("label"), roles)["sorted-by-label"].finding.severity == "info"
    rng = random.Random(4)
    drifting = [("good" if rng.random() < n / 400 else "bad") for n in range(400)]
    drifting[:150] = ["bad" if rng.random() < 0.97 else "good" for _ in range(150)]
    found = noticed(table.with_columns(pl.Series("label", drifting)), roles)["row-order"]
    assert found.finding.severity == "warning"
    rising = [n + rng.gauss(0, 40) for n in range(400)]
    assert "row-order" in noticed(table.with_columns(pl.Series("label", rising)), roles)


def test_copies_and_conflicts_of_rows() -> None:
    table = clean_table()
    twice = pl.concat([table, table.head(10)])  # the identifiers of both are alike
    found = noticed(twice)["duplicate-rows"]
    assert found.marks[""].tolist() == list(range(400, 410))
    torn = pl.concat([table, table.head(6).with_columns(pl.lit("other").alias("label"))])
    found = noticed(torn, {Role.LABEL: ["label"], Role.ID: ["编号"]})["label-conflicts"]
    assert found.finding.count == 6
    assert found.finding.details["rows"] == 12


def test_near_copies_of_texts() -> None:
    from tests.data.test_duplicates import english

    texts = english(400, random.Random(5))
    texts[300] = texts[20] + "!"
    found = noticed(clean_table().with_columns(pl.Series("said", texts)))["near-duplicates"]
    assert 300 in found.marks["said"].tolist()


def test_copied_columns() -> None:
    table = clean_table().with_columns(
        pl.col("age in years").cast(pl.Float64).alias("age"),
        pl.col("city").alias("town"),
        pl.col("label").alias("answer"),  # what gives the label away is a leak, told as one
        pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(pl.col("day")).alias("nearly"),
    )
    found = noticed(table, {Role.LABEL: ["label"]})["copied-columns"].finding
    assert found.severity == "warning"
    assert [(r["column"], r["as"]) for r in found.examples] == [
        ("age", "age in years"),
        ("town", "city"),
    ]


def test_columns_on_one_line() -> None:
    table = clean_table().with_columns(
        (pl.col("金额.元") * -0.14 + 3).alias("dollars"),
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.col("age in years") * 12).alias("months"),
        (pl.col("age in years") + pl.int_range(pl.len()) % 2 * 5).alias("about"),
    )
    found = noticed(table)["correlated-columns"].finding
    assert found.severity == "info"
    assert {(r["column"], r["with"]) for r in found.examples} == {
        ("dollars", "金额.元"),
        ("months", "age in years"),
    }
    assert {r["column"]: r["r"] for r in found.examples}["dollars"] == -1.0


def test_many_zeros_and_strong_skew() -> None:
    table = clean_table().with_columns(
        pl.when(pl.int_range(pl.len()) % 4 == 0)
        .then(pl.col("金额.元"))
        .otherwise(0.0)
        .alias("fee"),
        pl.Series("flag", [0, 0, 0, 1] * 100),
        pl.Series("tail", [10.0**300] + [float(n % 50) for n in range(399)]),
    )
    found = noticed(table)
    [zeros] = found["many-zeros"].finding.examples
    assert (zeros["column"], zeros["rows"], zeros["share"]) == ("fee", 300, 0.75)
    [skew] = found["strong-skew"].finding.examples
    assert skew["column"] == "tail"
    assert 19 < skew["skewness"] < 20
