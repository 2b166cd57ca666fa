"""ONNX files on tables, trained by somebody else (a scikit-learn pipeline, say), as served."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from luodi.contracts import Answer, JsonValue, Request
from luodi.tasks.given import GivenSession
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.columns import request_columns
from luodi.tasks.tabular.decision import Decision, load_decision

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL, HEAD = "model.onnx", "graph.json"
_TYPES: Mapping[str, Any] = {
    "float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32,
    "bool": np.bool_,
}  # fmt: skip


@dataclass(frozen=True)
class Feed:
    """One input of the graph.

    Attributes:
        fields: whose values stand side by side in it.
        flat: whether it takes (n,), not (n, fields).
    """

    name: str
    element: str
    fields: tuple[str, ...]
    flat: bool = False

    def array(self, columns: Mapping[str, Sequence[JsonValue]]) -> NDArray[Any]:
        """n rows of values -> (n, fields). A missing number is NaN, a missing word is empty; whole
        numbers are the nearest ones."""
        values = [columns[field] for field in self.fields]
        if self.element == "string":
            words = [["" if v is None else str(v) for v in column] for column in values]
            found: NDArray[Any] = np.array(words, dtype=object).T
        else:
            numbers = [[math.nan if v is None else float(v) for v in column] for column in values]
            found = np.array(numbers, dtype=np.float64).T
            if self.element in ("int64", "int32"):
                found = np.rint(np.nan_to_num(found))
            found = found.astype(_TYPES[self.element])
        found = found.reshape(len(values[0]), len(values))
        return found[:, 0] if self.flat else found


@dataclass(frozen=True)
class GraphHead:
    """What is said of a graph beside it.

    Attributes:
        order: which of its outputs stands for each label; empty for numbers.
    """

    feeds: tuple[Feed, ...]
    order: tuple[int, ...]

    @property
    def fields(self) -> list[str]:
        """The fields that it reads."""
        return [field for feed in self.feeds for field in feed.fields]

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        feeds = (Feed(**{**feed, "fields": tuple(feed["fields"])}) for feed in value["feeds"])
        return cls(tuple(feeds), tuple(value["order"]))


class GraphPredictor:
    """Answers by somebody's graph."""

    def __init__(self, session: GivenSession, head: GraphHead, decision: Decision) -> None:
        self.session, self.head, self.decision = session, head, decision

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read the graph, its head and its decision."""
        head = GraphHead.from_json(json.loads((folder / HEAD).read_text("utf-8")))
        return cls(GivenSession(folder / MODEL, threads), head, load_decision(folder))

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request."""
        if not requests:
            return []
        scores = scores_of(self.session, self.head, requests)
        return self.decision.answers(scores, np.zeros((len(requests), 0)))

    def cost(self, request: Request) -> int:
        """A row is a row."""
        return 1


def scores_of(session: GivenSession, head: GraphHead, requests: Sequence[Request]) -> Floats:
    """(n, k) probabilities in the question's order, or (n,) values."""
    columns = request_columns(requests, head.fields)
    raw = session.run({feed.name: feed.array(columns) for feed in head.feeds})
    found = np.asarray(raw, dtype=np.float64).reshape(len(requests), -1)
    if not head.order:
        return found[:, 0]
    if found.shape[1] == 1:
        found = np.column_stack([1 - found[:, 0], found[:, 0]])
    return found[:, list(head.order)]
