"""The project file's section `data`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_core import InitErrorDetails

from luodi.contracts import (
    AnonymitySettings,
    AugmentSettings,
    CleanSettings,
    ColumnKind,
    HistorySettings,
    SplitSettings,
    parse_rule,
    say,
)
from luodi.project.sources import AnySource, HeaderGiven, Source, check_address, tables_of
from luodi.project.strict import Names, Strict, listed, written_label


def _labels(value: object) -> object:
    """Labels as the table's reader sees them: `labels: [0, 1]` are "0" and "1"."""
    return [written_label(item) for item in value] if isinstance(value, list | tuple) else value


class LeakSettings(Strict):
    """Columns that seem to give the label away, and may be learnt from all the same."""

    allow: Names = ()


class NoiseSettings(Strict):
    """How labels are doubted.

    Attributes:
        max: the share of wrong labels above which nothing is trained.
        check: true looks at every row and only tells; false looks at none. Left out, all rows are
            looked at where there is a bound, else a few thousand where that is a matter of
            seconds.
    """

    max: float | None = Field(default=None, ge=0, le=1)
    check: bool | None = None


class DataSettings(Strict):
    """Where the rows come from and what happens to them.

    `header` is for CSV, TSV and Excel: false where the first line is a row (columns are then
    column_1, column_2, ...), a list of names for such a file, a number where the names stand in
    that line, below titles and notes; true where a first line that looks like a row holds the
    names all the same.
    """

    source: Annotated[Source, BeforeValidator(tables_of)]
    test: Annotated[Source | None, BeforeValidator(tables_of)] = None
    valid: Annotated[Source | None, BeforeValidator(tables_of)] = None
    header: HeaderGiven = None
    allow_private: Names = ()
    sample: int | None = Field(default=None, ge=10)
    columns: dict[str, Names]
    kinds: dict[str, ColumnKind] = Field(default_factory=dict)
    labels: Annotated[Names, BeforeValidator(_labels)] = ()
    positive: Annotated[str | None, BeforeValidator(written_label)] = None
    favourable: Annotated[str | None, BeforeValidator(written_label)] = None
    leaks: LeakSettings = LeakSettings()
    monotone: dict[str, Literal["increasing", "decreasing"]] = Field(default_factory=dict)
    noise: NoiseSettings = NoiseSettings()
    corrections: str | None = None
    clean: CleanSettings = CleanSettings()
    anonymity: AnonymitySettings | None = None
    history: HistorySettings | None = None
    augment: AugmentSettings = AugmentSettings()
    split: SplitSettings = SplitSettings()
    limit: int | None = Field(default=None, ge=2)

    @field_validator("source", "test", "valid")
    @classmethod
    def _no_secret(cls, value: AnySource | None) -> AnySource | None:
        if isinstance(value, str) and value.partition("://")[0].lower() in ("http", "https"):
            check_address(value, ("https", "http"))
        return value

    @field_validator("history")
    @classmethod
    def _windows(cls, value: HistorySettings | None) -> HistorySettings | None:
        for bound in value.remaining.until.values() if value and value.remaining else ():
            parse_rule("", bound)
        if value is None or (value.columns and value.sizes and min(value.sizes) >= 2):
            return value
        raise ValueError(
            say(
                f"columns {list(value.columns)} and sizes {list(value.sizes)}; expected at least "
                "one column, and sizes of 2 rows or more",
                f"columns {list(value.columns)}、sizes {list(value.sizes)}；应为至少一列，"
                "且窗口不少于 2 行",
            )
        )

    @field_validator("clean")
    @classmethod
    def _similarity(cls, value: CleanSettings) -> CleanSettings:
        if 0.5 <= value.similarity <= 1:
            return value
        told = say("; expected 0.5 to 1", "；应在 0.5 到 1 之间")
        raise _at("similarity", value.similarity, f"{value.similarity}{told}")

    @field_validator("anonymity", mode="before")
    @classmethod
    def _columns(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {k: listed(v) if k != "k" else v for k, v in value.items()}

    @field_validator("anonymity")
    @classmethod
    def _crowd(cls, value: AnonymitySettings | None) -> AnonymitySettings | None:
        if value and (value.k < 2 or not value.quasi_identifiers):
            raise ValueError(
                say(
                    f"k is {value.k}, quasi_identifiers are {list(value.quasi_identifiers)}; "
                    "expected k of 2 or more and at least one column",
                    f"k 为 {value.k}，quasi_identifiers 为 {list(value.quasi_identifiers)}；"
                    "应为 k 不小于 2，且至少一列",
                )
            )
        return value

    @field_validator("augment", mode="before")
    @classmethod
    def _ways(cls, value: object) -> object:
        """`text: {ways: synonyms}` is a list of one; an empty mapping is one with what is usual."""
        if not isinstance(value, Mapping):
            return value
        text = value.get("text")
        if isinstance(text, Mapping) and "ways" in text:
            return {**value, "text": {**text, "ways": listed(text["ways"])}}
        return value

    @field_validator("augment")
    @classmethod
    def _made(cls, value: AugmentSettings) -> AugmentSettings:
        wrong = ""
        if (text := value.text) is not None:
            if not (1 <= text.copies <= 20 and 0 < text.rate <= 0.9 and text.ways):
                wrong = say(
                    f"text: copies {text.copies}, rate {text.rate}, ways {list(text.ways)}; "
                    "expected 1 to 20, above 0 up to 0.9, and at least one",
                    f"text：copies {text.copies}，rate {text.rate}，ways {list(text.ways)}；"
                    "应分别为 1 到 20、大于 0 且不超过 0.9、至少一项",
                )
            elif "back_translation" in text.ways and not (text.there and text.back):
                wrong = say(
                    "text: back_translation without there and back; expected an address "
                    "or a folder for each",
                    "text：back_translation 缺少 there 和 back；应为各写一个地址或文件夹",
                )
        if value.table is not None and not (0 < value.table.ratio <= 20 and value.table.epochs > 0):
            wrong = say(
                f"table: ratio {value.table.ratio}, epochs {value.table.epochs}; expected above 0",
                f"table：ratio 为 {value.table.ratio}，epochs 为 {value.table.epochs}；均应大于 0",
            )
        if wrong:
            raise ValueError(wrong)
        return value

    @field_validator("split")
    @classmethod
    def _shares(cls, value: SplitSettings) -> SplitSettings:
        for name, share in (("valid", value.valid), ("test", value.test)):
            if not 0 < share < 1:
                told = say("; expected a share between 0 and 1", "；应为 0 与 1 之间的比例")
                raise _at(name, share, f"{share}{told}")
        folds, nested = value.folds, value.nested
        if folds is not None and not 2 <= folds <= 20:
            told = say("; expected 2 to 20 folds", "；应为 2 到 20 折")
            raise _at("folds", folds, f"{folds}{told}")
        if nested is not None and (folds is None or not 2 <= nested <= 10):
            told = say(
                "; expected 2 to 10 folds within each of data.split.folds",
                "；应为 data.split.folds 的每一折中的 2 到 10 折",
            )
            raise _at("nested", nested, f"{nested}{told}")
        if value.valid + value.test < 0.95:
            return value
        raise ValueError(
            say(
                f"valid {value.valid} and test {value.test}; expected shares that together leave "
                "at least 0.05 for training",
                f"valid {value.valid}、test {value.test}；应为至少给训练留 0.05 的比例",
            )
        )


def _at(name: str, given: object, message: str) -> ValidationError:
    """An error of one name of a section, where the section as a whole is looked at."""
    error: InitErrorDetails = {
        "type": "value_error",
        "loc": (name,),
        "input": given,
        "ctx": {"error": ValueError(message)},
    }
    return ValidationError.from_exception_data(name, [error])
