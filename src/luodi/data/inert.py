"""A pickle read as data: its opcodes build a tree in which a class or a function is only a name.

Unpickling does what the file says: it imports and calls. Here nothing is imported and nothing that
the file names is called; a call in the file becomes a node that holds the name and the arguments.
An opcode that tables do not need is refused, and so is every name that the caller does not know.

What is built costs no more than the file's length: each opcode makes one node or takes some away,
and what it takes back from the memo is the same node again, not a copy.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from luodi.contracts import say

_LONGEST = 9
"""Bytes of a whole number at the most: 64 bits and a sign. No table holds a longer one."""
_PROTOCOLS = range(2, 6)


class Odd(Exception):  # noqa: N818  # becomes a DataError where the file's name is known
    """What is not read, and at which byte of the file it stands."""

    def __init__(self, at: int, found: str) -> None:
        super().__init__(found)
        self.at, self.found = at, found


class Cut(Exception):  # noqa: N818  # as above
    """The file ends before its content does."""


@dataclass(frozen=True, eq=False, slots=True)
class Named:
    """A class or a function: its name, and where the file says it."""

    name: str
    at: int


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """A dictionary, unhashed: its keys may be anything."""

    items: list[tuple[object, object]]

    def get(self, name: str) -> object:
        """What stands under a text; None where nothing does."""
        return next((value for key, value in self.items if key == name), None)


@dataclass(eq=False, slots=True)
class Made:
    """What the file says is to be made, and is not: by whom, from what, and its state."""

    by: object
    args: tuple[object, ...]
    at: int
    state: object = None

    @property
    def name(self) -> str:
        """The maker's name; empty where it is itself made."""
        return self.by.name if isinstance(self.by, Named) else ""


def read_tree(raw: bytes, known: Callable[[str, str], bool]) -> object:
    """The tree of a pickle of protocol 2 to 5.

    Args:
        raw: the whole file.
        known: whether a module's name may stand in the file.

    Raises:
        Odd: another opcode or name, or one where it makes no sense.
        Cut: the file ends early.
    """
    return _Reader(raw, known).read()


@dataclass(eq=False, slots=True)
class _Reader:
    raw: bytes
    known: Callable[[str, str], bool]
    at: int = 0
    """Where the opcode in hand stands."""
    ahead: int = 0
    stack: list[object] = field(default_factory=list)
    below: list[list[object]] = field(default_factory=list)
    """The stacks under each mark that is still open."""
    memo: dict[int, object] = field(default_factory=dict)

    def read(self) -> object:
        if self.raw[:1] not in (b"", b"\x80"):
            raise self.odd(say("no pickle of protocol 2 to 5", "不是协议 2 至 5 的 pickle"))
        raw, end = self.raw, len(self.raw)
        while self.ahead < end:
            self.at = self.ahead
            self.ahead += 1
            code = raw[self.at]
            step = _STEPS.get(code)
            if step is not None:
                step(self)
            elif code == _STOP:
                return self.whole()
            else:
                told = _REFUSED.get(code, say("not one that tables need", "数据表不需要"))
                raise self.odd(say(f"opcode {code:#04x}: {told}", f"操作码 {code:#04x}：{told}"))
        raise Cut

    def whole(self) -> object:
        if len(self.stack) != 1 or self.below:
            raise self.odd(say("an end with things left over", "结束时仍有剩余内容"))
        if self.ahead != len(self.raw):
            left = len(self.raw) - self.ahead
            raise self.odd(say(f"{left:,} bytes after the end", f"结尾之后还有 {left:,} 字节"))
        return self.stack[0]

    def odd(self, found: str) -> Odd:
        return Odd(self.at, found)

    def take(self, size: int) -> bytes:
        start, self.ahead = self.ahead, self.ahead + size
        if self.ahead > len(self.raw):
            raise Cut
        return self.raw[start : self.ahead]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.odd(say("a text that is no UTF-8", "文本不是 UTF-8")) from None

    def line(self) -> str:
        end = self.raw.find(b"\n", self.ahead)
        if end < 0:
            raise Cut
        return self.text(self.take(end + 1 - self.ahead)[:-1])

    def pop(self) -> object:
        if not self.stack:
            raise self.odd(say("nothing to take", "没有可取的内容"))
        return self.stack.pop()

    def since_mark(self) -> list[object]:
        if not self.below:
            raise self.odd(say("no mark", "没有标记"))
        taken, self.stack = self.stack, self.below.pop()
        return taken

    def push_tuple(self, size: int) -> None:
        values = [self.pop() for _ in range(size)]
        self.stack.append(tuple(reversed(values)))

    def push_marked(self) -> None:
        values = tuple(self.since_mark())  # first, for it changes the stack
        self.stack.append(values)

    def push_long(self, size: int) -> None:
        if size > _LONGEST:
            raise self.odd(say(f"a whole number of {size:,} bytes", f"{size:,} 字节的整数"))
        self.stack.append(int.from_bytes(self.take(size), "little", signed=True))

    def protocol(self) -> None:
        number = self.number(1)
        if self.at or number not in _PROTOCOLS:
            raise self.odd(say(f"protocol {number}", f"协议 {number}"))

    def keep(self, place: int) -> None:
        if not self.stack:
            raise self.odd(say("nothing to keep", "没有可记的内容"))
        self.memo[place] = self.stack[-1]

    def recall(self, place: int) -> None:
        if place not in self.memo:
            raise self.odd(say(f"no kept value {place}", f"没有记下的值 {place}"))
        self.stack.append(self.memo[place])

    def mark(self) -> None:
        self.below.append(self.stack)
        self.stack = []

    def extend(self, values: list[object]) -> None:
        target = self.stack[-1] if self.stack else None
        if not isinstance(target, list):
            raise self.odd(say("values for what is no list", "要追加的对象不是列表"))
        target += values

    def set_items(self, values: list[object]) -> None:
        target = self.stack[-1] if self.stack else None
        if not isinstance(target, Pairs) or len(values) % 2:
            raise self.odd(say("items for what is no dictionary", "要写入的对象不是字典"))
        target.items.extend(zip(values[::2], values[1::2], strict=True))

    def name(self, module: object, name: object) -> None:
        if not (isinstance(module, str) and isinstance(name, str) and self.known(module, name)):
            shown = f"{module}.{name}"[:100] if isinstance(module, str) else ""
            raise self.odd(say(f"the name {shown!r}", f"名称 {shown!r}"))
        self.stack.append(Named(name, self.at))

    def global_name(self) -> None:
        self.name(self.line(), self.line())

    def stacked_name(self) -> None:
        name = self.pop()
        self.name(self.pop(), name)

    def make(self) -> None:
        args, by = self.pop(), self.pop()
        if not isinstance(args, tuple) or not isinstance(by, Named | Made):
            raise self.odd(say("a call of what is no name", "调用的对象不是名称"))
        self.stack.append(Made(by, args, self.at))

    def make_with_names(self) -> None:
        given = self.pop()
        if not isinstance(given, Pairs) or given.items:
            raise self.odd(say("a call with named arguments", "带命名参数的调用"))
        self.make()

    def build(self) -> None:
        state = self.pop()
        made = self.stack[-1] if self.stack else None
        if not isinstance(made, Made) or made.state is not None:
            raise self.odd(say("a state for what has none", "对象不应有状态"))
        made.state = state

    def frame(self) -> None:
        if self.number(8) > len(self.raw) - self.ahead:
            raise Cut


