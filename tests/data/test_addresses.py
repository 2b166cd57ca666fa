"""Addresses by the way they are written."""

from __future__ import annotations

import time

import pytest

from luodi.data.addresses import find_addresses
from luodi.data.privacy import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我住在北京市朝阳区建国路88号华贸中心1号楼2单元501室，谢谢", "我住在<ADDRESS>，谢谢"),
        ("寄到广东省深圳市南山区科技园南路16号A座1203", "寄到<ADDRESS>"),
        ("收件地址：浙江省 杭州市 西湖区 文三路 478 号", "收件地址：<ADDRESS>"),
        ("快递已送达人民路12号", "快递已送达<ADDRESS>"),
        ("南山区香港中路15号碧桂园6号楼636", "<ADDRESS>"),
        ("上海市浦东新区世纪大道１００号", "<ADDRESS>"),
        ("at 123 Main Street, Apt 4, Springfield, IL 62704.", "at <ADDRESS>."),
        ("write to P.O. Box 22 today", "write to <ADDRESS> today"),
    ],
)
def test_an_address_is_found_whole(text: str, masked: str) -> None:
    assert mask(text, ("ADDRESS",)) == masked
    assert mask(masked, ("ADDRESS",)) == masked


@pytest.mark.parametrize(
    "text",
    [
        "上海的街道很干净，北京的路很宽",
        "走了很多路，花了3元",
        "第3号选手来自成都",
        "共3栋楼",
        "the 3 Amigos drove a Way home",
        "",
    ],
)
def test_a_place_alone_is_no_address(text: str) -> None:
    assert list(find_addresses(text)) == []


@pytest.mark.parametrize(
    "text",
    ["市" * 100_000, "北京" * 50_000, "路1号" * 30_000, "1 A " * 40_000, "人民路1号，" * 9000],
)
def test_hostile_text_takes_no_square_of_time(text: str) -> None:
    started = time.perf_counter()
    list(find_addresses(text))
    assert time.perf_counter() - started < 10
