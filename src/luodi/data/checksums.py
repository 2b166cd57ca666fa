"""Numbers that prove themselves by a check digit."""

from __future__ import annotations

import re
from datetime import date

_PROVINCES = frozenset(
    map(str, (*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55)))
) | frozenset(map(str, (*range(61, 66), 71, 81, 82, 83)))
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
# GB 32100-2015: no I, O, S, V, Z.
_CODE_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# First digits and lengths by network (ISO/IEC 7812; the lists that the
# networks publish). Chinese banks gave out cards under 60 and 9 before UnionPay's 62.
_CARDS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{17,18})"  # Visa
    # Mastercard
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0|6|8|9)[0-9]{12,17}"  # Diners
    r"|(?:1800|2131)[0-9]{11}|3[0-9]{15}|35[0-9]{15,17}"  # JCB
    r"|(?:50(?:18|20|38)|5[6-9][0-9]{2}|0604|6304|6390|67(?:59|6[0-9]))[0-9]{8,15}"  # Maestro
    r"|(?:506[01]|507[89]|508[0-9]|220[0-4])[0-9]{12,15}|8600[0-9]{12}"  # Verve, RuPay, Mir, Uzcard
    r"|(?:6[0-9]|8[12]|9[0-9])[0-9]{14,17}"  # UnionPay, Discover, RuPay
)
_CODE_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def is_id_card(number: str) -> bool:
    """Whether the 18 characters are a Chinese resident's number: province, birthday, check digit.

    Blanks and hyphens are passed over. Source: GB 11643-1999 (the check digit is ISO 7064
    MOD 11-2).
    """
    number = _bare(number)
    if len(number) != 18 or number[:2] not in _PROVINCES:
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


def is_issued_card(number: str) -> bool:
    """Whether a card network gives out numbers that begin so and are so long.

    One number in ten passes Luhn's check, so that alone makes cards of bar codes (13 digits), of
    order numbers that begin with a date, and of all serial numbers of phones and SIM cards, which
    carry the same check digit.
    """
    return _CARDS.fullmatch("".join(sign for sign in number if sign.isdigit())) is not None


def is_credit_code(code: str) -> bool:
    """Whether the 18 characters are a Chinese unified social credit code.

    A registering authority, a region and the last sign, which checks the others modulo 31.
    Source: GB 32100-2015.
    """
    code = _bare(code).upper()
    if len(code) != 18 or any(sign not in _CODE_SIGNS for sign in code):
        return False
    if code.isdigit() and code.startswith("62"):
        return False  # a UnionPay card; no authority registers companies under 62
    if code[0] not in "123456789ANY" or not (code[2:4] in _PROVINCES or code[2:4] == "10"):
        return False
    total = sum(
        _CODE_SIGNS.index(sign) * weight for sign, weight in zip(code, _CODE_WEIGHTS, strict=False)
    )
    return _CODE_SIGNS[-total % 31] == code[17]


def is_iban(number: str) -> bool:
    """Whether the characters are an international bank account number.

    Source: ISO 13616; the check is ISO 7064 MOD 97-10.
    """
    number = _bare(number).upper()
    if not 15 <= len(number) <= 34 or not number.isalnum() or not number.isascii():
        return False
    turned = number[4:] + number[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _bare(number: str) -> str:
    return number.replace(" ", "").replace("-", "")
