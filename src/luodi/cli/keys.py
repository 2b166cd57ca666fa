"""`luodi keys`: who may ask a service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import JsonValue, UsageError, say

if TYPE_CHECKING:
    from luodi.registry.keys import Key, KeyRing


def command(
    words: Annotated[list[str] | None, typer.Argument(metavar="[add NAME | revoke PREFIX]")] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="ask, read, operate; ask and read when left out.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Only these models; all when left out.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Rows a second, on average.")] = None,
    burst: Annotated[int, typer.Option(help="Rows at once, with --rate.")] = 100,
    daily: Annotated[int | None, typer.Option(help="Rows a day.")] = None,
    priority: Annotated[
        int, typer.Option(min=0, max=9, help="The most urgent class that it may ask for.")
    ] = 0,
    expires: Annotated[str, typer.Option(help="From when on it opens nothing, ISO.")] = "",
    reason: Annotated[str, typer.Option(help="Why it is revoked.")] = "",
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List keys; make one, whose secret is shown once; or take one back."""
    from luodi.project.home import home_folder
    from luodi.registry.keys import KeyRing, Rights

    ring = KeyRing(home_folder(project))
    act, *rest = words or ["list"]
    if act == "list" and not rest:
        _list(ring, as_json)
    elif act == "add" and len(rest) == 1:
        rights = Rights(
            tuple(role or ("ask", "read")),  # type: ignore[arg-type]  # checked by the ring
            tuple(model or ("*",)),
            rate,
            burst,
            daily,
            priority,
            expires,
        )
        key, secret = ring.add(rest[0], rights)
        _added(key, secret, as_json)
    elif act == "revoke" and len(rest) == 1:
        key = ring.revoke(rest[0], reason)
        emit(
            key.to_json(),
            as_json,
            lambda: print(say(f"{key.prefix} opens nothing any more.", f"{key.prefix} 已吊销。")),
        )
    else:
        raise UsageError(
            say(f"luodi keys {' '.join(words or [])}", f"luodi keys {' '.join(words or [])}"),
            say("Expected nothing, add NAME, or revoke PREFIX.",
                "应为空、add 名称 或 revoke 前缀。"),
        )  # fmt: skip


def _added(key: Key, secret: str, as_json: bool) -> None:
    document: dict[str, JsonValue] = {**key.to_json(), "key": secret}

    def human() -> None:
        print(secret)
        print(
            say(
                "This is shown once: keep it now. Callers send Authorization: Bearer KEY.",
                "仅显示这一次，请立即保存。调用方发送 Authorization: Bearer 密钥。",
            )
        )

    emit(document, as_json, human)


def _list(ring: KeyRing, as_json: bool) -> None:
    keys = ring.all()

    def human() -> None:
        for key in keys:
            rights = key.rights
            state = say("revoked", "已吊销") if key.revoked else say("valid", "有效")
            limits = [
                f"{rights.rate:g}/s" if rights.rate else "",
                say(f"{rights.daily} a day", f"每日 {rights.daily}") if rights.daily else "",
            ]
            print(
                f"{key.prefix}  {state:<8} {key.name:<20} {', '.join(rights.roles):<20} "
                f"{', '.join(rights.models)}  {' '.join(filter(None, limits))}".rstrip()
            )
        if not keys:
            print(say("There is no key: luodi keys add NAME", "没有密钥：luodi keys add 名称"))

    emit({"keys": [key.to_json() for key in keys]}, as_json, human)
