"""Personal data in free text: found by form and proved by checksum.

Pure Python on purpose: the service masks requests with the very same code, and must stay small.
Names and addresses need a model to find; these six kinds do not.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["EMAIL", "PHONE", "ID_CARD", "BANK_CARD", "IP"]


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` (not included) of a text are personal data of this kind."""

    kind: Kind
    start: int
    end: int


# No look-alike may stand beside a number: a digit more makes it another number.
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_%+-](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])"
)
_ID_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
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
        r"[0-9](?:[ .-]?[0-9]){5,11}(?![0-9])"
    ),
    # North American: (555) 123-4567, 555-123-4567, 001-555-123-4567x89.
    re.compile(
        r"(?<![0-9-])(?:(?:001|1)[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}"
        r"(?:x[0-9]{1,5})?(?![0-9-])"
    ),
    # With a trunk zero, in groups: 0490 75 40 81, 03.93.92.16.85. Dates have fewer digits.
    re.compile(
        r"(?<![0-9.:/-])(?=\(?0[1-9])\(?[0-9]{2,5}(?:\) ?|[ .-])(?:[0-9]{2,5}[ .-]){0,3}"
        r"[0-9]{2,8}(?![0-9:/]|[.-][0-9])"
    ),
)
# A bare number is a phone only where the text says so just before it. No placeholder may stand in
# between: masking a masked text must change nothing.
_CUED = re.compile(
    r"(?:phone|mobile|\btel|\bcall|\bfax|whatsapp|电话|手机|致电|座机|传真|联系方式)"
    r"[^0-9+(<>\n]{0,12}(\+?\(?[0-9](?:[ ().-]{0,2}[0-9]){6,14})(?![0-9])",
    re.IGNORECASE,
)
_CANDIDATE = re.compile(r"@|[0-9]{3}|:[0-9A-Fa-f]{0,4}:|[0-9][ .-][0-9]")

_PROVINCES = frozenset(
    map(str, (*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55)))
) | frozenset(map(str, (*range(61, 66), 71, 81, 82, 83)))
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def is_id_card(number: str) -> bool:
    """Whether the 18 characters are a Chinese resident's number: province, birthday, check digit.

    Source: GB 11643-1999 (the check digit is ISO 7064 MOD 11-2).
    """
    if number[:2] not in _PROVINCES:
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _ID_WEIGHTS, strict=False))
    return born.year >= 1880 and _ID_CHECKS[total % 11] == number[17].upper()


def is_card_number(number: str) -> bool:
    """Whether the digits pass Luhn's check (ISO/IEC 7812-1); other signs are passed over."""
    digits = [int(sign) for sign in number if sign.isdigit()]
    if not 12 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


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
    return 9 <= sum(map(str.isdigit, text)) <= 20


def _as_it_is(text: str) -> bool:
    return True


_KINDS: tuple[tuple[Kind, tuple[re.Pattern[str], ...], Callable[[str], bool]], ...] = (
    ("EMAIL", (_EMAIL,), _as_it_is),
    ("ID_CARD", (_ID_CARD,), is_id_card),
    ("BANK_CARD", (_BANK_CARD,), is_card_number),
    ("IP", (_IPV4, _IPV6), _is_address),
    ("PHONE", _PHONES, _is_phone),
    ("PHONE", (_CUED,), _as_it_is),
)


def _candidates(text: str) -> Iterator[Span]:
    """What looks like personal data and passes its check, the strongest proof first."""
    for kind, patterns, check in _KINDS:
        for pattern in patterns:
            for match in pattern.finditer(text):
                if check(match[match.lastindex or 0]):
                    yield Span(kind, *match.span(match.lastindex or 0))


def find_personal(text: str) -> list[Span]:
    """The e-mail addresses, phone, identity and bank card numbers and IP addresses in `text`.

    In order of place, none overlapping: where two kinds claim the same characters, the one with
    the stronger proof (a checksum) wins.
    """
    if not _CANDIDATE.search(text):
        return []
    found: list[Span] = []
    for span in _candidates(text):
        if all(span.end <= other.start or other.end <= span.start for other in found):
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def mask(text: str) -> str:
    """`text` with a placeholder such as <EMAIL> for each piece of personal data. Idempotent."""
    spans = find_personal(text)
    if not spans:
        return text
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], f"<{span.kind}>"]
        end = span.end
    return "".join([*pieces, text[end:]])
