"""Findings on a terminal: what matters first, remarks only when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from luodi.contracts import Finding, say

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {"info": "·", "warning": "!", "error": "✗"}
_RANK = {"error": 0, "warning": 1, "info": 2}


def show_findings(
    screen: Console, findings: Sequence[Finding], remarks: bool = False, where: str = ""
) -> None:
    """Errors, then warnings; remarks too when asked for, else their number.

    Args:
        remarks: whether findings that are no warning are shown.
        where: how a reader sees them, for the line that counts them.
    """
    from rich.markup import escape

    for finding in sorted(findings, key=lambda finding: _RANK[finding.severity]):
        if finding.severity == "info" and not remarks:
            continue
        words = f"{escape(finding.message)} {escape(finding.handled)}".rstrip()
        screen.print(f"{_MARKS[finding.severity]} {words}")
    quiet = 0 if remarks else sum(finding.severity == "info" for finding in findings)
    if quiet:
        seen = f": {where}" if where else ""
        screen.print(
            say(
                f"· {quiet} remark{'s' if quiet > 1 else ''} more{seen}",
                f"· 另有 {quiet} 条提示{seen.replace(': ', '：')}",
            )
        )
