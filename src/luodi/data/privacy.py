"""Personal data in free text: found by form and proved by checksum, in Chinese and English.

Pure Python on purpose: the service masks requests with the very same code, and must stay small.
Names need a model to find (`finders.py`), and so do most addresses; the other kinds do not.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from luodi.contracts import PersonalKind
from luodi.data.addresses import find_addresses
from luodi.data.checksums import (
    is_card_number,
    is_credit_code,
    is_iban,
    is_id_card,
    is_issued_card,
)
from luodi.data.taken import Taken

BY_FORM: tuple[PersonalKind, ...] = (
    "EMAIL", "ID_CARD", "CREDIT_CODE", "BANK_CARD", "IBAN", "IP", "PHONE", "PASSPORT", "PLATE",
)  # fmt: skip
"""The kinds that their form, a checksum or a word beside them prove; what is looked for where
nothing else is said."""


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (not included) of a text are personal data of this kind."""

    kind: PersonalKind
    start: int
    end: int


# No look-alike may stand beside a number: a digit more makes it another number.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_CREDIT_CODE = re.compile(
    r"(?<![0-9A-Za-z])[1-9ANYany][1-9A-Ga-g][0-9]{6}[0-9A-Za-z]{10}(?![0-9A-Za-z])"
)
_IBAN = re.compile(
    r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?: ?[0-9A-Za-z]{4}){2,7}(?: ?[0-9A-Za-z]{1,3})?"
    r"(?![0-9A-Za-z])"
)
# No check digit: a passport number is one only where the text says so before or behind it.
_PASSPORTS = (
    re.compile(
        r"(?:passport|护照|通行证)[^0-9<>\n]{0,24}?(?<![A-Za-z0-9])"
        r"([A-Za-z]{1,2}[0-9]{6,8}|[A-Za-z]{0,1}[0-9]{7,9})(?![A-Za-z0-9])",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?<![A-Za-z0-9])([A-Za-z]{1,2}[0-9]{6,8})(?![A-Za-z0-9])(?=[^0-9<>\n]{0,8}(?:passport|护照))",
        re.IGNORECASE,
    ),
)
# Chinese ordinary (E, G), diplomatic, service and public affairs passports.
_PASSPORT_BARE = re.compile(
    r"(?<![A-Za-z0-9-])(?:E[A-HJ-NP-Z][0-9]{7}|(?:[EG]|[DSP]E)[0-9]{8})(?![A-Za-z0-9-])"
)
_PRODUCT = re.compile(
    r"(?:型号|批号|批次|料号|货号|款号|图号|品号|序列号|订单号?|单号|规格|国药准字|食健字|"
    r"\b(?:model|batch|lot|part|sku|serial|order)(?: ?(?:no\.?|number))?)[ :：#为是]{0,3}$",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:版本号?|固件|驱动|升级[到至]|\b(?:version|ver|firmware|driver|build|release)\b\.?|\bv)"
    r"[ :：为是]{0,3}$",
    re.IGNORECASE,
)
_VERSION_BEHIND = re.compile(r" ?(?:版|version\b)", re.IGNORECASE)
_CARD_WORD = re.compile(
    r"(?:(?<!SIM)(?<!电话)(?<!手机)(?<!SIM )卡|账[号户]|帐[号户]|card|account)[^0-9\n]{0,12}$",
    re.IGNORECASE,
)
_PLATES = (
    # GA 36-2018: a province, a letter, five signs (six on a car of new energy); no I and no O.
    re.compile(
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使][A-HJ-NP-Za-hj-np-z]"
        r"[ ·•.\-]?(?=[A-Za-z]{0,5}[0-9])(?:[A-HJ-NP-Za-hj-np-z0-9]{5,6}"
        r"|[A-HJ-NP-Za-hj-np-z0-9]{4}[挂学警港澳领])(?![A-Za-z0-9])"
    ),
    re.compile(
        r"(?:licen[cs]e plate|number plate|plate (?:number|no\.?)|registration (?:number|no\.?))"
        r"[^A-Za-z0-9<>\n]{0,4}(?:is |was )?([A-Za-z]{1,3}[ -]?[0-9]{1,4}(?:[ -]?[A-Za-z]{1,3})?"
        r"|[0-9]{1,3}[ -]?[A-Za-z]{2,3}[ -]?[0-9]{0,4})(?![A-Za-z0-9])",
        re.IGNORECASE,
    ),
)
_BANK_CARD = re.compile(
    r"(?<![0-9])(?:[02-9][0-9]{3}(?:[ -]?[0-9]{4}){2,3}(?:[ -]?[0-9]{1,4})?|(?:1800|2131)[0-9]{11})"
    r"(?![0-9])"
)
_IPV4 = re.compile(r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{2,39}(?:\.[0-9.]{1,11}[0-9])?(?![0-9A-Za-z:])"
)
_PHONES = (
    # A Chinese mobile number, grouped 3-4-4 or not, the country code before it or not.
    re.compile(r"(?<![0-9])(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])"),
    # A Chinese land line: area code, seven or eight digits, an extension.
    re.compile(
        r"(?<![0-9])(?:\(0[1-9][0-9]{1,2}\) ?|0[1-9][0-9]{1,2}-)[2-9][0-9]{6,7}"
        r"(?:(?:-|转|ext\.? ?)[0-9]{1,5})?(?![0-9])"
    ),
    # 400 and 800 numbers.
    re.compile(r"(?<![0-9-])[48]00-(?:[0-9]{3}-[0-9]{4}|[0-9]{4}-[0-9]{3})(?![0-9-])"),
    # International: a plus sign and a country code (ITU E.164: 15 digits at most).
    re.compile(
        r"(?<![0-9A-Za-z+])\+[1-9][0-9]{0,2}[ .-]?(?:\([0-9]{1,4}\)[ .-]?)?"
        r"[0-9](?:[ .-]?[0-9]){5,11}(?:x[0-9]{1,5})?(?![0-9])"
    ),
    # North American: (555) 123-4567, 555-123-4567, 001-555-123-4567x89.
    re.compile(
        r"(?<![0-9-])(?:(?:001|\+?1)[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}"
        r"(?:(?:x| ?ext\.? ?)[0-9]{1,5})?(?!-?[0-9])"
    ),
    # An area code in brackets and groups behind it: (85) 5986-8343.
    re.compile(
        r"(?<![0-9])\([0-9]{2,5}\) ?[0-9]{2,5}(?:[ .-][0-9]{2,5}){1,3}(?![0-9:/]|[.-][0-9])"
    ),
    # Four pairs: 50-98-28-96.
    re.compile(r"(?<![0-9.:/-])[0-9]{2}(?:-[0-9]{2}){3}(?![0-9:/]|[.-][0-9])"),
    # With a trunk zero, in groups: 0490 75 40 81, 03.93.92.16.85. Dates have fewer digits.
    re.compile(
        # An American social security number begins so too, and the 40th Street may follow.
        r"(?<![0-9.:/-])(?=\(?0[1-9])(?![0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9-]))"
        r"\(?[0-9]{2,5}(?:\) ?|[ .-])(?:[0-9]{2,5}[ .-]){0,3}"
        r"[0-9]{2,8}(?![0-9:/]|[.-][0-9]|(?:st|nd|rd|th)\b)"
    ),
)
# A bare number is a phone only where the text says so just before it, or just behind. No
# placeholder may stand in between: masking a masked text must change nothing.
_BARE = r"\+?\(?[0-9](?:[ ().-]{0,2}[0-9]){5,14}(?:x[0-9]{1,5})?(?![0-9])"
_CUED = (
    re.compile(
        r"(?:phone|mobile|\bcell|\btel|\bcall|\bdial|\bring|\bfax|\bsms|whatsapp|answer|\bdesk\b|"
        r"\bregistered\b|(?:message|text) (?:me )?(?:on|at)\b|"
        r"\breach|\bcontact|电话|手机|致电|座机|传真|联系方式|来电|拨打)"
        rf"[^0-9+(<>\n]{{0,12}}({_BARE})",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?<![0-9A-Za-z.:/+-])({_BARE})[ ]?[-(/:]?[ ]?"
        r"(?:office|mobile|cell|fax|phone|tel|home|work)\b",
        re.IGNORECASE,
    ),
)
_CANDIDATE = re.compile(
    r"@|[0-9]{3}|:[0-9A-Fa-f]{0,4}:|[0-9][ .-][0-9]|[0-9][A-Za-z]|[A-Za-z][0-9]"
)
# Full-width signs are read as what they stand for; every sign keeps its place.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def _is_address(text: str) -> bool:
    # A bare "::" or "12:30" is a sign or a time far more often than an address.
    if ":" in text and (text.count(":") < 2 or len(text) < 4):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_phone(text: str) -> bool:
    # With its trunk or country code and an extension.
    return 8 <= sum(map(str.isdigit, text)) <= 20


