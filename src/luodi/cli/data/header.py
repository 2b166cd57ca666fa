"""What a command is told of the line that holds the columns' names."""

from __future__ import annotations

from typing import Annotated

import typer

from luodi.contracts import UsageError, say

HeaderLine = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="The line that holds the columns' names, below titles and notes; as in data.header.",
    ),
]


def said_header(header: bool | None, line: int | None) -> bool | int | None:
    """The two options as one `data.header`.

    Raises:
        UsageError: both were given.
    """
    if line is None:
        return header
    if header is not None:
        raise UsageError(
            say("Two options say where the columns' names stand: --header-line and "
                f"{'--header' if header else '--no-header'}.",
                "两个选项都指定了列名的位置：--header-line 与 "
                f"{'--header' if header else '--no-header'}。"),
            say("Expected one of them.", "应只用其一。"),
        )  # fmt: skip
    return line
