"""The directory that is judged, signed, registered and served.

    BUNDLE/
      digest               "sha256:<hex>" of manifest.json: the bundle's identity
      manifest.json        format, name, task, learner, tolerance; every file's SHA-256 and size
      model/               what the learner exported, read by its predictor
      schema.json          one request, one answer
      preparation.json     what is done to a request before it is answered
      golden.jsonl         up to 64 requests with their exact answers
      data.json            fingerprints and counts of what was learnt from
      environment.json     the packages, the Python and the kind of machine it was made with
      licences.json        the parts that others made
      evaluation/          attached after the gate; its own manifest and digest name the bundle's

Nothing here holds a clock or a machine's path: the same inputs give the same digest.

Names are loaded when first used: what serves reads bundles, and writes none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from luodi.bundle.check import Check as Check
    from luodi.bundle.manifest import GOLDEN_LIMIT as GOLDEN_LIMIT
    from luodi.bundle.manifest import Manifest as Manifest
    from luodi.bundle.manifest import version_of as version_of
    from luodi.bundle.read import LoadedBundle as LoadedBundle
    from luodi.bundle.read import open_predictor as open_predictor
    from luodi.bundle.read import read_data as read_data
    from luodi.bundle.read import read_manifest as read_manifest
    from luodi.bundle.seals import Sealed as Sealed
    from luodi.bundle.verification import Verification as Verification
    from luodi.bundle.verification import prove as prove
    from luodi.bundle.verification import verify as verify
    from luodi.bundle.write import BundleFacts as BundleFacts
    from luodi.bundle.write import attach_evaluation as attach_evaluation
    from luodi.bundle.write import write_bundle as write_bundle

_HOMES = {
    "BundleFacts": "write",
    "Check": "check",
    "GOLDEN_LIMIT": "manifest",
    "LoadedBundle": "read",
    "Manifest": "manifest",
    "Sealed": "seals",
    "Verification": "verification",
    "attach_evaluation": "write",
    "open_predictor": "read",
    "prove": "verification",
    "read_data": "read",
    "read_manifest": "read",
    "verify": "verification",
    "version_of": "manifest",
    "write_bundle": "write",
}


def __getattr__(name: str) -> object:
    if (home := _HOMES.get(name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"luodi.bundle.{home}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
