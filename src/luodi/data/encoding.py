"""Bytes to text, without guessing where guessing can be avoided."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from luodi.contracts import DataError, Finding, say
from luodi.data.mixed import LinesOfTwo

_SAMPLE = 1 << 18  # bytes enough to tell encodings apart
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
# What a company's older files are in, the likeliest first where the signs alone cannot tell.
_OTHERS = ("big5", "cp932", "cp949", "cp1252", "cp1251", "cp1250")


class Decoded(NamedTuple):
    """A file's bytes as UTF-8 without a mark, the encoding they came in, what is to be said."""

    raw: bytes
    encoding: str
    findings: list[Finding]


def to_utf8(raw: bytes, file: str) -> Decoded:
    """The file's bytes as UTF-8.

    Tried in order, strictly: a byte-order mark's encoding; UTF-8; lines of UTF-8 among lines of
    GB18030, which is a finding; GB18030 (which holds GBK and
    GB2312), believed only when what it gives are characters in common use, because almost any
    bytes can be read as GB18030; then what charset-normalizer finds. Korean in EUC-KR lies on the
    same bytes as common Chinese and is read as such; the finding that says so shows it.

    Raises:
        DataError: naming the file, the line and the byte that no encoding explains.
    """
    for mark, codec, name in MARKS:
        if raw.startswith(mark):
            return _marked(raw, codec, name, file)
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        two = LinesOfTwo()
        text, wrong = two.read(raw)
        if wrong < 0 and two.others and two.chinese:
            return Decoded(text.encode(), "utf-8", [two.finding(file)])
        if _mostly_utf8(raw) or _half_pairs(raw):
            raise _undecodable(raw, error, file) from None
    else:
        return Decoded(raw, "utf-8", [])
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError as error:
        refusal = _undecodable(raw, error, file)
        if _mostly_gb18030(raw):
            raise refusal from None
    else:
        if _common_chinese(text):
            return Decoded(text.encode(), "gb18030", [said(file, "GB18030", "info")])
        refusal = _undecodable(raw, None, file)
    return _guessed(raw, file, refusal)


def _marked(raw: bytes, codec: str, name: str, file: str) -> Decoded:
    if name == "utf-8":
        bare = raw.removeprefix(codecs.BOM_UTF8)
        try:
            bare.decode()
        except UnicodeDecodeError as error:
            raise _undecodable(bare, error, file) from None
        return Decoded(bare, name, [])
    try:
        return Decoded(raw.decode(codec).encode(), name, [said(file, name.upper(), "info")])
    except UnicodeError as error:  # a half character at the end, or lone surrogates
        where = error if isinstance(error, UnicodeDecodeError) else None
        raise _undecodable(raw, where, file, name.upper()) from None


def _mostly_utf8(raw: bytes) -> bool:
    """Whether this is UTF-8 with damage: GBK read as UTF-8 hardly ever gives a valid character."""
    text = raw[: _SAMPLE * 4].decode(errors="replace")
    beyond = sum(1 for sign in text if sign > "\x7f")
    damaged = text.count("\ufffd")
    return beyond - damaged > 4 * damaged


def _half_pairs(raw: bytes) -> bool:
    """Whether this is UTF-8 but for lone surrogates, halves of a character that stand for none."""
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _mostly_gb18030(raw: bytes) -> bool:
    """Whether this is GB18030 with damage."""
    text = raw[: _SAMPLE * 4].decode("gb18030", errors="replace")
    damaged = text.count("\ufffd")
    beyond = sum(1 for sign in text if sign > "\x7f")
    return beyond - damaged > 20 * damaged and _common_chinese(text.replace("\ufffd", ""))


def _common_chinese(text: str) -> bool:
    beyond = [sign for sign in text[: _SAMPLE * 2] if sign > "\x7f"]
    if not beyond:
        beyond = [sign for sign in text if sign > "\x7f"][:_SAMPLE]
    joined = "".join(beyond)
    # GB2312 is the characters in common use: other encodings misread as GB18030 fall outside it.
    common = len(joined.encode("gb2312", errors="ignore")) // 2
    return common >= 0.85 * len(joined)


def _guessed(raw: bytes, file: str, refusal: DataError) -> Decoded:
    import charset_normalizer

    matches = charset_normalizer.from_bytes(raw[:_SAMPLE], cp_isolation=list(_OTHERS))
    if not matches:
        raise refusal
    best = min(
        matches,
        key=lambda match: (match.chaos, -match.coherence, _OTHERS.index(match.encoding)),
    )
    try:
        text = raw.decode(best.encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(raw, error, file) from None
    name = best.encoding.upper().replace("_", "-")
    return Decoded(text.encode(), best.encoding, [said(file, name, "warning")])


def said(file: str, name: str, severity: str) -> Finding:
    """The finding that tells which encoding a file was read in; a warning for a guess."""
    if severity == "info":
        return Finding(
            "encoding",
            "info",
            1,
            say(f"{file} is {name}; it was read as such.", f"{file} 的编码是 {name}，已按此读取。"),
            details={"file": file, "encoding": name.lower()},
        )
    return Finding(
        "encoding",
        "warning",
        1,
        say(
            f"{file} is neither UTF-8 nor GB18030; it was read as {name}, a guess.",
            f"{file} 既不是 UTF-8 也不是 GB18030；已按推测的 {name} 读取。",
        ),
        remedy=say("Look at a few rows, or save it as UTF-8.", "请检查几行内容，或另存为 UTF-8。"),
        details={"file": file, "encoding": name.lower()},
    )


def _undecodable(
    raw: bytes, error: UnicodeDecodeError | None, file: str, name: str = ""
) -> DataError:
    if error is None:
        return undecodable(file)
    line, place = raw.count(b"\n", 0, error.start) + 1, error.start + 1
    byte = raw[error.start : error.start + 1].hex()
    return undecodable(file, line, place, byte, name)


def undecodable(
    file: str, line: int = 0, place: int = 0, byte: str = "", name: str = ""
) -> DataError:
    """The error for bytes that no encoding explains; line 0 for the file as a whole."""
    remedy = say("Save the file as UTF-8, then try again.", "请将文件另存为 UTF-8 后再试。")
    if not line:
        return DataError(
            say(f"{file} holds text in no known encoding.", f"{file} 的文本编码无法识别。"),
            say("Expected UTF-8 or GB18030.", "应为 UTF-8 或 GB18030。"),
            remedy,
        )
    return DataError(
        say(
            f"{file}, line {line}: byte {place} (0x{byte}) is not {name or 'valid text'}.",
            f"{file} 第 {line} 行：第 {place} 个字节（0x{byte}）不是有效的{name or '文本'}。",
        ),
        say("Expected UTF-8 or GB18030.", "应为 UTF-8 或 GB18030。"),
        remedy,
    )
