"""Stand-ins for personal data that are the same wherever the same thing stands.

A keyed digest (HMAC-SHA-256, RFC 2104): with the key, equal values give equal stand-ins, so that
tables still join; without it nobody can try out all telephone numbers. The key comes from the
environment or the secrets file, and goes nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from luodi.contracts import MissingPartError, PersonalKind, say
from luodi.project.home import home_folder
from luodi.project.secrets import Secrets

KEY = "LUODI_PSEUDONYM_KEY"
_LEAST = 16
_SIGNS = 16
"""Of 16 letters each: 64 bits, so that among a million values two agree with a chance of 3e-8."""


class Pseudonyms:
    """Gives stand-ins under one key.

    Attributes:
        key_id: 16 letters that tell one key from another, and nothing about either.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.key_id = self._letters("luodi", "key id")

    def __repr__(self) -> str:
        return f"Pseudonyms({self.key_id})"

    @classmethod
    def from_environment(cls) -> Pseudonyms:
        """With the key LUODI_PSEUDONYM_KEY of the environment or the secrets file.

        Raises:
            MissingPartError: when there is none, or one that could be guessed.
        """
        secrets = Secrets(home_folder())
        told = secrets.find(KEY) or ""
        if len(told.encode()) < _LEAST:
            raise MissingPartError(
                say(
                    f"The key for pseudonyms has {len(told.encode())} bytes.",
                    f"化名密钥有 {len(told.encode())} 字节。",
                ),
                say(f"Expected at least {_LEAST}.", f"至少需要 {_LEAST} 字节。"),
                say(
                    f"Set {KEY} to a long random text, in the environment or in {secrets.file}, "
                    "wherever rows are prepared and wherever the model serves.",
                    f"请在准备数据和提供服务的机器上，在环境变量或 {secrets.file} 中"
                    f"将 {KEY} 设为足够长的随机文本。",
                ),
            )
        return cls(told.encode())

    def of(self, kind: PersonalKind, value: str) -> str:
        """The stand-in for a value, such as <PHONE:kdmcaphbnolefgij>: however it was written."""
        return f"<{kind}:{self._letters(kind, plain(kind, value))}>"

    def _letters(self, kind: str, value: str) -> str:
        digest = hmac.new(self._key, f"{kind}\n{value}".encode(), hashlib.sha256).hexdigest()
        # Letters only: no digit that could be taken for a number to be masked.
        return digest[:_SIGNS].translate(_LETTERS)


_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_BY_DIGITS = ("PHONE", "BANK_CARD")
_BY_SIGNS = ("ID_CARD", "PASSPORT", "PLATE", "CREDIT_CODE", "IBAN")


def plain(kind: PersonalKind, value: str) -> str:
    """A value without what differs from writer to writer: blanks, hyphens, case, country code."""
    value = unicodedata.normalize("NFKC", value)
    if kind in _BY_DIGITS:
        digits = "".join(sign for sign in value if sign.isdigit())
        chinese = kind == "PHONE" and len(digits) in (13, 15) and digits[-11] == "1"
        return digits[-11:] if chinese and digits[:-11] in ("86", "0086") else digits
    if kind in _BY_SIGNS:
        return "".join(sign for sign in value if sign.isalnum()).upper()
    return " ".join(value.casefold().split())
