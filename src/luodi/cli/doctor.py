"""luodi doctor: is this machine ready?"""

from __future__ import annotations

from typing import Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import say


def command(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at this machine: processor, memory, disk, parts that are there or missing."""
    from luodi.project.machine import examine

    checks = examine()

    def human() -> None:
        for check in checks:
            print(f"{'✓' if check.ok else '!'} {check.name}: {check.found}")
            if not check.ok:
                print(f"    {check.remedy}")
        if all(check.ok for check in checks):
            print(say("This machine is ready.", "本机已就绪。"))

    emit({"checks": [vars(check) for check in checks], "ok": all(c.ok for c in checks)},
         json_output, human)  # fmt: skip
