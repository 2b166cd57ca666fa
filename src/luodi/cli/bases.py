"""luodi bases: the pretrained models that Luodi knows by name."""

from __future__ import annotations

from typing import Annotated

import typer

from luodi.cli.output import console, emit
from luodi.contracts import say


def command(
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the pretrained models that Luodi knows: size, languages, licence, places."""
    from luodi.training.bases import CATALOGUE

    entries = list(CATALOGUE.values())

    def human() -> None:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in (
            say("Name", "名称"),
            say("Size", "大小"),
            say("Languages", "语言"),
            say("Licence", "许可证"),
            say("Places, in order", "获取途径（依次尝试）"),
        ):
            table.add_column(head)
        for entry in entries:
            table.add_row(
                entry.name,
                f"{entry.bytes / 1e6:.0f} MB",
                ", ".join(entry.languages),
                entry.licence,
                ", ".join(place.address for place in entry.places),
            )
        console().print(table)
        print(
            say(
                "model.base also takes a folder, a hub name, or package:NAME.",
                "model.base 也可以是文件夹、模型库名称或 package:名称。",
            )
        )

    emit({"bases": [entry.to_json() for entry in entries]}, json_output, human)