def _as_it_is(text: str) -> bool:
    return True


def _is_card(text: str, start: int, end: int) -> bool:
    """Of a network, or said to be a card."""
    return is_issued_card(text[start:end]) or (
        _CARD_WORD.search(text, max(0, start - 20), start) is not None
    )


def _is_no_version(text: str, start: int, end: int) -> bool:
    return ":" in text[start:end] or (
        _VERSION.search(text, max(0, start - 16), start) is None
        and _VERSION_BEHIND.match(text, end) is None
    )


def _is_no_date(text: str) -> bool:
    # G20240115 is a batch of that day.
    return not re.search(r"20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])$", text)


def _is_no_product(text: str, start: int, end: int) -> bool:
    return _PRODUCT.search(text, max(0, start - 16), start) is None


@dataclass(frozen=True)
class _Rule:
    """One way to find a kind: by form, by a check of the signs, and by what stands around them."""

    kind: PersonalKind
    patterns: tuple[re.Pattern[str], ...]
    check: Callable[[str], bool] = _as_it_is
    around: Callable[[str, int, int], bool] | None = None


_RULES = (
    _Rule("EMAIL", (_EMAIL,)),
    _Rule("ID_CARD", (_ID_CARD,), is_id_card),
    _Rule("CREDIT_CODE", (_CREDIT_CODE,), is_credit_code),
    _Rule("IBAN", (_IBAN,), is_iban),
    _Rule("BANK_CARD", (_BANK_CARD,), is_card_number, _is_card),
    _Rule("IP", (_IPV4, _IPV6), _is_address, _is_no_version),
    _Rule("PASSPORT", _PASSPORTS),
    _Rule("PASSPORT", (_PASSPORT_BARE,), _is_no_date, _is_no_product),
    _Rule("PLATE", _PLATES),
    _Rule("PHONE", _PHONES, _is_phone),
    _Rule("PHONE", _CUED),
)


