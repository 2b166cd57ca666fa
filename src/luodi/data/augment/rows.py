"""What a project asks to be made, made from a training part; each row is accounted for."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from luodi.contracts import (
    COPIES,
    ROW,
    AugmentSettings,
    DataError,
    Dataset,
    JsonValue,
    Parts,
    Progress,
    Role,
    TableAugment,
    TextAugment,
    say,
)
from luodi.data.augment.distance import Privacy, privacy_distance
from luodi.data.augment.texts import Translate, augment_text, back_translate
from luodi.data.augment.translators import find_translator, translator
from luodi.data.augment.words import Words, own_groups, read_groups
from luodi.data.normal import normalise_all


@dataclass(frozen=True)
class Made:
    """A training part with made rows behind the real ones.

    Attributes:
        train: the real rows, unchanged and in order, then the made ones.
        counts: what was made: `texts`, `rows`; and `same`: made texts that were as before or stand
            in another part, and were left out.
        privacy: how near made rows of a generative network lie to real ones.
    """

    train: Dataset
    counts: Mapping[str, int]
    privacy: Privacy | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The account as JSON."""
        return {
            "counts": dict(self.counts),
            "privacy": None if self.privacy is None else self.privacy.to_json(),
        }


def augment(
    parts: Parts, settings: AugmentSettings, seed: int, root: Path, progress: Progress
) -> Made:
    """Make rows from the training part alone.

    Args:
        root: where relative paths of synonyms and translators begin.

    Raises:
        DataError: when the table has nothing of the kind that is to be changed.
    """
    train = parts.train
    check_augment(train, settings, root)
    counts: dict[str, int] = {}
    made: list[pl.DataFrame] = []
    privacy = None
    if settings.text is not None:
        texts, same = _texts(parts, settings.text, seed, root, progress)
        counts |= {"texts": texts.height, "same": same}
        made.append(texts)
    if settings.table is not None:
        rows, privacy = _rows(parts, settings.table, seed, progress)
        counts["rows"] = rows.height
        made.append(rows)
    together = pl.concat([train.table, *made], how="diagonal") if made else train.table
    assert together.height == train.rows + sum(table.height for table in made)  # noqa: S101
    return Made(replace(train, table=together), counts, privacy)


def check_augment(train: Dataset, settings: AugmentSettings, root: Path) -> None:
    """Refuse what cannot be made of this training part, before anything is.

    Args:
        root: where relative paths of synonyms and translators begin.

    Raises:
        DataError: no texts to change, no such synonyms or translator; no features, or no label, to
            make rows of; a number for a label where rows of rare classes are asked for.
    """
    if settings.text is not None:
        _check_texts(train, settings.text, root)
    if settings.table is None:
        return
    if not train.columns(Role.FEATURE) or not train.columns(Role.LABEL):
        raise DataError(
            say("There are no features to make rows of.", "没有可供生成行的特征列。"),
            say(
                "data.augment.table needs features and a label.",
                "data.augment.table 需要特征和标签。",
            ),
            say("Leave it out.", "请去掉该设置。"),
        )
    if settings.table.way == "smote" and train.table.schema[train.column(Role.LABEL)].is_float():
        raise DataError(
            say("The label is a number.", "标签是数值。"),
            say("smote makes rows of rare classes.", "smote 只为稀有类别生成行。"),
            say("Set data.augment.table.way: ctgan.", "请设置 data.augment.table.way: ctgan。"),
        )


def _check_texts(train: Dataset, settings: TextAugment, root: Path) -> None:
    if not _text_columns(train):
        raise DataError(
            say("There is no column of texts to change.", "没有可供改写的文本列。"),
            say("data.augment.text needs one.", "data.augment.text 需要文本列。"),
            say("Leave it out, or name a text column.", "请去掉该设置，或指定文本列。"),
        )
    if settings.synonyms is not None:
        _groups(settings, root)
    for place in _translators(settings):
        find_translator(place, root)


def _groups(settings: TextAugment, root: Path) -> Sequence[Sequence[str]]:
    return own_groups() if settings.synonyms is None else read_groups(root / settings.synonyms)


def _translators(settings: TextAugment) -> list[str]:
    """There and back; none where they are not asked."""
    asked = "back_translation" in settings.ways
    return [place for place in (settings.there, settings.back) if asked and place]


def _text_columns(train: Dataset) -> list[str]:
    return [name for name in train.columns(Role.TEXT) if train.table.schema[name] == pl.String]


