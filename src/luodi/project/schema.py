"""The project file's shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
)
from pydantic_core import InitErrorDetails

from luodi.contracts import (
    AnonymitySettings,
    AugmentSettings,
    Calibration,
    CleanSettings,
    ColumnKind,
    GateRule,
    HistorySettings,
    Language,
    Mistake,
    QuestionSettings,
    SplitSettings,
    TargetScale,
    parse_rule,
    say,
)
from luodi.project.mistakes import WRONG_ANSWERS
from luodi.project.places import Places
from luodi.project.quantities import Duration, Size, parse_duration, parse_size
from luodi.project.sources import AnySource, Source, check_address, tag_of

__all__ = [
    "DataSettings",
    "Duration",
    "ModelSettings",
    "Project",
    "ServeSettings",
    "Size",
    "parse_duration",
    "parse_size",
]


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _source(value: object) -> object:
    """A mapping of one named table is that table, unless its name is a kind of source."""
    if isinstance(value, Mapping) and len(value) == 1 and tag_of(value) is None:
        return next(iter(value.values()))
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


def _labels(value: object) -> object:
    """Labels as the table's reader sees them: `labels: [0, 1]` are "0" and "1"."""
    return [_text(item) for item in value] if isinstance(value, list | tuple) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LeakSettings(_Strict):
    """Columns that seem to give the label away, and may be learnt from all the same."""

    allow: Names = ()


