"""What every kind of source shares: it is told by one key, and holds no secret."""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict

from luodi.contracts import say

_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_QUERY = re.compile(r"(://[^\s?#'\"<>]*)\?([^\s#'\"<>]*)")
_PAGING = re.compile(
    r"(?i)p|page|offset|limit|start|skip|size|count|from|(per|page)[-_.]?(page|no|num|number|size)"
)
_SECRET_NAME = re.compile(
    r"(?i)authorization|cookie|token|secret|passw|pwd|credential|signature|^sig$|^sign$|^key$"
    r"|(^|[-_.])auth($|[-_.])|(api|app|access|private|subscription)[-_.]?key"
)


def no_secret(name: str, value: str) -> str:
    """A header or parameter whose name says that it is a secret holds a reference."""
    if _SECRET_NAME.search(name) and value and not _REFERENCE.search(value):
        raise ValueError(
            say(
                f"a secret is written out in {name}; expected a reference such as ${{NAME}}, with "
                "NAME in the environment or in .luodi/secrets",
                f"{name} 中直接写了机密；应为 ${{NAME}} 形式的引用，NAME 放在环境变量或 "
                ".luodi/secrets 中",
            )
        )
    return value


def check_address(value: str, schemes: tuple[str, ...]) -> str:
    """An address of one of these schemes, or a reference to one, without a written password.

    Raises:
        ValueError: for anything else.
    """
    if _REFERENCE.fullmatch(value):
        return value
    try:
        parts = urlsplit(value)
        known = parts.scheme.lower() in schemes and (parts.hostname or "sqlite" in parts.scheme)
    except ValueError:
        known = False
    if not known:
        raise ValueError(
            say(
                f"found {hide_password(value)!r}; expected an address such as {schemes[0]}://HOST, "
                "or a reference ${NAME} to one",
                f"收到 {hide_password(value)!r}；应为 {schemes[0]}://主机 形式的地址，"
                "或指向它的引用 ${NAME}",
            )
        )
    if parts.password:
        no_secret("password", parts.password)
    for name, text in parse_qsl(parts.query):
        no_secret(name, text)
    return value


def hide_password(address: str) -> str:
    """An address as it may be shown: a written password becomes ***, and so does what its query
    says, but for references and for numbers of pages: any name may hold a secret.

    A text with addresses in it likewise.
    """
    address = re.sub(r"(://[^/@\s:]*:)(?!\$\{)[^/@\s]*@", r"\1***@", address)
    address = re.sub(r"(?i)(https?://)(?!\$\{)[^/@:\s?#]+@", r"\1***@", address)
    return _QUERY.sub(lambda match: f"{match[1]}?{_names_alone(match[2])}", address)


def _names_alone(query: str) -> str:
    return "&".join(_hidden_value(part) for part in query.split("&"))


def _hidden_value(part: str) -> str:
    name, equals, value = part.partition("=")
    if not part or plain_value(name, value):
        return part
    return f"{name}=***" if equals else "***"


def plain_value(name: str, value: str) -> bool:
    """Whether a parameter's value says nothing secret: a reference, or which page is asked for."""
    counted = _PAGING.fullmatch(name) and re.fullmatch(r"\d{1,9}", value)
    return bool(counted or _REFERENCE.fullmatch(value))


class SourceModel(BaseModel):
    """One kind of source; `kind` is the key that tells it from the others.

    What is `remote` is fetched into the store; `in_pieces`, as records, not as files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    remote: ClassVar[bool] = True
    in_pieces: ClassVar[bool] = True

    def __str__(self) -> str:
        """As errors and lineages name it: what is fetched from where, secrets as `${NAME}`."""
        return hide_password(str(getattr(self, self.kind)))
