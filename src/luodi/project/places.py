"""Where the values of a project stand: in a line of its file, or in an option given beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from luodi.contracts import Mistake


@dataclass
class Places:
    """Dotted path -> the line that it stands in, or the option that set it."""

    lines: dict[str, int] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)

    def override(self, path: str, option: str) -> None:
        """What stands at `path`, and below it, comes from `option` from here on."""
        for known in (self.lines, self.options):
            for inner in [name for name in known if _within(name, path)]:
                del known[inner]
        self.options[path] = option

    def line(self, where: str) -> int | None:
        """The line of a dotted path, or of the nearest thing around it that the file holds."""
        return self._found(where)[0]

    def mistake(self, where: str, found: str, expected: str, near: str = "") -> Mistake:
        """A mistake at `where`, with its line or its option.

        What is wrong with several values together is told with the options that set one of them.
        """
        line, option = self._found(where)
        inner = [text for path, text in self.options.items() if _within(path, where)]
        return Mistake(where, found, expected, line, near, option or ", ".join(inner))

    def _found(self, where: str) -> tuple[int | None, str]:
        for path in _outwards(where):
            if path in self.options:
                return None, self.options[path]
            if path in self.lines:
                return self.lines[path], ""
        return None, ""


def _outwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _within(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")
