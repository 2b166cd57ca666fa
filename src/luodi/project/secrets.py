"""Secrets: named in the project file as `${NAME}`, kept in the environment or a file of one's own.

The file is `.luodi/secrets`, or where LUODI_SECRETS points: a NAME=value a line, readable by its
owner alone. What was resolved is remembered, so that no message can carry it out.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

from luodi.contracts import LuodiError, MissingPartError, say

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_SHORTEST = 4  # shorter values are hidden only where they stand in an address


class Secrets:
    """Gives references their values, and takes values out of messages."""

    def __init__(self, home: Path) -> None:
        given = os.environ.get("LUODI_SECRETS")
        self.file = Path(given).expanduser() if given else home / "secrets"
        self._demanded = bool(given)
        self._kept: dict[str, str] | None = None
        self._used: dict[str, str] = {}

    def resolve(self, text: str) -> str:
        """The text with each `${NAME}` replaced; the environment comes before the file.

        Raises:
            MissingPartError: a name that neither has, or a file that others can read.
        """
        return _REFERENCE.sub(lambda match: self._value(match[1]), text)

    def find(self, name: str) -> str | None:
        """The value of a name; None when there is none."""
        value = os.environ.get(name) or self._from_file().get(name)
        if value:
            self._remember(name, value)
        return value

    def hide(self, text: str) -> str:
        """The text with every value that was resolved replaced by its reference."""
        for value, name in sorted(self._used.items(), key=lambda item: -len(item[0])):
            text = text.replace(value, f"${{{name}}}")
        return text

    def hidden(self, error: LuodiError) -> LuodiError:
        """The same error, fit to be shown."""
        parts = (self.hide(part) for part in (error.found, error.expected, error.remedy))
        return type(error)(*parts)

    def _value(self, name: str) -> str:
        if value := self.find(name):
            return value
        raise MissingPartError(
            say(f"The secret {name} is not set.", f"未设置机密 {name}。"),
            say(
                f"Looked in the environment and in {self.file}.",
                f"已查找环境变量和 {self.file}。",
            ),
            say(
                f"export {name}=..., or write the line {name}=... into that file and chmod 600 it.",
                f"请 export {name}=...，或在该文件中写入 {name}=... 一行并 chmod 600。",
            ),
        )

    def _remember(self, name: str, value: str) -> None:
        if len(value) >= _SHORTEST:
            for form in (value, quote(value, safe=""), quote_plus(value)):
                self._used[form] = name
        # A library may name only the password of an address that is a secret as a whole.
        if match := re.search(r"://[^/@\s]*?:([^/@\s]+)@", value):
            self._used[match[1]] = name
            self._used[unquote(match[1])] = name

    def _from_file(self) -> dict[str, str]:
        if self._kept is None:
            self._kept = self._read()
        return self._kept

    def _read(self) -> dict[str, str]:
        try:
            status = self.file.stat()
            text = self.file.read_text("utf-8-sig")
        except FileNotFoundError:
            if self._demanded:
                raise MissingPartError(
                    say(f"There is no file {self.file}.", f"没有文件 {self.file}。"),
                    say("LUODI_SECRETS names it.", "它由 LUODI_SECRETS 指定。"),
                ) from None
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise MissingPartError(
                say(f"{self.file} cannot be read: {type(error).__name__}.",
                    f"无法读取 {self.file}：{type(error).__name__}。")
            ) from None  # fmt: skip
        if stat.S_IMODE(status.st_mode) & 0o077:
            raise MissingPartError(
                say(
                    f"{self.file} has the mode {stat.S_IMODE(status.st_mode):o}: others can "
                    "read it.",
                    f"{self.file} 的权限是 {stat.S_IMODE(status.st_mode):o}：他人可读。",
                ),
                say("Expected 600.", "应为 600。"),
                f"chmod 600 {self.file}",
            )
        return self._parsed(text)

    def _parsed(self, text: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            bare = line.strip()
            if not bare or bare.startswith("#"):
                continue
            match = _LINE.fullmatch(bare)
            if match is None:
                raise MissingPartError(
                    say(f"{self.file}, line {number}: not understood.",
                        f"{self.file} 第 {number} 行：无法理解。"),
                    say("Expected NAME=value.", "应为 NAME=value。"),
                )  # fmt: skip
            value = match[2].strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            found[match[1]] = value
        return found
