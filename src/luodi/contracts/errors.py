"""Every error that Luodi raises on purpose.

    LuodiError                    exit 1
    ├── UsageError                exit 2   a command used wrongly
    ├── ProjectError              exit 2   the project file: every mistake at once, with its line
    ├── MachineError                       no room on a disk, no right to a file, no memory
    ├── MissingPartError                   an extra, a program or a service is not there
    ├── DataError                          a source, a table or a column is not what it must be
    │   ├── NoiseError            exit 3   more noise in the labels than the project allows
    │   └── LeakError             exit 3   columns that give the label away
    ├── TrainingError                      a learner cannot do what it was asked
    │   └── BaseModelError                 a base model cannot be found, trusted or licensed
    ├── BundleError                        a bundle is unreadable or not what its manifest says
    ├── RegistryError                      no such model, version or alias
    ├── BusyError                 HTTP 503 no room in memory for a model now, or too much waiting
    └── RequestError              HTTP 4xx a request that does not fit the schema; names its field

Each message says what was found, what was expected, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from luodi.contracts.language import say, worded


class LuodiError(Exception):
    """The head of the family.

    Args:
        found: what was found, as a sentence.
        expected: what would have been right.
        remedy: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, found: str, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        super().__init__(" ".join(part for part in (found, expected, remedy) if part))

    def __str__(self) -> str:
        return str(worded(super().__str__()))  # it may come out of work that was recording

    @property
    def code(self) -> str:
        """The error's stable name for programs, such as `data`."""
        return type(self).__name__.removesuffix("Error").lower()


class UsageError(LuodiError):
    """A command was used wrongly."""

    exit_code = 2


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a project file.

    `where` is a dotted path such as `gate.accuracy`; `line` counts from 1, None when the value
    came from an option or is missing from the file; `option` names the one that it came from, such
    as `--set gate.accuracy`.
    """

    where: str
    found: str
    expected: str
    line: int | None = None
    nearest: str = ""
    option: str = ""

    def __str__(self) -> str:
        line = say(f"line {self.line}", f"第 {self.line} 行") if self.line else ""
        places = say(", ", "、").join(filter(None, (line, self.option)))
        place = places + say(": ", "：") if places else ""
        hint = say(f" Did you mean {self.nearest}?", f" 是否想写 {self.nearest}?")
        expected = say(f"; expected {self.expected}.", f"；应为 {self.expected}。")
        return f"{place}{self.where}: {self.found}{expected}{hint if self.nearest else ''}"


class ProjectError(LuodiError):
    """A project file with mistakes; `mistakes` has them all."""

    exit_code = 2

    def __init__(self, path: str, mistakes: Sequence[Mistake]) -> None:
        self.path, self.mistakes = path, tuple(mistakes)
        count = len(self.mistakes)
        head = say(
            f"{path}: {count} mistake{'s' if count != 1 else ''}.", f"{path}:{count} 处错误。"
        )
        super().__init__("\n  ".join([head, *map(str, self.mistakes)]))


class MachineError(LuodiError):
    """The machine refuses: no room on its disk, no right to a file, not enough memory."""


class MissingPartError(LuodiError):
    """An extra, a program or a service that the work needs is not there."""


class DataError(LuodiError):
    """A source, a table or a column is not what it must be."""


class NoiseError(DataError):
    """More noise in the labels than the project allows."""

    exit_code = 3


class LeakError(DataError):
    """Columns that give the label away, and that the project does not allow by name."""

    exit_code = 3


class TrainingError(LuodiError):
    """A learner cannot do what it was asked."""


class BaseModelError(TrainingError):
    """A base model cannot be found, trusted or licensed for this use."""


class BundleError(LuodiError):
    """A bundle is unreadable, or is not what its manifest says."""


class RegistryError(LuodiError):
    """No such model, version or alias."""


class BusyError(LuodiError):
    """A service that cannot answer now, and can later; nothing was done for this request.

    Args:
        found: what was found, as a sentence.
        expected: what would have been right.
        remedy: what the reader can do about it.
        retry_after: seconds after which asking again may help.
        late: the request's deadline could not be kept.
    """

    def __init__(
        self,
        found: str,
        expected: str = "",
        remedy: str = "",
        retry_after: float = 1.0,
        late: bool = False,
    ) -> None:
        self.retry_after, self.late = retry_after, late
        super().__init__(found, expected, remedy)


class RequestError(LuodiError):
    """A request that does not fit the schema.

    Args:
        field: the field at fault, such as `inputs[3].text`; empty for the request as a whole.
    """

    def __init__(self, field: str, found: str, expected: str = "", remedy: str = "") -> None:
        self.field = field
        super().__init__(f"{field}: {found}" if field else found, expected, remedy)

    def advised(self, remedy: str) -> RequestError:
        """The same, and what to do where it knew nothing to do."""
        told = RequestError("", self.found, self.expected, self.remedy or remedy)
        told.field = self.field
        return told
