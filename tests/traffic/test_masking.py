import pytest

from luodi.traffic.masking import Numbers, masked


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("mail me@example.com", "mail <EMAIL>"),
        ({"text": "13812345678", "n": 3}, {"text": "<PHONE>", "n": 3}),
        (["11010519491231002X", None, True], ["<ID_CARD>", None, True]),
        (13812345678, "<PHONE>"),
        (13812345678.0, "<PHONE>"),
        (1234, 1234),
        (0.5, 0.5),
        ({"me@example.com": "x"}, {"me@example.com": "x"}),  # a field's name is the schema's
    ],
)
def test_personal_data_is_hidden_wherever_it_stands(value, hidden):
    assert masked(value) == hidden


def test_a_card_number_that_is_a_number_is_hidden():
    assert masked({"card": 4111111111111111}) == {"card": "<BANK_CARD>"}
    assert masked({"amount": 4111111111111112}) == {"amount": 4111111111111112}


def test_an_id_is_kept_unless_it_is_personal(tmp_path):
    numbers = Numbers(tmp_path)
    assert numbers.written("order-7") == "order-7"
    assert not list(tmp_path.iterdir())  # no key is made until one is needed
    hidden = numbers.written("13812345678")
    assert hidden.startswith("masked-")
    assert "13812345678" not in hidden
    assert Numbers(tmp_path).written("13812345678") == hidden
    assert Numbers(tmp_path / "else").written("13812345678") != hidden
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert numbers.written("x" * 500).startswith("masked-")
    assert numbers.written("a\nb").startswith("masked-")
