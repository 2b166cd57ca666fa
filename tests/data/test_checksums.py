"""Check digits: right numbers pass, and a single wrong sign never does."""

from __future__ import annotations

import random

import pytest

from bench.privacy.check_digits import credit_code, id_card, luhn
from luodi.data.checksums import (
    is_card_number,
    is_credit_code,
    is_iban,
    is_id_card,
    is_issued_card,
)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_published_credit_codes_pass(code: str) -> None:
    assert is_credit_code(code)
    assert is_credit_code(code.lower())


@pytest.mark.parametrize(
    "number",
    ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "FR1420041010050500013M02606"],
)
def test_published_ibans_pass(number: str) -> None:
    assert is_iban(number)


def test_a_wrong_sign_is_seen() -> None:
    rng = random.Random(5)
    for _ in range(200):
        for number, holds, signs in (
            (credit_code(rng), is_credit_code, "0123456789ABCDEFGHJKLMNPQRTUWXY"),
            (id_card(rng), is_id_card, "0123456789"),
            (luhn("6222", 19, rng), is_card_number, "0123456789"),
            ("DE89370400440532013000", is_iban, "0123456789"),
        ):
            assert holds(number)
            place = rng.randrange(4, len(number))
            other = rng.choice([sign for sign in signs if sign != number[place]])
            assert not holds(number[:place] + other + number[place + 1 :]), number


@pytest.mark.parametrize("text", ["", "x", "911101085513850", "I" * 18, "GB", "９１" * 9])
def test_nonsense_is_no_number(text: str) -> None:
    assert not is_credit_code(text)
    assert not is_iban(text)
    assert not is_id_card(text)


def test_a_bank_card_is_no_company() -> None:
    # All digits, and right by both checks: UnionPay's prefix decides.
    assert is_card_number("621226244296673200")
    assert not is_credit_code("621226244296673200")


@pytest.mark.parametrize(
    ("number", "issued"),
    [
        ("4111 1111 1111 1111", True),
        ("4222222222222", True),
        ("5555-5555-5555-4444", True),
        ("2223003122003222", True),
        ("378282246310005", True),
        ("30569309025904", True),
        ("3566002020360505", True),
        ("6011000990139424", True),
        ("6222021234567890123", True),
        ("9558801234567890123", True),
        ("676770000000", True),
        ("6901234567892", False),  # a bar code
        ("864612261401357", False),  # a phone's serial number
        ("8986867340367529793", False),  # a SIM card's
        ("2024031512301234", False),  # an order of that day
        ("0000000000000000", False),
        ("", False),
    ],
)
def test_which_numbers_networks_give_out(number: str, issued: bool) -> None:
    assert is_issued_card(number) is issued
