"""A model that translates, for translation there and back: a folder or an address.

A folder holds a sequence-to-sequence model as Transformers keeps it (safetensors and a fast
tokenizer); nothing in it is executed. An address takes {"texts": [...]} by POST and answers
{"texts": [...]}.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from luodi.contracts import DataError, MissingPartError, say
from luodi.data.augment.texts import Translate

_BATCH = 16
_SECONDS = 120.0
_LONGEST = 256
_MOST_BYTES = 64 * 2**20


def translator(place: str, root: Path) -> Translate:
    """The translator at an address (http:, https:) or in a folder, relative to `root`.

    Raises:
        DataError: when there is no such folder, or no model in it.
        MissingPartError: when Transformers is not installed.
    """
    folder = find_translator(place, root)
    return _local(folder) if folder else lambda texts: _asked(place, texts)


def find_translator(place: str, root: Path) -> Path | None:
    """The folder that a translator's model lies in; None for an address.

    Raises:
        DataError: as `translator`.
    """
    if place.startswith(("http://", "https://")):
        return None
    folder = (root / Path(place).expanduser()).resolve()
    if not (folder / "config.json").is_file():
        raise DataError(
            say(f"{folder} holds no model.", f"{folder} 中没有模型。"),
            say(
                "Expected a folder with config.json, model.safetensors and tokenizer.json, or an "
                "address that begins with http.",
                "应为含 config.json、model.safetensors、tokenizer.json 的文件夹，或 http 地址。",
            ),
        )
    return folder


def _asked(address: str, texts: Sequence[str]) -> list[str]:
    answers: list[str] = []
    for start in range(0, len(texts), _BATCH):
        block = list(texts[start : start + _BATCH])
        request = urllib.request.Request(  # noqa: S310  # http and https alone reach this
            address,
            json.dumps({"texts": block}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310
                document = json.loads(reply.read(_MOST_BYTES))
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise DataError(
                say(
                    f"The translator at {address} did not answer: {error}.",
                    f"翻译服务 {address} 没有应答：{error}。",
                ),
                say('Expected {"texts": [...]}.', '应为 {"texts": [...]}。'),
            ) from error
        told = document.get("texts") if isinstance(document, dict) else None
        if not isinstance(told, list) or len(told) != len(block):
            raise DataError(
                say(
                    f"The translator at {address} gave no list of {len(block)} texts.",
                    f"翻译服务 {address} 没有返回 {len(block)} 条文本。",
                ),
                say('Expected {"texts": [...]}.', '应为 {"texts": [...]}。'),
            )
        answers += map(str, told)
    return answers


def _local(folder: Path) -> Translate:
    try:
        import torch
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    except ModuleNotFoundError as error:
        raise MissingPartError(
            say(
                f"Translating needs {error.name}, which is not installed.",
                f"翻译需要 {error.name}，但未安装。",
            ),
            "",
            say("pip install 'luodi[train]'", "请执行 pip install 'luodi[train]'"),
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        model = AutoModelForSeq2SeqLM.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            say(
                f"The model in {folder} cannot be loaded: {error}.",
                f"无法加载 {folder} 中的模型：{error}。",
            ),
            say("Expected a sequence-to-sequence model.", "应为序列到序列模型。"),
        ) from error

    def translate(texts: Sequence[str]) -> list[str]:
        answers: list[str] = []
        for start in range(0, len(texts), _BATCH):
            block = list(texts[start : start + _BATCH])
            inputs = tokenizer(
                block, return_tensors="pt", padding=True, truncation=True, max_length=_LONGEST
            )
            inputs.pop("token_type_ids", None)
            with torch.no_grad():
                made = model.generate(**inputs, max_new_tokens=_LONGEST, num_beams=1)
            answers += tokenizer.batch_decode(made, skip_special_tokens=True)
        return answers

    return translate
