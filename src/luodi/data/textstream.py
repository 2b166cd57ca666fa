"""A long text file as UTF-8, a block at a time: what `encoding.to_utf8` does for a short one."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from luodi.contracts import Finding
from luodi.data.encoding import MARKS, to_utf8, undecodable
from luodi.data.unpack import Bounded

_BLOCK = 16 << 20


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
                self.encoding, self._codec = name, "utf-8" if name == "utf-8" else codec
                self._head = head.removeprefix(codecs.BOM_UTF8) if name == "utf-8" else head
                return
        self.encoding = self._codec = self._recognised(head)

    def _recognised(self, sample: bytes) -> str:
        whole = sample[: sample.rfind(b"\n") + 1] or sample
        decoded = to_utf8(whole, self.file)
        self.findings += decoded.findings
        return decoded.encoding

    def __iter__(self) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self._codec)()
        block = self._head
        self._head = b""
        while block:
            following = self.stream.read(_BLOCK)
            held = decoder.getstate()[0]
            try:
                text = decoder.decode(block, final=not following)
            except UnicodeDecodeError as error:
                if not (self._ascii and self._codec == "utf-8"):
                    raise self._refused(error, held) from None
                self.encoding = self._codec = self._recognised(held + block)
                decoder = codecs.getincrementaldecoder(self._codec)()
                text = decoder.decode(held + block, final=not following)
            self._ascii = self._ascii and text.isascii()
            self._bytes += len(block)
            ready = text.encode()
            self._lines += ready.count(b"\n")
            if ready:
                yield ready
            block = following

    def _refused(self, error: UnicodeDecodeError, held: bytes) -> Exception:
        """`error.object` is the block behind the bytes that were held from the one before."""
        raw = error.object
        line = self._lines + raw.count(b"\n", 0, error.start) + 1
        place = self._bytes - len(held) + error.start + 1
        return undecodable(self.file, line, place, raw[error.start : error.start + 1].hex())
