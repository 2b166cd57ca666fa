"""The settings that cross rooms. The project file reads straight into these.

`__pydantic_config__` lets the project file validate plain dataclasses without this room knowing
Pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

_STRICT: dict[str, object] = {"extra": "forbid", "allow_inf_nan": False}

PersonalKind = Literal[
    "NAME", "PHONE", "EMAIL", "ID_CARD", "BANK_CARD", "PASSPORT", "PLATE", "CREDIT_CODE", "ADDRESS",
    "IP", "IBAN",
]  # fmt: skip
"""What kind of personal data characters of a text are."""


Missing = Literal["keep", "drop", "mean", "median", "mode", "constant", "interpolate", "flag"]
Outliers = Literal["keep", "clip", "drop"]
Scaling = Literal["none", "standard", "minmax", "robust"]
Way = Literal["encoding", "html", "urls", "unicode", "width", "case", "space"]


@dataclass(frozen=True)
class ColumnMending:
    """What is otherwise for one column; None: as for all."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    missing: Missing | None = None
    fill: float | str | bool | None = None
    outliers: Outliers | None = None
    normalise: tuple[Way, ...] | None = None
    scale: Scaling | None = None


@dataclass(frozen=True)
class CleanSettings:
    """What happens to rows that should not be learnt from as they are.

    `refuse` stops the run with an error that shows the rows. Near-duplicates that are kept stay
    together on one side of every split. `personal_types` names what is looked for; None for what a
    form or a checksum proves. NAME and ADDRESS are found by models and must be asked for.

    Attributes:
        missing: what becomes of features without a value. `drop` leaves the row out; `mean`,
            `median`, `mode`, `interpolate` (between the neighbours in time) and `constant` (with
            `fill`) fill it; `flag` fills by the median and adds a feature that says so. Where a
            number is asked of a category, the commonest one stands.
        outliers: features beyond three interquartile ranges: `clip` to there, or `drop` the
            training row.
        normalise: ways in which texts are brought into one form.
        scale: of number features.
        columns: column -> what is otherwise for it.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    duplicates: Literal["drop", "keep", "refuse"] = "drop"
    near_duplicates: Literal["together", "drop", "refuse"] = "together"
    conflicts: Literal["drop", "keep", "refuse"] = "drop"
    empty: Literal["drop", "refuse"] = "drop"
    personal_data: Literal["keep", "mask", "pseudonymise"] = "keep"
    test_copies: Literal["drop", "keep", "refuse"] = "drop"
    rare_classes: Literal["keep", "drop", "refuse"] = "keep"
    similarity: float = 0.8
    min_rows_per_class: int = 5
    personal_types: tuple[PersonalKind, ...] | None = None
    missing: Missing = "keep"
    fill: float | str | bool | None = None
    outliers: Outliers = "keep"
    normalise: tuple[Way, ...] = ()
    scale: Scaling = "none"
    columns: Mapping[str, ColumnMending] = field(default_factory=dict)

    def of(self, column: str) -> ColumnMending:
        """What holds for one column, every part filled but `fill`."""
        own = self.columns.get(column, ColumnMending())
        return ColumnMending(
            own.missing or self.missing,
            self.fill if own.fill is None else own.fill,
            own.outliers or self.outliers,
            self.normalise if own.normalise is None else own.normalise,
            own.scale or self.scale,
        )


@dataclass(frozen=True)
class AnonymitySettings:
    """In how large a crowd everybody in the table must stand.

    `quasi_identifiers` are what others may know of a person (age, postcode, sex); `sensitive` what
    they must not learn. Fewer than `k` rows alike are warned of.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    k: int = 5


TextWay = Literal["synonyms", "delete", "swap", "insert", "keyboard", "back_translation"]
ImageWay = Literal["flip", "rotate", "crop", "scale", "colour"]


