"""Texts that were written in one encoding and read in another, read back. Light: no Polars."""

from __future__ import annotations

import re

# What a text must hold to be worth a try, as Polars and Python read it: a lead byte of UTF-8 and a
# following one as Latin-1 or Windows-1252 show them; UTF-8 Chinese as GBK shows it (the commonest
# characters and punctuation); GBK as Latin-1 shows it; characters lost for good.
_FOLLOWING = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
SUSPECT = (
    f"[\u00c2-\u00f4][{_FOLLOWING}]"
    "|[锛銆鐨鍦鏄涓浠鎴戣鎵鍜浣犲ソ濂绗鏈冩潵璇鍙閮藉緢涔熻繕]|锟斤拷|\ufffd"
    "|[\u00b0-\u00f7][\u00a1-\u00fe]{3}"
)
_SUSPECT = re.compile(SUSPECT)
_RUN = re.compile("[\u0080-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{2,}")
# What reading back may give: letters and signs in use. « after É would give a phonetic sign.
_USUAL = re.compile(
    "[\u00a0-\u017f\u0370-\u03ff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f\u2010-\u2044\u20ac\u2100-\u214f"
    "\u2190-\u21ff\u2460-\u27bf\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef"
    "\U0001f000-\U0001faff\ufe0f\u200d]+"
)


def repaired(text: str) -> str:
    """The text as it was meant, where reading it back makes sense; else as it is. Idempotent."""
    for _ in range(3):  # twice read wrongly happens; more is no accident
        better = _once(text)
        if better == text:
            return text
        text = better
    return text


def _once(text: str) -> str:
    if text.isascii() or not _SUSPECT.search(text):
        return text
    # Run by run: a page may be right in one place and wrong in another.
    mended = _RUN.sub(lambda match: _run(match[0]), text)
    if mended != text:
        return mended
    return _from_gbk(text)


def _run(run: str) -> str:
    raw = _bytes(run)
    if raw is None:
        return run
    try:
        back = raw.decode()
    except UnicodeDecodeError:
        pass
    else:
        if _USUAL.fullmatch(back):
            return back
        deeper = _run(back) if _RUN.fullmatch(back) else back  # read wrongly twice
        return deeper if deeper != back else run
    if len(raw) < 4 or len(raw) % 2:
        return run
    try:  # GBK read as Latin-1: only common Chinese is believed
        chinese = raw.decode("gb2312")
    except UnicodeDecodeError:
        return run
    common = all(
        "\u4e00" <= sign <= "\u9fa5" or sign in "，。！？、；：“”（）《》" for sign in chinese
    )
    return chinese if common else run


def _bytes(run: str) -> bytes | None:
    """The bytes that Windows-1252 or Latin-1 showed as this run."""
    raw = bytearray()
    for sign in run:
        if ord(sign) < 0x100:
            raw.append(ord(sign))
            continue
        try:
            raw += sign.encode("cp1252")
        except UnicodeEncodeError:
            return None
    return bytes(raw)


def _from_gbk(text: str) -> str:
    """UTF-8 that was read as GBK, where every character goes back."""
    try:
        back = text.encode("gb18030").decode()
    except UnicodeError:
        return text
    # Right Chinese never comes back as UTF-8 by chance in more than a sign or two.
    chinese = sum("\u4e00" <= sign <= "\u9fa5" for sign in back)
    return back if len(back) < len(text) and chinese >= 2 else text
