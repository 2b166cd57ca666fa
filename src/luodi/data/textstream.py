"""A long text file as UTF-8, a block at a time: what `encoding.to_utf8` does for a short one."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain

from luodi.contracts import DataError, Finding
from luodi.data.encoding import MARKS, Decoded, said, to_utf8, undecodable
from luodi.data.mixed import LinesOfTwo
from luodi.data.unpack import Bounded

_BLOCK = 8 << 20
_LONGEST = 64 << 20
"""Bytes of a line without an end that are held at once."""


class Utf8Blocks:
    """The blocks of a stream as UTF-8; the encoding is told by its beginning.

    A file whose beginning is pure ASCII is UTF-8 until a block says otherwise.

    Attributes:
        encoding, findings: what was recognised, and what is to be said of it.
    """

    def __init__(self, head: bytes, stream: Bounded, file: str) -> None:
        self.stream, self.file = stream, file
        self.findings: list[Finding] = []
        self._head = head
        self._lines = self._bytes = 0
        self._ascii = True
        for mark, codec, name in MARKS:
            if head.startswith(mark):
                self.encoding, self._codec = name, "utf-8" if codec == "utf-8-sig" else codec
                if self._codec == "utf-8":
                    self._head = head.removeprefix(codecs.BOM_UTF8)
                else:
                    self.findings.append(said(file, name.upper(), "info"))
                return
        self.encoding = self._codec = self._recognised(head)

    def _recognised(self, sample: bytes) -> str:
        whole = sample[: sample.rfind(b"\n") + 1]
        decoded = to_utf8(whole, self.file) if whole else self._of_one_line(sample)
        self.findings += decoded.findings
        return decoded.encoding

    def _of_one_line(self, sample: bytes) -> Decoded:
        """A sample that may end within a character: of UTF-8 where it is, else of another."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            text = decoder.decode(sample)
        except UnicodeDecodeError:
            text = ""
        if text:
            return to_utf8(text.encode(), self.file)
        for cut in (1, 2, 3):
            try:
                return to_utf8(sample[:-cut] or sample, self.file)
            except DataError:
                continue
        return to_utf8(sample, self.file)

    def __iter__(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self._codec)()
        blocks = self._blocks()
        block = next(blocks, b"")
        while block:
            following = next(blocks, b"")
            held = decoder.getstate()[0]
            try:
                text = decoder.decode(block, final=not following)
            except UnicodeDecodeError as error:
                if self._codec != "utf-8":
                    raise self._refused(error, held) from None
                if not self._ascii:
                    self._bytes -= len(held)
                    later = chain([following] if following else [], blocks)
                    yield from self._of_two(error.object, later)
                    return
                self.encoding = self._codec = self._otherwise(error, held, block)
                decoder = codecs.getincrementaldecoder(self._codec)()
                text = decoder.decode(held + block, final=not following)
            self._ascii = self._ascii and text.isascii()
            self._bytes += len(block)
            ready = text.encode()
            self._lines += ready.count(b"\n")
            if ready:
                yield ready
            block = following

    def _of_two(self, piece: bytes, later: Iterator[bytes]) -> Iterator[bytes]:
        """From a line on that is no UTF-8, line by line, each in the encoding that it is in."""
        two = LinesOfTwo(self._lines)
        while piece:
            following = next(later, b"")
            cut = piece.rfind(b"\n") + 1 if following else len(piece)
            whole = piece[:cut] if cut or len(piece) < _LONGEST else piece
            text, wrong = two.read(whole)
            if wrong >= 0:
                raise self._neither(whole, wrong)
            self._bytes += len(whole)
            self._lines += whole.count(b"\n")
            if text:
                yield text.encode()
            piece = piece[len(whole) :] + following
        self.findings.append(two.finding(self.file))

    def _neither(self, whole: bytes, wrong: int) -> DataError:
        line = self._lines + whole.count(b"\n", 0, wrong) + 1
        try:
            whole[wrong:].split(b"\n", 1)[0].decode()
        except UnicodeDecodeError as error:
            wrong += error.start
        return undecodable(self.file, line, self._bytes + wrong + 1, whole[wrong : wrong + 1].hex())

    def _otherwise(self, error: UnicodeDecodeError, held: bytes, block: bytes) -> str:
        """The encoding of a file that was pure ASCII up to this block; damage is none."""
        try:
            encoding = self._recognised(held + block)
        except DataError:
            encoding = "utf-8"
        if encoding == "utf-8":
            raise self._refused(error, held) from None
        return encoding

    def _blocks(self) -> Iterator[bytes]:
        """The head in blocks as well: what is done with one takes many times its size."""
        for start in range(0, len(self._head), _BLOCK):
            yield self._head[start : start + _BLOCK]
        self._head = b""
        while block := self.stream.read(_BLOCK):
            yield block

    def _refused(self, error: UnicodeDecodeError, held: bytes) -> Exception:
        """`error.object` is the block behind the bytes that were held from the one before."""
        raw = error.object
        line = self._lines + raw.count(b"\n", 0, error.start) + 1
        place = self._bytes - len(held) + error.start + 1
        return undecodable(self.file, line, place, raw[error.start : error.start + 1].hex())
