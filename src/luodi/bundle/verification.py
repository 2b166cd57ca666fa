"""Is a bundle what its manifest says, and does it still answer as it did?"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from luodi.bundle.check import Check, check_files
from luodi.bundle.manifest import EVALUATION, GOLDEN_LIMIT
from luodi.bundle.read import LoadedBundle, load_checked, read_manifest
from luodi.bundle.seals import MANIFEST, read_file
from luodi.contracts import Answer, BundleError, JsonValue, LuodiError, Request, say

GOLDEN = "golden.jsonl"


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes:
        problems: every problem, as sentences; empty when `ok`.
        files: how many files were as sealed.
        golden_checked: how many golden requests were asked again.
        max_difference: the largest difference of a number in their answers, relative to
            max(1, |number|); 0.0 when every number is exactly the same.
        evaluated: whether a sealed evaluation stands in the bundle.
    """

    ok: bool
    problems: tuple[str, ...]
    files: int
    golden_checked: int
    max_difference: float
    name: str = ""
    digest: str = ""
    evaluated: bool = False
    checks: tuple[Check, ...] = ()


def verify(folder: Path, replay: bool = True, expected_digest: str | None = None) -> Verification:
    """Check every digest of the bundle at `folder`, then replay its golden requests.

    Reports what is wrong with a bundle instead of raising. Golden requests are replayed only when
    every digest holds: nothing of a changed bundle is loaded.
    """
    try:
        manifest, digest = read_manifest(folder, expected_digest)
        checks = check_files(folder, manifest, digest)
    except (BundleError, OSError) as error:
        return Verification(False, (str(error),), 0, 0, 0.0, checks=(Check(MANIFEST, str(error)),))
    files = sum(check.ok for check in checks)
    golden, difference = 0, 0.0
    if replay and files == len(checks):
        try:
            bundle = load_checked(folder, 1, manifest, digest)
            golden, difference, problem = _repeat(bundle)
        except LuodiError as error:
            problem = str(error)
        checks.append(Check("golden answers", problem))
    problems = tuple(check.problem for check in checks if not check.ok)
    return Verification(
        ok=not problems,
        problems=problems,
        files=files,
        golden_checked=golden,
        max_difference=difference,
        name=manifest.name,
        digest=digest,
        evaluated=(folder / EVALUATION).is_dir(),
        checks=tuple(checks),
    )


def prove(bundle: LoadedBundle) -> None:
    """Ask a loaded bundle its golden requests again.

    Raises:
        BundleError: when it fails on them, or answers one otherwise than when it was made.
    """
    _, _, problem = _repeat(bundle)
    if problem:
        raise BundleError(
            problem,
            say("Expected the answers of its making.", "应与制作时的答案一致。"),
            say(f"luodi verify {bundle.folder} tells all.", f"luodi verify {bundle.folder}。"),
        )


def _repeat(bundle: LoadedBundle) -> tuple[int, float, str]:
    """How many golden requests were asked, the largest difference, and what is wrong."""
    pairs = read_golden(bundle.folder)
    try:
        answers = bundle.predict([request for request, _ in pairs])
    except LuodiError:
        raise
    except Exception as error:  # a stranger's predictor may raise anything
        raise BundleError(
            say(
                f"The predictor fails on the golden requests: {error!r}.",
                f"预测器在标准请求上出错：{error!r}。",
            )
        ) from error
    expected = [answer for _, answer in pairs]
    difference, problem = compare_answers(expected, answers, bundle.manifest.tolerance)
    return len(pairs), difference, problem


def read_golden(folder: Path) -> list[tuple[Request, Answer]]:
    """The golden requests and their exact answers.

    Raises:
        BundleError: when the file is not of that form.
    """
    path = folder / GOLDEN
    try:
        values = [json.loads(line) for line in read_file(path).splitlines()]
        pairs = [(value["request"], value["answer"]) for value in values]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise BundleError(
            say(f"{path} cannot be read: {error}.", f"无法读取 {path}:{error}。")
        ) from error
    if not 0 < len(pairs) <= GOLDEN_LIMIT:
        raise BundleError(
            say(f"{path} has {len(pairs)} lines.", f"{path} 有 {len(pairs)} 行。"),
            say(f"Expected 1 to {GOLDEN_LIMIT}.", f"应为 1 到 {GOLDEN_LIMIT} 行。"),
        )
    return pairs


def compare_answers(
    expected: Sequence[Answer], answers: Sequence[Answer], tolerance: float
) -> tuple[float, str]:
    """How far `answers` lie from `expected`: the largest relative difference, and a sentence.

    The sentence names the first answer that differs in anything but a number, or in a number by
    more than `tolerance`; it is empty when none does.
    """
    largest, problem = 0.0, ""
    if len(expected) != len(answers):
        return math.inf, say(
            f"{len(answers)} answers to {len(expected)} golden requests.",
            f"{len(expected)} 条标准请求得到 {len(answers)} 个答案。",
        )
    for index, (wanted, found) in enumerate(zip(expected, answers, strict=True)):
        difference = distance(wanted, found)
        if difference > tolerance and not problem:
            problem = say(
                f"Golden request {index + 1} is answered {_short(found)}; it was {_short(wanted)}.",
                f"第 {index + 1} 条标准请求的答案是 {_short(found)}，原为 {_short(wanted)}。",
            )
        largest = max(largest, difference)
    return largest, problem


def distance(wanted: JsonValue, found: JsonValue) -> float:
    """The largest |wanted - found| / max(1, |wanted|) among the numbers of two JSON values.

    Infinite when they differ in anything else: a label, a key, a length, a NaN.
    """
    if isinstance(wanted, dict) and isinstance(found, dict):
        if wanted.keys() != found.keys():
            return math.inf
        return max((distance(value, found[key]) for key, value in wanted.items()), default=0.0)
    if isinstance(wanted, list) and isinstance(found, list | tuple):
        if len(wanted) != len(found):
            return math.inf
        pairs = zip(wanted, found, strict=True)
        return max((distance(left, right) for left, right in pairs), default=0.0)
    if _is_number(wanted) and _is_number(found):
        difference = abs(wanted - found) / max(1.0, abs(wanted))
        return math.inf if math.isnan(difference) else difference
    return 0.0 if type(wanted) is type(found) and wanted == found else math.inf


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(answer: Answer) -> str:
    text = json.dumps(answer, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:157] + "..."
