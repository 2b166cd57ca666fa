"""Personal data never reaches the log: not in a text, not as a number, not as a request's id."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from pathlib import Path

from luodi.contracts import JsonValue
from luodi.data.privacy import mask

_LONG = 10**9
"""Whole numbers from here on may be phone, card or identity numbers."""
_NUMBER = 128
"""Characters of a request's id that are kept as they are."""


def masked(value: JsonValue) -> JsonValue:
    """A value with placeholders for personal data, in texts and in whole numbers; keys stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: masked(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if isinstance(value, float) and value.is_integer() and _LONG <= value < 2**63:
        text = str(int(value))
    elif isinstance(value, int) and not isinstance(value, bool) and value >= _LONG:
        text = str(value)
    else:
        return value
    hidden = mask(text)
    return value if hidden == text else hidden


class Numbers:
    """Request ids as they are written: one that is personal data becomes a keyed hash.

    The same id becomes the same hash in the log and in the feedback, so that both still meet. The
    key lies beside the log, for its owner alone: a hash of a phone number without one is undone by
    trying them all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = b""

    def written(self, number: str) -> str:
        """The id as it stands in the log."""
        if len(number) <= _NUMBER and number.isprintable() and mask(number) == number:
            return number
        digest = hashlib.blake2b(
            number.encode("utf-8", "surrogatepass"), key=self._secret(), digest_size=16
        )
        return f"masked-{digest.hexdigest()}"

    def _secret(self) -> bytes:
        if not self._key:
            path = self._folder / "key"
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f"key.{secrets.token_hex(4)}")
            temporary.touch(mode=0o600)
            temporary.write_bytes(secrets.token_bytes(32))
            # Whole or not there, and never over another's: two processes may begin at once.
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(temporary)
            temporary.unlink()
            self._key = path.read_bytes()
        return self._key
