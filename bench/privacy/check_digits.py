"""Numbers with right check digits, made without the code that is judged by them."""

from __future__ import annotations

import random


def luhn(head: str, length: int, rng: random.Random) -> str:
    """A card number of `length` digits that begins with `head`."""
    body = head + "".join(rng.choices("0123456789", k=length - 1 - len(head)))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return body + str(-total % 10)


def id_card(rng: random.Random) -> str:
    """A Chinese resident's number (ISO 7064 MOD 11-2)."""
    region = rng.choice(("110105", "310115", "440305", "330106", "510107", "420103", "370202"))
    born = f"{rng.randint(1945, 2012)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{region}{born}{rng.randint(1, 999):03}"
    value = 0
    for digit in body:
        value = (value + int(digit)) * 2 % 11
    return body + "0123456789X"[(12 - value) % 11]


def credit_code(rng: random.Random) -> str:
    """A unified social credit code (GB 32100-2015), its organisation code checked as well."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    inner = "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=8))
    values = [int(sign, 36) for sign in inner]
    rest = -sum(v * w for v, w in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    region = rng.choice(("110108", "310115", "440300", "330106", "510107", "100000"))
    body = rng.choice(("91", "92", "52", "12")) + region + inner + "0123456789X"[rest]
    total, weight = 0, 1
    for sign in body:
        total, weight = total + signs.index(sign) * weight, weight * 3 % 31
    return body + signs[(31 - total % 31) % 31]