@dataclass(frozen=True)
class TextAugment:
    """Changed texts beside the training texts.

    Attributes:
        ways: each made text is changed in one of these, drawn at random.
        copies: made texts for each text.
        rate: share of a text's words that are changed.
        synonyms: a file with words of one meaning on a line; None for those that come with Luodi.
        there, back: translators for `back_translation`: an address or a folder each.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    ways: tuple[TextWay, ...] = ("synonyms", "delete", "swap", "insert")
    copies: int = 1
    rate: float = 0.1
    synonyms: str | None = None
    there: str | None = None
    back: str | None = None


@dataclass(frozen=True)
class TableAugment:
    """Made rows beside the training rows.

    Attributes:
        way: `smote` makes rows of rare classes between rows that are there; `ctgan` rows of a
            generative network that has learnt the table.
        ratio: with `smote` what each rare class is brought to, as a share of the commonest; with
            `ctgan` made rows, as a share of the rows there are.
        epochs: of the network.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    way: Literal["smote", "ctgan"] = "smote"
    ratio: float = 1.0
    epochs: int = 100


@dataclass(frozen=True)
class AugmentSettings:
    """Rows made for the training part; nothing is made where neither is given."""

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    text: TextAugment | None = None
    table: TableAugment | None = None

    @property
    def asked(self) -> bool:
        """Whether any rows are to be made."""
        return self.text is not None or self.table is not None


@dataclass(frozen=True)
class SplitSettings:
    """How rows are dealt out: shares of the whole, a seed, and what must stay together.

    `group` names a column whose values never straddle a split; `time` one by which the latest
    rows become the test part.

    Attributes:
        folds: over so many folds of all rows but the test part's the chosen learner is scored as
            well; None for none.
        nested: in each of them the learner is chosen anew, by so many inner folds.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    valid: float = 0.1
    test: float = 0.2
    seed: int = 7
    group: str | None = None
    time: str | None = None
    folds: int | None = None
    nested: int | None = None


@dataclass(frozen=True)
class RemainingSettings:
    """A label made of time: what a row's unit had left until its last row.

    Attributes:
        column: what it is called; a table that has the column tells it itself.
        cap: more than that counts as that much: long before a failure nothing shows yet.
        until: column -> bound, such as `>= 1.4`: a unit's life ends at the first row that is beyond
            one of them, not at its last row. Later rows are left out, and what had been left of
            units that never came so far is not known.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    column: str
    cap: float | None = None
    until: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HistorySettings:
    """How rows of one unit that follow one another become rows that tell what was lately.

    Attributes:
        group: names the unit, such as a machine.
        time: orders its rows: a number or a date.
        columns: what is measured.
        sizes: of the windows, in rows.
        remaining: a label to be made.
        judge: which rows of an official test table are judged: each unit's `last`, or `every`.
    """

    __pydantic_config__: ClassVar[dict[str, object]] = _STRICT

    group: str
    time: str
    columns: tuple[str, ...]
    sizes: tuple[int, ...] = (5, 15, 30)
    remaining: RemainingSettings | None = None
    judge: Literal["last", "every"] = "last"


ColumnKind = Literal["number", "category", "text", "boolean", "date", "ignore"]
Calibration = Literal["auto", "none", "isotonic", "platt", "temperature"]
TargetScale = Literal["none", "log", "auto"]


@dataclass(frozen=True)
class QuestionSettings:
    """What the project file says of the question, beyond which column plays which role.

    Attributes:
        kinds: column -> what it holds, where the reader knows better than what was recognised.
        labels: labels that there are, beside those that the rows carry.
        positive: the label that counts as the event (bad, default, failure), of two.
        favourable: the label that people would rather be answered with, of two.
        costs: what a wrong answer costs. Of two labels `false_positive` (an alarm for nothing) and
            `false_negative` (an event that was missed); else label -> what any other answer costs
            where it is true, or the cost of each other answer.
        leaks: columns that may be learnt from although they seem to give the label away.
        monotone: column -> `increasing` or `decreasing`: how the answer may follow it.
        calibration: how scores become probabilities.
        coverage: the chance with which the interval of a number is to hold the truth.
        target: on which scale a number is learnt; `auto` takes the logarithm of a positive one
            with a long tail.
    """

    kinds: Mapping[str, ColumnKind] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    positive: str | None = None
    favourable: str | None = None
    costs: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)
    leaks: tuple[str, ...] = ()
    monotone: Mapping[str, Literal["increasing", "decreasing"]] = field(default_factory=dict)
    calibration: Calibration = "auto"
    coverage: float = 0.9
    target: TargetScale = "none"
