"""Writing a bundle: whole or not at all."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.bundle.environment import environment
from luodi.bundle.manifest import EVALUATION, FORMAT, GOLDEN_LIMIT, Manifest, check_name
from luodi.bundle.seals import (
    DIGEST,
    MANIFEST,
    Sealed,
    canonical,
    digest_of,
    opened,
    read_digest,
    read_file,
    seal_file,
    walk,
)
from luodi.contracts import Answer, BundleError, JsonValue, Request, Schema, say

if TYPE_CHECKING:
    from luodi.data.preparation import Preparation

TEMPORARY = ".writing"


@dataclass(frozen=True)
class BundleFacts:
    """What a bundle says of itself beyond its files.

    Attributes:
        name: the model's name, as in the project file.
        task: the task's registered name.
        learner: the learner's name within the task; its predictor will read `model/`.
        data: fingerprints and counts of the parts; no rows.
        licences: name of each part that others made -> its licence (SPDX).
        settings: what the model was fitted with: seed, base, options.
        serving: how the project wants it served, such as max_batch.
        tolerance: how far a golden answer's numbers may lie off on another machine, relative to
            max(1, |number|).
    """

    name: str
    task: str
    learner: str
    learner_version: int
    data: Mapping[str, JsonValue]
    licences: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    serving: Mapping[str, JsonValue] = field(default_factory=dict)
    tolerance: float = 1e-4


def write_bundle(
    folder: Path,
    *,
    exported: Path,
    facts: BundleFacts,
    schema: Schema,
    golden: Sequence[tuple[Request, Answer]],
    preparation: Preparation,
) -> str:
    """Make the bundle at `folder` and return its digest, `sha256:<hex>`.

    It appears in one rename: a kill leaves none. When `folder` already holds this very bundle,
    nothing is written.

    Args:
        exported: the folder that `Fitted.export` wrote; its files are copied to `model/`.
        golden: 1 to 64 requests as a caller would send them, with the answers of the predictor
            that reads `exported`, after the preparation.

    Raises:
        BundleError: when a value is not plain JSON, there is no golden answer, `exported` holds a
            link, or `folder` holds something else.
    """
    check_name(facts.name)
    if not 0 < len(golden) <= GOLDEN_LIMIT:
        raise BundleError(
            say(f"{len(golden)} golden answers were given.", f"给出了 {len(golden)} 条标准答案。"),
            say(f"Expected 1 to {GOLDEN_LIMIT}.", f"应为 1 到 {GOLDEN_LIMIT} 条。"),
        )
    parts = {
        "schema.json": canonical(schema.to_json()),
        "preparation.json": canonical(preparation.to_json()),
        "golden.jsonl": b"".join(map(_golden_line, golden)),
        "data.json": canonical(dict(facts.data)),
        "environment.json": canonical(environment()),
        "licences.json": canonical(dict(facts.licences)),
    }
    with _temporary(folder) as place:
        for name, data in parts.items():
            (place / name).write_bytes(data)
        _copy_model(exported, place / "model")
        manifest = Manifest(
            name=facts.name,
            task=facts.task,
            learner=facts.learner,
            learner_version=facts.learner_version,
            tolerance=facts.tolerance,
            settings=dict(facts.settings),
            serving=dict(facts.serving),
            files=_seals(place),
        ).to_bytes()
        digest = _seal(place, manifest)
        _appear(place, folder, digest)
    return digest


def attach_evaluation(folder: Path, files: Mapping[str, bytes | Path]) -> str:
    """Put `evaluation/` into the bundle at `folder`, sealed; returns the seal's digest.

    Its manifest names the bundle's digest, so an evaluation cannot be moved to another bundle.
    An earlier evaluation is replaced; the bundle's own digest does not change.

    Args:
        files: path inside `evaluation/` -> its bytes, or a file to copy.

    Raises:
        BundleError: when there is no bundle at `folder`, or no file is given.
    """
    digest = read_digest(folder)
    if digest_of(read_file(folder / MANIFEST)) != digest:
        raise BundleError(
            say(
                f"{folder / MANIFEST} is not what {DIGEST} says.",
                f"{folder / MANIFEST} 与 {DIGEST} 不符。",
            )
        )
    if not files:
        raise BundleError(say("An evaluation without files.", "评估没有任何文件。"))
    # The temporary folder stands beside the bundle: inside, a kill would leave an extra file.
    with _temporary(folder) as place:
        for name, content in files.items():
            path = place / name
            if not path.resolve().is_relative_to(place.resolve()) or name in (MANIFEST, DIGEST):
                raise BundleError(
                    say(f"{name!r} cannot be a file there.", f"{name!r} 不能作为其中的文件。")
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        seals = {name: vars(seal) for name, seal in _seals(place).items()}
        sealed = _seal(place, canonical({"format": FORMAT, "evaluates": digest, "files": seals}))
        target = folder / EVALUATION
        if target.exists():
            target.rename(place.with_name(place.name + ".old"))
        place.rename(target)
        _sync(folder)
        shutil.rmtree(place.with_name(place.name + ".old"), ignore_errors=True)
    return sealed


def _golden_line(pair: tuple[Request, Answer]) -> bytes:
    request, answer = pair
    return canonical({"request": dict(request), "answer": dict(answer)}, indent=None)


def _copy_model(exported: Path, model: Path) -> None:
    names = [name for name, _ in walk(exported)]
    if not names:
        raise BundleError(
            say(f"{exported} holds no exported model.", f"{exported} 中没有导出的模型。")
        )
    for name in names:
        with opened(exported / name):
            pass  # a link or a pipe is refused before it is copied
        target = model / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(exported / name, target, follow_symlinks=False)


def _seals(place: Path) -> dict[str, Sealed]:
    return {name: seal_file(place / name) for name, _ in walk(place)}


def _seal(place: Path, manifest: bytes) -> str:
    digest = digest_of(manifest)
    (place / MANIFEST).write_bytes(manifest)
    (place / DIGEST).write_text(digest + "\n", encoding="ascii")
    for name, _ in walk(place):
        (place / name).chmod(0o644)
        _sync(place / name)
    for inner in place.rglob("*"):
        if inner.is_dir():
            _sync(inner)
    place.chmod(0o755)
    _sync(place)
    return digest


def _appear(place: Path, folder: Path, digest: str) -> None:
    try:
        place.rename(folder)
    except OSError:
        # Something stands there: fine when it is this very bundle, never overwritten otherwise.
        found = read_digest(folder) if (folder / DIGEST).exists() else ""
        if found == digest:
            return
        raise BundleError(
            say(
                f"{folder} already holds {found or 'something that is no bundle'}.",
                f"{folder} 已有{f'模型包 {found}' if found else '非模型包的内容'}。",
            ),
            say(f"{digest} was to be written there.", f"本应写入 {digest}。"),
            say("Choose another folder.", "请换一个文件夹。"),
        ) from None
    _sync(folder.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder`; what killed writers left there is removed first.

    A living writer holds a lock on its folder; the kernel lets go of it however the writer ends.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in list(folder.parent.iterdir()):
        if left.name.startswith(f".{folder.name}.") and TEMPORARY in left.name:
            _remove_abandoned(left)
    place, lock = _claim(folder)
    try:
        yield place
    finally:
        os.close(lock)
        shutil.rmtree(place, ignore_errors=True)


def _claim(folder: Path) -> tuple[Path, int]:
    while True:
        place = folder.parent / f".{folder.name}.{secrets.token_hex(4)}{TEMPORARY}"
        place.mkdir(mode=0o700)
        try:
            lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # another writer took it for abandoned before it could be locked
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Between mkdir and the lock another writer may have taken it for abandoned.
        if place.exists():
            return place, lock
        os.close(lock)


def _remove_abandoned(left: Path) -> None:
    try:
        lock = os.open(left, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return  # another writer removed it first
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # its writer lives
    else:
        shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(lock)