def _texts(
    parts: Parts, settings: TextAugment, seed: int, root: Path, progress: Progress
) -> tuple[pl.DataFrame, int]:
    """Training rows with changed texts, and how many changed nothing or stand in some part."""
    train = parts.train
    columns = _text_columns(train)
    change = _Change.of(settings, seed, root)
    seen = {
        content
        for part in (train, parts.valid, parts.test)
        for content in _contents(part.table, columns)
    }
    made, same = [], 0
    for copy in range(settings.copies):
        changed = [
            pl.Series(name, change(train.table.get_column(name).to_list()), dtype=pl.String)
            for name in columns
        ]
        table = train.table.with_columns(changed)
        new = []
        for content in _contents(table, columns):
            new.append(content not in seen)
            seen.add(content)
        same += new.count(False)
        made.append(table.filter(pl.Series(new, dtype=pl.Boolean)))
        progress.step(copy + 1, settings.copies, say("texts", "文本"))
    return _numbered(pl.concat(made), parts), same


@dataclass(frozen=True)
class _Change:
    """Changes texts as the settings say, one draw after another."""

    settings: TextAugment
    words: Words
    rng: random.Random
    there: Translate | None
    back: Translate | None

    @classmethod
    def of(cls, settings: TextAugment, seed: int, root: Path) -> _Change:
        abroad = [translator(place, root) for place in _translators(settings)]
        there, back = abroad or (None, None)
        return cls(settings, Words(_groups(settings, root)), random.Random(seed), there, back)

    def __call__(self, texts: Sequence[str | None]) -> list[str | None]:
        """Each text in one of the ways; what is missing stays missing."""
        changed = list(texts)
        abroad: dict[int, str] = {}
        for place, text in enumerate(texts):
            if text is None:
                continue
            if self.rng.choice(self.settings.ways) == "back_translation":
                abroad[place] = text
            else:
                changed[place] = augment_text(
                    text, self.settings.ways, self.settings.rate, self.words, self.rng
                )
        if abroad and self.there and self.back:
            answers = back_translate(list(abroad.values()), self.there, self.back)
            for place, answer in zip(abroad, answers, strict=True):
                changed[place] = answer
        return changed


def _contents(table: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    rows = table.select(columns).fill_null("").rows()
    return normalise_all(["\n".join(row) for row in rows])


def _numbered(made: pl.DataFrame, parts: Parts) -> pl.DataFrame:
    """Made rows have places of their own, behind those of every real row."""
    if ROW not in parts.train.table.columns:
        return made
    tables = [part.table for part in (parts.train, parts.valid, parts.test)]
    first = max(_end(table.get_column(ROW).max()) for table in tables) + 1
    places = range(first, first + made.height)
    return made.with_columns(pl.Series(ROW, places, dtype=tables[0].schema[ROW]))


def _rows(
    parts: Parts, settings: TableAugment, seed: int, progress: Progress
) -> tuple[pl.DataFrame, Privacy | None]:
    """Rows of features and a label; of whatever else a row has, nothing."""
    train = parts.train
    features = list(train.columns(Role.FEATURE))
    label = train.column(Role.LABEL)
    if settings.way == "smote":
        made, privacy = _smote(train, features, label, settings, seed), None
    else:
        from luodi.data.augment.ctgan import Ctgan

        columns = [*features, label]
        known = train.table.filter(pl.col(label).is_not_null()).select(columns)
        network = Ctgan.learn(known, settings.epochs, seed, progress)
        made = network.sample(round(settings.ratio * train.rows), seed)
        made = made.filter(pl.col(label).is_not_null())
        privacy = privacy_distance(made, known, parts.valid.table.select(columns), seed)
    return _numbered(_alone(made, parts), parts), privacy


def _smote(
    train: Dataset, features: Sequence[str], label: str, settings: TableAugment, seed: int
) -> pl.DataFrame:
    from luodi.data.augment.oversample import oversample

    return oversample(train.table, features, label, settings.ratio, seed)


def _alone(made: pl.DataFrame, parts: Parts) -> pl.DataFrame:
    """The made rows as copies of nobody."""
    if COPIES not in parts.train.table.columns:
        return made
    column = parts.train.table.get_column(COPIES)
    first = _end(column.max()) + 1
    return made.with_columns(
        pl.Series(COPIES, range(first, first + made.height), dtype=column.dtype)
    )


def _end(value: object) -> int:
    return value if isinstance(value, int) else 0
