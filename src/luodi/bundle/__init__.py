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
"""

from luodi.bundle.check import Check
from luodi.bundle.manifest import GOLDEN_LIMIT, Manifest, version_of
from luodi.bundle.read import LoadedBundle, open_predictor, read_data, read_manifest
from luodi.bundle.seals import Sealed
from luodi.bundle.verification import Verification, prove, verify
from luodi.bundle.write import BundleFacts, attach_evaluation, write_bundle

__all__ = [
    "GOLDEN_LIMIT",
    "BundleFacts",
    "Check",
    "LoadedBundle",
    "Manifest",
    "Sealed",
    "Verification",
    "attach_evaluation",
    "open_predictor",
    "prove",
    "read_data",
    "read_manifest",
    "verify",
    "version_of",
    "write_bundle",
]
