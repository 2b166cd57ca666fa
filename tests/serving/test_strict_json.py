import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import RequestError
from luodi.serving.strict_json import DEPTH, read_json

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_what_json_spells_is_read(value, indent, ascii_only):
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return  # a lone surrogate: no UTF-8
    try:
        assert read_json(text) == value
    except RequestError:
        assert "\\ud" in text.decode() or _depth(value) > DEPTH


def _depth(value):
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with suppress(RequestError):  # and nothing else
        read_json(data)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), st.integers(0, 9) | st.text(), min_size=1), st.data())
def test_equal_keys_are_always_found(value, data):
    pairs = [*value.items(), data.draw(st.sampled_from(sorted(value.items(), key=str)))]
    try:
        text = ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs)
    except UnicodeEncodeError:
        return
    with pytest.raises(RequestError):
        read_json(("{" + text + "}").encode())


def len_of(number):
    return f"{len(str(number))}-digits"


@pytest.mark.parametrize(
    "number", [2**63, -(2**63) - 1, 10**19, 2**64, 10**30, -(10**400)], ids=len_of
)
def test_whole_numbers_beyond_64_bits_are_refused(number):
    with pytest.raises(RequestError, match=r"64|infinity"):
        read_json(b"[" + str(number).encode() + b"]")


@pytest.mark.parametrize(
    "text",
    [
        str(2**63 - 1),
        str(-(2**63)),
        "0.12345678901234567890123",
        "12345678901234567890123.5",
        "12345678901234567890123e2",
        "1e-0000000000000000000000001",
        "1e+0000000000000000000000001",
        '"99999999999999999999999999"',
        '"a\\"99999999999999999999999999"',
        '{"99999999999999999999": ":::"}',
    ],
)
def test_other_long_numbers_are_fine(text):
    assert read_json(text.encode()) == json.loads(text)


def test_depth_is_bounded():
    assert read_json(b"[" * DEPTH + b"]" * DEPTH)
    with pytest.raises(RequestError, match="nested"):
        read_json(b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1))