def _text(value: object) -> object:
    """A label as the table's reader sees it: `positive: 1` is the label "1"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _costs(value: object) -> object:
    """The bank's words for the two wrong answers are the field's own. Any other name is a label,
    spelt as the table's reader sees it.
    """
    if not isinstance(value, Mapping):
        return value
    named = {WRONG_ANSWERS.get(str(name), str(_text(name))): cost for name, cost in value.items()}
    return {
        name: {str(_text(answer)): each for answer, each in cost.items()}
        if isinstance(cost, Mapping)
        else cost
        for name, cost in named.items()
    }


Cost = Annotated[float, Field(ge=0)]


class NoiseSettings(_Strict):
    """How labels are doubted.

    Attributes:
        max: the share of wrong labels above which nothing is trained.
        check: true looks at every row and only tells; false looks at none. Left out, all rows are
            looked at where there is a bound, else a few thousand where that is a matter of
            seconds.
    """

    max: float | None = Field(default=None, ge=0, le=1)
    check: bool | None = None


class DataSettings(_Strict):
    """Where the rows come from and what happens to them.

    `header` is for CSV, TSV and Excel: false where the first line is a row (columns are then
    column_1, column_2, ...), a list of names for such a file, true where a first line that looks
    like a row holds the names all the same.
    """

    source: Annotated[Source, BeforeValidator(_source)]
    test: Annotated[Source | None, BeforeValidator(_source)] = None
    valid: Annotated[Source | None, BeforeValidator(_source)] = None
    header: bool | Names | None = None
    allow_private: Names = ()
    sample: int | None = Field(default=None, ge=10)
    columns: dict[str, Names]
    kinds: dict[str, ColumnKind] = Field(default_factory=dict)
    labels: Annotated[Names, BeforeValidator(_labels)] = ()
    positive: Annotated[str | None, BeforeValidator(_text)] = None
    favourable: Annotated[str | None, BeforeValidator(_text)] = None
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
        return {k: _names(v) if k != "k" else v for k, v in value.items()}

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
            return {**value, "text": {**text, "ways": _names(text["ways"])}}
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


class SearchSettings(_Strict):
    """How many settings of each learner are tried, its defaults the first of them. A budget holds
    for all trials of a learner together, and may end them sooner.
    """

    trials: int = Field(default=30, ge=2, le=10_000)


class ModelSettings(_Strict):
    """Who learns, from what, for how long."""

    learner: Names = ("auto",)
    base: str | None = None
    budget: Duration | None = None
    search: SearchSettings | None = None
    licence: Literal["any", "commercial"] = "any"
    seed: int = Field(default=7, ge=0, lt=2**32)
    threads: int | None = Field(default=None, ge=1)
    calibration: Calibration = "auto"
    coverage: float = Field(default=0.9, gt=0, lt=1)
    target: TargetScale = "none"
    refit: Literal["auto"] | bool = "auto"
    options: dict[str, Any] = Field(default_factory=dict)


class RollbackSettings(_Strict):
    """When a version that has just taken over, or a challenger, is taken back by itself."""

    error_rate: float | None = Field(default=None, ge=0, lt=1)
    p99: Duration | None = None
    p95: Duration | None = None
    window: Duration = Field(default=60.0, le=600)
    requests: int = Field(default=50, ge=1)
    within: Duration = 3600.0


class TrafficLogSettings(_Strict):
    """What is kept of the requests and answers."""

    keep: bool = True
    sample: float = Field(default=1.0, gt=0, le=1)
    mask: bool = True
    bytes: Size = Field(default=1_000_000_000, ge=1_000_000)
    age: Duration = 30 * 86_400.0


class ServeSettings(_Strict):
    """How the model is served."""

    max_batch: int = Field(default=32, ge=1, le=4096)
    max_wait: Annotated[Duration, Field(le=600)] | None = None
    form: Literal["auto", "float32", "int8", "bfloat16"] = "auto"
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    cache: int = Field(default=0, ge=0, le=10_000_000)
    sessions: int | None = Field(default=None, ge=1)
    memory: Size | None = None
    rollback: RollbackSettings | None = None
    traffic: TrafficLogSettings = TrafficLogSettings()
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int | None = Field(default=None, ge=1)

    def travelling(self) -> dict[str, Any]:
        """What goes into the bundle, for a service that does not see the project file: the batch,
        and what the file says of the cache, waits, rollbacks and traffic, when it says anything.
        """
        told = {"max_batch"} | (
            {"cache", "max_wait", "rollback", "traffic"} & self.model_fields_set
        )
        return self.model_dump(mode="json", include=told, exclude_none=True)


class Project(_Strict):
    """The validated project file, frozen. Made by `load_project`."""

    name: str = Field(pattern=r"^[^\W_][\w.-]*$", max_length=80)
    task: str
    language: Language | None = None
    data: DataSettings
    model: ModelSettings = ModelSettings()
    gate: dict[str, GateRule] = Field(default_factory=dict)
    costs: Annotated[dict[str, Cost | dict[str, Cost]], BeforeValidator(_costs)] = Field(
        default_factory=dict
    )
    serve: ServeSettings = ServeSettings()

    _path: Path = PrivateAttr(default=Path("luodi.yaml"))
    _places: Places = PrivateAttr(default_factory=Places)

    @field_validator("gate", mode="before")
    @classmethod
    def _rules(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {metric: _rule(str(metric), rule) for metric, rule in value.items()}

    @property
    def question(self) -> QuestionSettings:
        """What the task is told of the question beside the columns' roles."""
        data = self.data
        return QuestionSettings(
            kinds=data.kinds,
            labels=data.labels,
            positive=data.positive,
            favourable=data.favourable,
            costs=self.costs,
            leaks=data.leaks.allow,
            monotone=data.monotone,
            calibration=self.model.calibration,
            coverage=self.model.coverage,
            target=self.model.target,
        )

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path

    @property
    def root(self) -> Path:
        """The folder that the file stands in: relative paths start here."""
        return self._path.parent

    def line(self, where: str) -> int | None:
        """The line of a dotted path; None when it is not in the file."""
        return self._places.line(where)

    def mistake(self, where: str, found: str, expected: str, near: str = "") -> Mistake:
        """A mistake at a dotted path, with its line or the option that it came from."""
        return self._places.mistake(where, found, expected, near)


def _rule(metric: str, value: object) -> object:
    # A rule that does not parse is told with the other mistakes, by its own line.
    try:
        return parse_rule(metric, value)
    except ValueError:
        return GateRule(metric)
