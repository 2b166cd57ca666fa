"""What a bundle says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from luodi.bundle.seals import Sealed, canonical, malformed, read_object, read_seals
from luodi.contracts import BundleError, JsonValue, say

FORMAT = 1
EVALUATION = "evaluation"
GOLDEN_LIMIT = 64

_NAME = re.compile(r"\w[\w.-]{0,99}")


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: what the bundle is, and the seal of each of its files.

    Attributes:
        tolerance: how far a golden answer's numbers may lie off, relative to max(1, |number|).
        settings: what the model was fitted with: seed, base, options.
        serving: how the project wants it served, such as max_batch.
        files: path inside the bundle, with `/` -> seal.
    """

    name: str
    task: str
    learner: str
    learner_version: int
    tolerance: float
    files: Mapping[str, Sealed]
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    serving: Mapping[str, JsonValue] = field(default_factory=dict)
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """The file's bytes, the same for the same content."""
        files = {name: vars(seal) for name, seal in self.files.items()}
        return canonical({**vars(self), "files": files})

    @classmethod
    def from_bytes(cls, data: bytes, where: Path) -> Manifest:
        """Read what `to_bytes` wrote.

        Raises:
            BundleError: when a field is missing or of another kind, or a path leaves the folder.
        """
        value = read_object(data, where)
        if value.get("format") != FORMAT:
            raise BundleError(
                say(
                    f"{where} is of format {value.get('format')!r}.",
                    f"{where} 的格式版本为 {value.get('format')!r}。",
                ),
                say(f"This Luodi reads format {FORMAT}.", f"此版 Luodi 读取格式 {FORMAT}。"),
                say("Use the version that wrote it.", "请使用写入它的版本。"),
            )
        kinds = {
            "name": str,
            "task": str,
            "learner": str,
            "learner_version": int,
            "settings": dict,
            "serving": dict,
        }
        for name, kind in kinds.items():
            if not isinstance(value.get(name), kind):
                raise malformed(where, name)
        tolerance = value.get("tolerance")
        if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
            raise malformed(where, "tolerance")
        if not 0 <= tolerance <= 1:
            raise malformed(where, "tolerance")
        check_name(value["name"])
        return cls(
            **{name: value[name] for name in kinds},
            tolerance=float(tolerance),
            files=read_seals(value.get("files"), where),
        )


def check_name(name: str) -> str:
    """`name`, when it can name a model in a path, a URL and on the command line.

    Raises:
        BundleError: when it cannot.
    """
    if not _NAME.fullmatch(name):
        raise BundleError(
            say(f"{name!r} cannot name a model.", f"{name!r} 不能作为模型名。"),
            say(
                "Expected letters, digits, '_', '-' and '.', at most 100.",
                "应由字母、数字、“_”、“-”、“.”组成，至多 100 个字符。",
            ),
        )
    return name


def version_of(digest: str) -> str:
    """The version that a digest names: its first 12 hex digits."""
    return digest.removeprefix("sha256:")[:12]
