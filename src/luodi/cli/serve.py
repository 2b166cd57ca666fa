"""`luodi serve`: answer over HTTP."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.contracts import RegistryError, say

if TYPE_CHECKING:
    from luodi.registry import Registered
    from luodi.serving.server import Listening


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL ...]", help="name, name@alias, name:version or a bundle."),
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads a model; all cores.")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen for other machines without TLS and keys.")
    ] = False,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line when ready.")
    ] = False,
) -> None:
    """Answer over HTTP: the models named, or every registered model's newest passed version."""
    from luodi.cli.output import duration, emit
    from luodi.serving.server import serve
    from luodi.serving.settings import ServeSettings, cores

    started = time.perf_counter()
    found = _models(models or [], project)

    def ready(listening: Listening) -> None:
        taken = time.perf_counter() - started

        def human() -> None:
            for model in listening.models:
                print(f"  {model.model}:{model.version}  {listening.url}/predict/{model.model}")
            print(
                say(
                    f"Ready in {duration(taken)}. Read on: {listening.url}/docs. Ctrl-C ends.",
                    f"{duration(taken)} 就绪。用法见 {listening.url}/docs。按 Ctrl-C 结束。",
                )
            )

        document = {
            "url": listening.url,
            "docs": f"{listening.url}/docs",
            "models": [
                {"name": model.model, "version": model.version, "digest": model.digest}
                for model in listening.models
            ],
            "seconds": round(taken, 3),
        }
        emit(document, as_json, human)
        sys.stdout.flush()

    settings = ServeSettings(host=host, port=port, threads=threads or cores(), insecure=insecure)
    serve(found, settings, ready)
    if not as_json:
        print(say("Stopped; every request was answered.", "已停止；所有请求都已答复。"))


def _models(wanted: list[str], project: Path | None) -> list[Registered]:
    from luodi.project.home import home_folder
    from luodi.registry import PASSED, Registry

    registry = Registry(home_folder(project))
    if wanted:
        return [registry.find(name) for name in wanted]
    names = [
        name
        for name in registry.models()
        if any(row.verdict == PASSED for row in registry.versions(name))
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
    return [registry.find(name) for name in names]
