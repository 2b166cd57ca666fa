"""`luodi verify`: is a bundle what its manifest says, and does it answer as it did?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from luodi.contracts import say


def command(
    bundle: Annotated[
        str, typer.Argument(help="A bundle's folder, name, name@alias or name:version.")
    ],
    replay: Annotated[
        bool, typer.Option("--replay/--no-replay", help="Ask the golden requests again.")
    ] = True,
    digest: Annotated[
        str | None, typer.Option(help="The digest that the bundle must have, sha256:...")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check every digest of a bundle, then replay its golden answers. Exit code 1 when it fails."""
    from luodi.bundle import verify
    from luodi.cli.output import emit

    folder, known = _place(bundle, project)
    seen = verify(folder, replay, digest or known)

    def human() -> None:
        for check in seen.checks:
            print(f"  {'ok ' if check.ok else 'BAD'} {check.name}")
        for problem in seen.problems:
            print(say(f"Problem: {problem}", f"问题：{problem}"))
        if not seen.ok:
            print(say("REFUSED: do not use this bundle.", "拒绝：请勿使用该模型包。"))
            return
        print(f"{seen.name}  {seen.digest}")
        print(
            say(
                f"Sound: {seen.files} files as sealed, {seen.golden_checked} golden answers "
                f"repeated (largest difference {seen.max_difference:.3g}).",
                f"完好：{seen.files} 个文件与封存时一致，{seen.golden_checked} 条标准答案已重现"
                f"(最大差异 {seen.max_difference:.3g})。",
            )
        )

    document = {
        "ok": seen.ok,
        "bundle": str(folder),
        "name": seen.name,
        "digest": seen.digest,
        "files": seen.files,
        "golden_checked": seen.golden_checked,
        "max_difference": seen.max_difference if seen.max_difference < float("inf") else None,
        "evaluated": seen.evaluated,
        "problems": list(seen.problems),
        "checks": [{"name": check.name, "ok": check.ok} for check in seen.checks],
    }
    emit(document, as_json, human)
    if not seen.ok:
        raise typer.Exit(1)


def _place(bundle: str, project: Path | None) -> tuple[Path, str | None]:
    """The folder to check, and the digest that the registry knows it by."""
    from luodi.project.home import home_folder
    from luodi.registry import Registry

    folder, registry = Path(bundle), Registry(home_folder(project))
    is_path = "/" in bundle or (folder / "manifest.json").exists()
    # A folder that only happens to have a model's name is not what was meant.
    if not is_path and (not folder.exists() or bundle in registry.models()):
        found = registry.find(bundle)
        return found.folder, found.digest
    return folder.resolve(), None