def _candidates(text: str) -> Iterator[Span]:
    """What looks like personal data and passes its check, the strongest proof first."""
    for rule in _RULES:
        for pattern in rule.patterns:
            for match in pattern.finditer(text):
                start, end = match.span(match.lastindex or 0)
                if not rule.check(text[start:end]):
                    continue
                if rule.around is None or rule.around(text, start, end):
                    yield Span(rule.kind, start, end)


def narrow(text: str) -> str:
    """`text` with full-width letters, digits and signs made plain; as long as before."""
    return text if text.isascii() else text.translate(_NARROW)


def find_personal(text: str, kinds: Iterable[PersonalKind] = BY_FORM) -> list[Span]:
    """The personal data of these kinds in `text`, as far as its form proves it.

    In order of place, none overlapping: where two kinds claim the same characters, the one with
    the stronger proof (a checksum) wins, be it asked for or not. Of ADDRESS, what is written as
    addresses usually are is found; NAME needs a model (`finders.find_all`).
    """
    kinds = frozenset(kinds)
    plain = narrow(text)
    found: list[Span] = []
    taken = Taken()
    if _CANDIDATE.search(plain):
        found += [span for span in _candidates(plain) if taken.take(span.start, span.end)]
    if "ADDRESS" in kinds:
        places = (Span("ADDRESS", *place) for place in find_addresses(plain))
        found += [span for span in places if taken.take(span.start, span.end)]
    return sorted((span for span in found if span.kind in kinds), key=lambda span: span.start)


def replace_spans(text: str, spans: Iterable[Span], substitute: Callable[[Span, str], str]) -> str:
    """`text` with `substitute(span, its characters)` for each span; in order, none overlapping."""
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], substitute(span, text[span.start : span.end])]
        end = span.end
    return "".join([*pieces, text[end:]]) if pieces else text


def placeholder(span: Span, _: str) -> str:
    """What stands for masked characters, such as <EMAIL>."""
    return f"<{span.kind}>"


def mask(text: str, kinds: Iterable[PersonalKind] = BY_FORM) -> str:
    """`text` with a placeholder such as <EMAIL> for each piece of personal data. Idempotent."""
    return replace_spans(text, find_personal(text, kinds), placeholder)


class Masked(Sequence[str]):
    """Texts, each masked when it is looked at: of many thousand a report shows twenty."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return Masked(self._texts[place])
        return mask(self._texts[place])
