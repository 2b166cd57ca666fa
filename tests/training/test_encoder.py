from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from luodi.contracts import BaseModelError
from luodi.training.encoder import attend, load_encoder
from luodi.training.precision import choose_precision
from tests.tiny_base import make_tiny_base


def test_attention_is_attention() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, 6, 8) for _ in range(3))
    mask = torch.zeros(2, 1, 1, 6)
    mask[1, ..., 4:] = torch.finfo(torch.float32).min
    expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, mask)
    found, _ = attend(torch.nn.Module(), query, key, value, mask)
    torch.testing.assert_close(found, expected.transpose(1, 2))


def test_ours_and_the_plain_attention_agree(tmp_path: Path) -> None:
    folder = make_tiny_base(tmp_path)
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    with torch.inference_mode():
        ours, plain = (
            load_encoder(folder, attention).eval()(input_ids=ids, attention_mask=mask)
            for attention in ("luodi", "eager")
        )
    keep = mask.bool()
    torch.testing.assert_close(ours.last_hidden_state[keep], plain.last_hidden_state[keep])


def test_dropout_is_set_where_it_is_asked_for(tmp_path: Path) -> None:
    encoder = load_encoder(make_tiny_base(tmp_path), dropout=0.0)
    rates = {m.p for m in encoder.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates == {0.0}


def test_what_is_no_encoder_is_told_in_words(tmp_path: Path) -> None:
    folder = make_tiny_base(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "no-such-type"}))
    with pytest.raises(BaseModelError, match="BERT family"):
        load_encoder(folder)


def test_the_precision_is_measured_once(tmp_path: Path) -> None:
    first = choose_precision(tmp_path, 1)
    assert first in ("float32", "bfloat16")
    path = tmp_path / "precision.json"
    other = {"float32": "bfloat16", "bfloat16": "float32"}[first]
    known = json.loads(path.read_text())
    path.write_text(json.dumps(dict.fromkeys(known, other)))
    assert choose_precision(tmp_path, 1) == other
    path.write_text("{broken")
    assert choose_precision(tmp_path, 1) in ("float32", "bfloat16")
