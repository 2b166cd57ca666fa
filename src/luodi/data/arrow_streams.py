"""An Arrow stream made a file: the same messages, and behind them the index that a stream lacks.

A stream can only be read from its beginning to its end, so it would have to be held. A file of the
same messages is mapped, and read from any row on. What is added is Arrow's footer: where each
batch lies, and the schema once more. (https://arrow.apache.org/docs/format/Columnar.html)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from luodi.contracts import say
from luodi.data.unpack import damaged

FILE_MARK = b"ARROW1"
_GOES_ON = b"\xff\xff\xff\xff"  # before each message; streams of before 2019 have none
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3
_BATCHES = 3  # where a footer tells of them
_LONGEST = 256 << 20  # bytes of a message's metadata: beyond it this is something else
_BLOCK = 4 << 20

Read = Callable[[int], bytes]
"""At most so many bytes, empty at the end."""


@dataclass(frozen=True)
class Message:
    """One message of a stream.

    Attributes:
        number: which column's values a dictionary holds.
        rows: of a batch.
        head: its metadata, with what stands before it.
        size: how many bytes of a body follow, which are read from `body`.
    """

    kind: int
    number: int
    rows: int
    head: bytes
    size: int
    body: Iterator[bytes]


@dataclass(frozen=True)
class Unrolled:
    """A stream as files, and the rows in them."""

    pieces: list[Path]
    rows: int


def is_stream(head: bytes) -> bool:
    """Whether an Arrow file that begins so is a stream; Feather's first version is none."""
    return len(head) >= 4 and not head.startswith((FILE_MARK, b"FEA1"))


def batches_in(path: Path) -> int:
    """How many batches an Arrow file says that it holds, each of which is decoded as a whole; at
    least one, of a damaged file too."""
    try:
        with path.open("rb") as file:
            behind = 4 + len(FILE_MARK)
            file.seek(-behind, 2)
            (size,) = struct.unpack("<i", file.read(4))
            file.seek(-behind - size, 2)
            footer = file.read(size)
        table = _Table(footer, struct.unpack_from("<I", footer)[0])
        place = table.field(_BATCHES)
        (count,) = struct.unpack_from(
            "<I", footer, place + struct.unpack_from("<I", footer, place)[0]
        )
    except (OSError, struct.error, IndexError):
        return 1
    return max(int(count) if place else 1, 1)


def unroll(read: Read, folder: Path, shown: str) -> Unrolled:
    """What `read` gives, a stream, as Arrow files in `folder`.

    A stream may put another dictionary in a former one's place, a file may not: then the next
    begins. Held are a block of bytes and the dictionaries.

    Raises:
        DataError: the stream is damaged, or ends before its end.
    """
    pieces: list[Path] = []
    rows, schema, dictionaries = 0, b"", dict[int, tuple[bytes, bytes]]()
    with ExitStack() as open_files:
        piece: _Piece | None = None
        for message in messages(read, shown):
            if message.kind == _SCHEMA:
                schema = message.head
            elif message.kind == _DICTIONARY:
                dictionaries[message.number] = message.head, b"".join(message.body)
                if piece is not None:
                    piece.close()
                piece = None
            else:
                if piece is None:
                    piece = _begun(folder, pieces, schema, dictionaries, open_files)
                piece.add(_BATCH, message.head, message.body)
                rows += message.rows
        if not pieces:
            piece = _begun(folder, pieces, schema, dictionaries, open_files)
        if piece is not None:
            piece.close()
    return Unrolled(pieces, rows)


def _begun(
    folder: Path,
    pieces: list[Path],
    schema: bytes,
    dictionaries: Mapping[int, tuple[bytes, bytes]],
    open_files: ExitStack,
) -> _Piece:
    pieces.append(folder / f"piece-{len(pieces):06d}.arrow")
    piece = _Piece(open_files.enter_context(pieces[-1].open("wb")), schema)
    for head, body in dictionaries.values():
        piece.add(_DICTIONARY, head, [body])
    return piece


class _Piece:
    """An Arrow file that is written: messages, and at its end where each lies."""

    def __init__(self, out: IO[bytes], schema: bytes) -> None:
        self.out, self.schema = out, schema
        self.places = {_DICTIONARY: b"", _BATCH: b""}
        out.write(FILE_MARK + b"\0\0" + schema)

    def add(self, kind: int, head: bytes, body: Iterable[bytes]) -> None:
        """One message more."""
        start = self.out.tell()
        self.out.write(head)
        self.out.writelines(body)
        size = self.out.tell() - start - len(head)
        self.places[kind] += struct.pack("<qi4xq", start, len(head), size)

    def close(self) -> None:
        """Write the index."""
        footer = _footer(self.schema, self.places[_DICTIONARY], self.places[_BATCH])
        end = _GOES_ON + bytes(4)
        self.out.write(end + footer + struct.pack("<i", len(footer)) + FILE_MARK)
        self.out.close()


