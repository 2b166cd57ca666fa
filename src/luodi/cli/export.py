"""`luodi export`: what a model needs to run elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import UsageError, say

if TYPE_CHECKING:
    from luodi.registry import Registered


def command(
    model: Annotated[str, typer.Argument(help="name, name@alias, name:version or a bundle.")],
    docker: Annotated[
        bool, typer.Option("--docker", help="A folder to build an image of.")
    ] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Manifests, and a KServe InferenceService.")
    ] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="A unit.")] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="A folder that Ray Serve deploys, with autoscaling.")
    ] = False,
    tls: Annotated[
        bool,
        typer.Option("--tls", help="In Kubernetes the pods end TLS themselves, by a secret."),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A new folder; NAME-export by default.")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write what it takes to run a model as an image, in Kubernetes, under systemd, on Ray."""
    from luodi.project.home import home_folder
    from luodi.registry import Registry

    kinds = {"docker": docker, "kubernetes": kubernetes, "systemd": systemd, "ray": ray}
    wanted = [name for name, asked in kinds.items() if asked]
    if not wanted:
        raise UsageError(
            say("Nothing to export to.", "未指定导出目标。"),
            say("Expected some of --docker, --kubernetes, --systemd, --ray.",
                "应给出 --docker、--kubernetes、--systemd、--ray 之一或多个。"),
        )  # fmt: skip
    if tls and not kubernetes:
        raise UsageError(
            say("--tls is about manifests.", "--tls 只用于清单文件。"),
            say("Expected --kubernetes too.", "应同时给出 --kubernetes。"),
            say("Elsewhere say --tls-cert and --tls-key to luodi serve.",
                "其他情形请在 luodi serve 中使用 --tls-cert 与 --tls-key。"),
        )  # fmt: skip
    found = Registry(home_folder(project)).find(model)
    folder = output or Path(f"{found.model}-export")
    if folder.exists():
        raise UsageError(
            say(f"{folder} is there already.", f"{folder} 已存在。"),
            say("Expected a new folder.", "应为新文件夹。"),
            say("Name another: -o FOLDER.", "请用 -o 指定其他文件夹。"),
        )
    commands = _write(found, wanted, folder, tls)
    document = {
        "model": found.model, "version": found.version, "folder": str(folder),
        "files": sorted(str(p.relative_to(folder)) for p in folder.rglob("*")
                        if p.is_file() and "lib/" not in p.as_posix()),
        "commands": commands,
    }  # fmt: skip

    def human() -> None:
        print(say(f"Written to {folder}. Next:", f"已写入 {folder}。下一步："))
        for kind in wanted:
            for line in commands[kind]:
                print(f"  {line}")

    emit(document, as_json, human)


def _write(found: Registered, wanted: list[str], folder: Path, tls: bool) -> dict[str, list[str]]:
    """Everything at once or nothing: what is half written is taken away."""
    import shutil

    from luodi.bundle import open_predictor
    from luodi.serving.deployment.docker import write_docker
    from luodi.serving.deployment.kubernetes import write_kubernetes
    from luodi.serving.deployment.ray import write_ray
    from luodi.serving.deployment.systemd import write_systemd

    bundle = open_predictor(found.folder, 1, found.digest)  # what is not sound does not travel
    manifest, version = bundle.manifest, bundle.version
    size = sum(path.stat().st_size for path in found.folder.rglob("*") if path.is_file())
    commands: dict[str, list[str]] = {}
    try:
        if "docker" in wanted:
            commands["docker"] = write_docker(found.folder, manifest, version, folder / "docker")
        if "kubernetes" in wanted:
            place = folder / "kubernetes"
            commands["kubernetes"] = write_kubernetes(manifest, version, size, place, tls)
        if "systemd" in wanted:
            place = folder / "systemd"
            commands["systemd"] = write_systemd(found.folder, manifest, version, size, place)
        if "ray" in wanted:
            place = folder / "ray"
            commands["ray"] = write_ray(found.folder, manifest, version, bundle.digest, place)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return commands
