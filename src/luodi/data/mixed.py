"""Text files whose lines are in two encodings, as when two systems write into one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from luodi.contracts import Finding, JsonValue, say
from luodi.data.examples import SHOWN, shorten

_BEYOND = re.compile(rb"[\x80-\xff]")
_CHINESE = re.compile("[\u2010-\u206f\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_COMMON, _PAIRS = 0.8, 2


@dataclass
class LinesOfTwo:
    """Reads lines of UTF-8 and lines of GB18030 that stand together, a piece of a file at a time.

    A line of GB18030 is believed where nearly all of its characters are of the commonest 3,755
    (GB2312's first level): damaged UTF-8, read as GB18030, gives rare ones.

    Attributes:
        lines: how many there were so far.
        others: of these in GB18030.
        chinese: of these in UTF-8 with Chinese characters.
        examples: the first of the others.
    """

    lines: int = 0
    others: int = 0
    chinese: int = 0
    examples: list[dict[str, JsonValue]] = field(default_factory=list)

    def read(self, raw: bytes) -> tuple[str, int]:
        """The text of these lines, and -1; or where in `raw` a line begins that is neither."""
        found: list[str] = []
        place = 0
        for number, line in enumerate(raw.split(b"\n"), self.lines + 1):
            text = self._line(line, number)
            if text is None:
                return "", place
            found.append(text)
            place += len(line) + 1
        self.lines += len(found) - 1
        return "\n".join(found), -1

    def _line(self, line: bytes, number: int) -> str | None:
        text = _utf8(line)
        if text is not None and not _BEYOND.search(line):
            return text
        if text is not None and _chinese(text):
            self.chinese += 1
        elif (other := _gb18030(line)) is not None:
            self.others += 1
            if len(self.examples) < SHOWN:
                self.examples.append({"line": number, "text": shorten(other)})
            return other
        return text

    def finding(self, file: str) -> Finding:
        """The finding that tells of the others."""
        return Finding(
            "mixed-encodings",
            "warning",
            self.others,
            say(
                f"{file}: {self.others} lines are GB18030 among lines of UTF-8; each was read as "
                "what it is.",
                f"{file}：UTF-8 文件中有 {self.others} 行是 GB18030 编码，已各按其编码读取。",
            ),
            self.examples,
            remedy=say(
                "Look at these lines, and find out which system writes them.",
                "请检查这些行，并找出写入它们的系统。",
            ),
            details={"file": file, "encoding": "utf-8, gb18030"},
        )


def _utf8(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _chinese(text: str) -> bool:
    """Whether Chinese characters and signs are most of what is not ASCII."""
    beyond = sum(sign > "\x7f" for sign in text)
    return len(_CHINESE.findall(text)) > 0.5 * beyond


def _gb18030(line: bytes) -> str | None:
    try:
        text = line.decode("gb18030")
    except UnicodeDecodeError:
        return None
    beyond = [sign for sign in text if sign > "\x7f"]
    common = 0
    for sign in beyond:
        pair = sign.encode("gb2312", errors="ignore")
        common += len(pair) == 2 and (pair[0] <= 0xA3 or 0xB0 <= pair[0] <= 0xD7)
    return text if len(beyond) >= _PAIRS and common >= _COMMON * len(beyond) else None
