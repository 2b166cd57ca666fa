"""`luodi serve`: answer over HTTP."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.contracts import JsonValue, RegistryError, UsageError, say

if TYPE_CHECKING:
    from luodi.serving.building import Offers
    from luodi.serving.server import Listening


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL ...]", help="name, name@alias, name:version or a bundle."),
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of one call.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes on the one port.")] = 1,
    sessions: Annotated[
        int | None, typer.Option(min=1, help="Calls of a model at once; as the cores allow.")
    ] = None,
    keys: Annotated[
        bool | None,
        typer.Option("--keys/--no-keys", help="Ask for keys; off on 127.0.0.1, on elsewhere."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="A certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    proxied: Annotated[
        bool, typer.Option("--proxied", help="TLS ends at a proxy before this service.")
    ] = False,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen for other machines without TLS and keys.")
    ] = False,
    grpc_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer over gRPC too; 0 takes a free one.")
    ] = None,
    replicated: Annotated[
        bool,
        typer.Option("--replicated", help="Others answer beside it, with logs of their own."),
    ] = False,
    memory: Annotated[
        str | None, typer.Option(help="What all models may take together, such as 2GB.")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line when ready.")
    ] = False,
) -> None:
    """Answer over HTTP: the models named, or every registered model's newest passed version."""
    from luodi.cli.output import duration, emit
    from luodi.serving.server import serve
    from luodi.serving.settings import ServeSettings, cores, divide_cores

    started = time.perf_counter()
    offers = _offers(models or [], project)

    def ready(listening: Listening) -> None:
        taken = time.perf_counter() - started

        def human() -> None:
            for model in listening.models:
                print(f"  {model.model}:{model.version}  {listening.url}/predict/{model.model}")
            if listening.grpc:
                print(f"  gRPC  {listening.grpc}")
            print(
                say(
                    f"Ready in {duration(taken)}. Read on: {listening.url}/docs. Ctrl-C ends.",
                    f"{duration(taken)} 就绪。用法见 {listening.url}/docs。按 Ctrl-C 结束。",
                )
            )

        document: dict[str, JsonValue] = {
            "url": listening.url,
            "docs": f"{listening.url}/docs",
            "models": [
                {"name": model.model, "version": model.version, "digest": model.digest}
                for model in listening.models
            ],
            "workers": workers,
            "seconds": round(taken, 3),
        }
        if listening.grpc:
            document["grpc"] = listening.grpc
        emit(document, as_json, human)
        sys.stdout.flush()

    guarded = _guarded(keys, host, insecure, offers)
    _check_tls(tls_cert, tls_key)
    each, at_once = divide_cores(max(1, cores() // workers), threads, sessions)
    settings = ServeSettings(
        host=host,
        port=port,
        threads=each,
        workers=workers,
        sessions=at_once,
        insecure=insecure,
        memory=_memory(memory, offers),
        grpc_port=grpc_port,
        keys=guarded,
        certificate=tls_cert,
        certificate_key=tls_key,
        proxied=proxied,
        replicated=replicated,
    )
    serve(offers, settings, ready)
    if not as_json:
        print(say("Stopped; every request was answered.", "已停止；所有请求都已答复。"))


def _offers(wanted: list[str], project: Path | None) -> Offers:
    from luodi.project.home import home_folder
    from luodi.registry import PASSED, PRODUCTION, Registry
    from luodi.serving.building import Offers
    from luodi.serving.policy import wanted_of
    from luodi.serving.router import Offer

    registry = Registry(home_folder(project))
    names = wanted or [
        name
        for name in registry.models()
        if any(
            row.verdict == PASSED or PRODUCTION in row.aliases for row in registry.versions(name)
        )
    ]
    if not names:
        raise RegistryError(
            say(
                f"No model is registered in {registry.home}.",
                f"{registry.home} 中没有已登记的模型。",
            ),
            "",
            say(
                "Name a bundle's folder, or make a model with luodi run.",
                "请指定模型包文件夹，或用 luodi run 制作模型。",
            ),
        )
    said = wanted_of(project or registry.home.parent)
    known = registry.models()
    versions = []
    # Bare names first: the first version of a model is what answers for its name alone.
    for name in sorted(names, key=lambda name: name not in known):
        bare, _, alias = name.partition("@")
        if name in known:  # a bare name is its champion, now and after each promotion
            versions.append(Offer(registry.champion(name), PRODUCTION))
        else:
            versions.append(Offer(registry.find(name), alias if bare in known else ""))
    return Offers(versions, registry, said)


def _guarded(wanted: bool | None, host: str, insecure: bool, offers: Offers) -> bool:
    """Whether callers need a key.

    Raises:
        UsageError: when they do, and there is none yet.
    """
    here = host in ("localhost", "::1") or host.startswith("127.")
    guarded = wanted if wanted is not None else not (here or insecure)
    if not guarded:
        return False
    from luodi.registry.keys import KeyRing

    if not any(not key.revoked for key in KeyRing(offers.registry.home).all()):
        raise UsageError(
            say("There is no key yet: nobody could ask.", "还没有任何密钥，无人可以访问。"),
            "",
            say("Make one: luodi keys add NAME", "请先新建：luodi keys add 名称"),
        )
    return True


def _check_tls(certificate: Path | None, key: Path | None) -> None:
    if (certificate is None) != (key is None):
        raise UsageError(
            say(
                "One of --tls-cert and --tls-key alone.", "只给出了 --tls-cert 与 --tls-key 之一。"
            ),
            say("Expected both.", "两者须同时给出。"),
        )
    if certificate is None or key is None:
        return
    import ssl

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            say(f"{certificate} and {key} make no TLS: {error}.",
                f"{certificate} 与 {key} 无法用于 TLS：{error}。"),
            say("Expected a certificate and its key, as PEM.", "应为 PEM 格式的证书及其私钥。"),
        ) from error  # fmt: skip


def _memory(given: str | None, offers: Offers) -> int | None:
    """The limit that was asked for, else the greatest that a project file names."""
    if given is None:
        named = [part["memory"] for part in offers.wanted.values() if "memory" in part]
        return max(named, default=None)
    from luodi.project.schema import parse_size

    try:
        size = parse_size(int(given) if given.isdecimal() else given)
    except ValueError as error:
        raise UsageError(f"--memory: {error}") from error
    return int(str(size))
