"""Personal data: found by form and checksum; what only looks alike is left."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import BundleError
from luodi.data.masking import Mask
from luodi.data.preparation import Preparation
from luodi.data.privacy import Masked, find_personal, is_card_number, is_id_card, mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("写信到zhang.san_1@mail.example.com.cn吧", "写信到<EMAIL>吧"),
        ("mail a+b@example.org, please.", "mail <EMAIL>, please."),
        ("手机13800138000,座机010-62345678转123", "手机<PHONE>,座机<PHONE>"),
        ("+86 138 0013 8000 / 138-0013-8000", "<PHONE> / <PHONE>"),
        ("客服400-810-6666,或(0571)87654321", "客服<PHONE>,或<PHONE>"),
        (
            "call +44 20 7946 0958 or (555) 123-4567 or 555-123-4567",
            "call <PHONE> or <PHONE> or <PHONE>",
        ),
        ("身份证11010519491231002X,新", "身份证<ID_CARD>,新"),
        ("卡号 4111 1111 1111 1111。", "卡号 <BANK_CARD>。"),
        ("卡6222021234567890128", "卡<BANK_CARD>" if is_card_number("6222021234567890128") else ""),
        ("护照号E12345678，我的EB1234567", "护照号<PASSPORT>，我的<PASSPORT>"),
        ("passport no. is 123456789", "passport no. is <PASSPORT>"),
        ("车牌京A·12345，粤B12345D 沪C1234学。", "车牌<PLATE>，<PLATE> <PLATE>。"),
        ("税号91350100M000100Y43，", "税号<CREDIT_CODE>，"),
        ("to GB82 WEST 1234 5698 7654 32 please", "to <IBAN> please"),
        (
            "电话１３８００１３８０００，身份证 110105 19491231 002X",
            "电话<PHONE>，身份证 <ID_CARD>",
        ),
        ("call 785 8949 or (85) 5986-8343", "call <PHONE> or <PHONE>"),
        ("25 833387-Office\\,001-432-815-4117-Fax", "<PHONE>-Office\\,<PHONE>-Fax"),
        ("from 192.168.1.10:8080 and 2001:db8::ff00:42:8329.", "from <IP>:8080 and <IP>."),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    if masked:
        assert mask(text) == masked
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "价格1380元,买了2台,型号A138001380001B",
        "身份证110105194912310021",  # wrong check digit
        "11010519491331002X",  # a thirteenth month
        "卡号4111 1111 1111 1112",  # fails Luhn
        "0000 0000 0000 0000",
        "version 1.2.3 and 1.2.3.4.5 and 999.1.1.1",
        "at 12:30:45 :: done",
        "2024-05-31 10:00:00",
        "a@b, @someone, x@localhost",
        "订单号20240531123456789",
        "ISBN 978-7-111-12345-6",
        "138001380001",
        "京东A12店, 型号E1234567, 单号E123456789",
        "统一社会信用代码91350100M000100Y44",  # wrong check sign
        "GB82 WEST 1234 5698 7654 33",
        "50-98-28-96-11, 3 x 4 - 5",
        # All of these pass Luhn's check, and none is a card.
        "商品条码6901234567892",
        "国际条码8801163182846",
        "设备串号864612261401357",
        "SIM卡的ICCID是8986867340367529793",
        "流水号2024031512301234562",
        # As many digits as a passport, an address, a phone; what stands beside them tells.
        "产品批号G20180706，型号E49062479",
        "微信版本8.0.32.89闪退，请升级到10.4.2.1版本",
        "Firmware 1.4.22.3, version: 10.0.2.4",
        "SSN 054-28-6917",
        "on 01 4589 40th Street",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("卡号6901234567892", "卡号<BANK_CARD>"),  # said to be one, whoever gave it out
        ("my account 6901234567892", "my account <BANK_CARD>"),
        ("护照型号E49062479", "护照型号<PASSPORT>"),
        ("G49062479的持有人", "<PASSPORT>的持有人"),
        ("服务器8.0.32.89", "服务器<IP>"),
        ("Desk: 5403926876", "Desk: <PHONE>"),
    ],
)
def test_what_stands_beside_a_number_decides(text: str, masked: str) -> None:
    assert mask(text) == masked


def id_number(rng: random.Random) -> str:
    body = (
        rng.choice(("110105", "310101", "440305", "650102"))
        + f"{rng.randint(1940, 2020)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
        + f"{rng.randint(0, 999):03}"
    )
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def card_number(rng: random.Random) -> str:
    body = rng.choice(("62220", "62284", "4", "51")) + "".join(rng.choices("0123456789", k=11))
    for check in "0123456789":
        digits = [int(digit) for digit in body + check]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            return body + check
    raise AssertionError(body)


def test_checksummed_numbers_are_found_in_any_sentence() -> None:
    rng = random.Random(11)
    for _ in range(500):
        number, card = id_number(rng), card_number(rng)
        assert is_id_card(number)
        assert is_card_number(card)
        spaced = " ".join(card[at : at + 4] for at in range(0, len(card), 4))
        assert mask(f"我的身份证号是{number}。") == "我的身份证号是<ID_CARD>。"
        assert mask(f"ID:{number.lower()} card {card}") == "ID:<ID_CARD> card <BANK_CARD>"
        assert mask(f"卡号{spaced}") == "卡号<BANK_CARD>"
        wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
        assert not is_id_card(wrong)


def test_only_the_kinds_asked_for_are_masked() -> None:
    text = "手机13800138000，邮箱a@example.com，住在人民路12号"
    assert mask(text, ("EMAIL",)) == "手机13800138000，邮箱<EMAIL>，住在人民路12号"
    assert mask(text, ("ADDRESS", "PHONE")) == "手机<PHONE>，邮箱a@example.com，住在<ADDRESS>"
    # A stronger proof keeps its characters, asked for or not: no half of a number is masked.
    assert mask("11010519491231002X", ("PHONE",)) == "11010519491231002X"
    assert mask(text, ()) == text


@given(st.text("0123456789@.-+ab:() 号Xx", max_size=60))
def test_spans_are_in_order_and_masking_is_final(text: str) -> None:
    spans = find_personal(text)
    for one, other in pairwise(spans):
        assert one.end <= other.start
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text", ["1" * 200_000, "a." * 100_000 + "@", "1 " * 100_000, "a@" * 100_000, ":" * 200_000]
)
def test_hostile_text_takes_no_square_of_time(text: str) -> None:
    started = time.perf_counter()
    mask(text)
    assert time.perf_counter() - started < 3


def test_a_preparation_does_to_requests_what_it_did_to_rows() -> None:
    preparation = Preparation((Mask(("text",)),))
    requests = [{"text": "call 13800138000", "code": "13800138000", "n": 1}, {"text": None}]
    assert preparation.apply(requests) == [
        {"text": "call <PHONE>", "code": "13800138000", "n": 1},
        {"text": None},
    ]
    assert requests[0]["text"] == "call 13800138000"
    assert Preparation.from_json(preparation.to_json()) == preparation
    assert Preparation().apply(requests) == requests
    everything = Preparation((Mask(),)).apply(requests)
    assert everything[0]["code"] == "<PHONE>"
    with pytest.raises(BundleError, match="step 'melt'"):
        Preparation.from_json({"steps": [{"step": "melt"}]})


def test_the_service_can_mask_without_numpy_and_polars() -> None:
    code = (
        "import sys, luodi.data, luodi.data.preparation, luodi.data.privacy;"
        "print([n for n in ('numpy', 'polars', 'torch', 'scipy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_texts_are_masked_when_they_are_looked_at():
    texts = Masked(["write to ann@example.org", "nothing here", "call 13812345678"])
    assert len(texts) == 3
    assert texts[0] == "write to <EMAIL>"
    assert list(texts[1:]) == ["nothing here", "call <PHONE>"]
    assert [text for text in texts if "<" in text] == [texts[0], texts[2]]