def _pushes(value: Callable[[_Reader], object]) -> Callable[[_Reader], None]:
    return lambda reader: reader.stack.append(value(reader))


def _text(size: int) -> Callable[[_Reader], None]:
    return _pushes(lambda reader: reader.text(reader.take(reader.number(size))))


def _bytes(size: int) -> Callable[[_Reader], None]:
    return _pushes(lambda reader: reader.take(reader.number(size)))


_STOP = ord(".")
_STEPS: Mapping[int, Callable[[_Reader], None]] = {
    0x80: _Reader.protocol,
    0x95: _Reader.frame,
    ord("h"): lambda reader: reader.recall(reader.number(1)),
    ord("j"): lambda reader: reader.recall(reader.number(4)),
    0x94: lambda reader: reader.keep(len(reader.memo)),
    ord("q"): lambda reader: reader.keep(reader.number(1)),
    ord("r"): lambda reader: reader.keep(reader.number(4)),
    ord("N"): _pushes(lambda _: None),
    0x88: _pushes(lambda _: True),
    0x89: _pushes(lambda _: False),
    ord("K"): _pushes(lambda reader: reader.number(1)),
    ord("M"): _pushes(lambda reader: reader.number(2)),
    ord("J"): _pushes(lambda reader: struct.unpack("<i", reader.take(4))[0]),
    0x8A: lambda reader: reader.push_long(reader.number(1)),
    0x8B: lambda reader: reader.push_long(reader.number(4)),
    ord("G"): _pushes(lambda reader: struct.unpack(">d", reader.take(8))[0]),
    0x8C: _text(1), ord("X"): _text(4), 0x8D: _text(8),
    ord("C"): _bytes(1), ord("B"): _bytes(4), 0x8E: _bytes(8), 0x96: _bytes(8),
    ord("("): _Reader.mark,
    ord(")"): _pushes(lambda _: ()),
    0x85: lambda reader: reader.push_tuple(1),
    0x86: lambda reader: reader.push_tuple(2),
    0x87: lambda reader: reader.push_tuple(3),
    ord("t"): _Reader.push_marked,
    ord("]"): _pushes(lambda _: []),
    ord("a"): lambda reader: reader.extend([reader.pop()]),
    ord("e"): lambda reader: reader.extend(reader.since_mark()),
    ord("}"): _pushes(lambda _: Pairs([])),
    ord("s"): lambda reader: reader.set_items([reader.pop(), reader.pop()][::-1]),
    ord("u"): lambda reader: reader.set_items(reader.since_mark()),
    ord("c"): _Reader.global_name,
    0x93: _Reader.stacked_name,
    ord("R"): _Reader.make,
    0x81: _Reader.make,
    0x92: _Reader.make_with_names,
    ord("b"): _Reader.build,
}  # fmt: skip
_REFUSED: Mapping[int, str] = {
    ord("P"): "PERSID", ord("Q"): "BINPERSID", ord("i"): "INST", ord("o"): "OBJ",
    0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}  # fmt: skip
