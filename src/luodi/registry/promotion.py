"""Which version stands for a model, and which stood for it before."""

from __future__ import annotations

from collections.abc import Sequence

from luodi.contracts import RegistryError, say
from luodi.registry.records import Registered

PASSED = "passed"
PRODUCTION = "production"


def champion_of(name: str, found: Sequence[Registered]) -> Registered:
    """What `production` means; without such an alias, the newest version that passed its gate.

    Args:
        found: the model's versions, the newest first.

    Raises:
        RegistryError: when no version passed, and none was promoted.
    """
    for row in found:
        if PRODUCTION in row.aliases:
            return row
    for row in found:
        if row.verdict == PASSED:
            return row
    raise RegistryError(
        say(f"No version of {name} passed its gate.", f"{name} 没有通过门禁的版本。"),
        "",
        say("Promote one by its version, or run again.", "请按版本指定一个，或重新运行。"),
    )


def before(found: Sequence[Registered], history: Sequence[str]) -> Registered | None:
    """The version to go back to; None when there is none.

    A rollback is not undone by the next one: going back leaves the stack of what stood there, so
    that two rollbacks go back two versions, and never forward to the one that was bad.

    Args:
        found: the model's versions, the newest first; not empty.
        history: the versions that `production` has meant, the newest first.
    """
    age = {row.version: place for place, row in enumerate(reversed(found))}
    stack: list[str] = []
    for version in reversed(history):
        if version in stack:
            del stack[stack.index(version) + 1 :]
        elif stack and age.get(version, 0) < age.get(stack[-1], 0):
            stack[-1] = version
        else:
            stack.append(version)
    by_version = {row.version: row for row in found}
    if len(stack) > 1:
        return by_version[stack[-2]]
    passed = [row for row in found if row.verdict == PASSED]
    current = stack[-1] if stack else passed[0].version if passed else ""
    older = [row for row in passed if age[row.version] < age.get(current, 0)]
    return older[0] if older else None