def messages(read: Read, shown: str) -> Iterator[Message]:
    """Each message of a stream, its body to be read before the next.

    Raises:
        DataError: damage, no end, or something behind it, which no reader would come to.
    """
    begun = False
    while head := _metadata(read, shown):
        try:
            kind, size, number, rows = _described(head)
        except (struct.error, IndexError) as error:
            raise damaged(shown, "Arrow", error) from None
        if kind not in (_SCHEMA, _DICTIONARY, _BATCH) or size < 0 or begun == (kind == _SCHEMA):
            raise _no_message(shown)
        begun = True
        body = _body(read, size, shown)
        yield Message(kind, number, rows, head, size, body)
        for _ in body:  # what was not asked for
            pass
    if not begun:
        raise _no_message(shown)
    if read(1):
        raise damaged(
            shown, "Arrow", ValueError(say("more follows the stream's end", "流结尾后仍有内容"))
        )


def _body(read: Read, left: int, shown: str) -> Iterator[bytes]:
    while left:
        part = read(min(left, _BLOCK))
        if not part:
            raise _endless(shown)
        left -= len(part)
        yield part


def _metadata(read: Read, shown: str) -> bytes:
    """A message's metadata with what stands before it; empty at the stream's end."""
    first = _exactly(read, 4, shown)
    sign = first if first != _GOES_ON else first + _exactly(read, 4, shown)
    (size,) = struct.unpack("<i", sign[-4:])
    if not 0 <= size <= _LONGEST:
        raise _no_message(shown)
    return sign + _exactly(read, size, shown) if size else b""


def _exactly(read: Read, size: int, shown: str) -> bytes:
    data = b""
    while len(data) < size:
        part = read(size - len(data))
        if not part:
            raise _endless(shown)
        data += part
    return data


def _endless(shown: str) -> Exception:
    return damaged(shown, "Arrow", EOFError(say("the stream has no end", "数据流没有结尾")))


def _no_message(shown: str) -> Exception:
    return damaged(shown, "Arrow", ValueError(say("no such message", "消息类型有误")))


def _described(head: bytes) -> tuple[int, int, int, int]:
    """A message's kind, the bytes of its body, a dictionary's number, a batch's rows."""
    message = _Table.root(head)
    kind, size = message.number("B", 1), message.number("<q", 3)
    first = message.table(2).number("<q", 0) if kind in (_DICTIONARY, _BATCH) else 0
    return kind, size, first if kind == _DICTIONARY else 0, first if kind == _BATCH else 0


@dataclass(frozen=True)
class _Table:
    """A table of a FlatBuffer: fields by their number, each where the table says."""

    data: bytes
    place: int

    @staticmethod
    def root(head: bytes) -> _Table:
        begin = 8 if head.startswith(_GOES_ON) else 4
        return _Table(head, begin + struct.unpack_from("<I", head, begin)[0])

    def field(self, number: int) -> int:
        """Where a field lies; 0 for one that has its default."""
        names = self.place - struct.unpack_from("<i", self.data, self.place)[0]
        if names < 0 or 4 + 2 * number >= struct.unpack_from("<H", self.data, names)[0]:
            return 0
        offset: int = struct.unpack_from("<H", self.data, names + 4 + 2 * number)[0]
        return self.place + offset if offset else 0

    def number(self, form: str, number: int) -> int:
        """A field's value."""
        place = self.field(number)
        return int(struct.unpack_from(form, self.data, place)[0]) if place else 0

    def table(self, number: int) -> _Table:
        """The table that a field points to, ahead of itself."""
        place = self.field(number)
        return _Table(self.data, place + struct.unpack_from("<I", self.data, place)[0])


def _footer(schema: bytes, dictionaries: bytes, batches: bytes) -> bytes:
    """Arrow's footer. Offsets in a FlatBuffer are relative: the schema's message is put in as it
    is, and pointed into.

         0  the footer's place      4  its fields' offsets     16  the footer: (to the offsets),
        schema, dictionaries, batches, version     40  both lists of places   then the schema
    """
    first, second = 40, 40 + 8 + len(dictionaries)
    behind = second + 8 + len(batches)
    begin = 8 if schema.startswith(_GOES_ON) else 4
    message = _Table.root(schema)
    inside = behind + message.table(2).place - begin
    offsets = struct.pack("<6H", 12, 20, 16, 4, 8, 12)
    table = struct.pack(
        "<iIIIh2x", 12, inside - 20, first + 4 - 24, second + 4 - 28, message.number("<h", 0)
    )
    lists = b"".join(struct.pack("<4xI", len(one) // 24) + one for one in (dictionaries, batches))
    return struct.pack("<I", 16) + offsets + table + bytes(4) + lists + schema[begin:]
