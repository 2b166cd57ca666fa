"""What every benchmark's command does alike: work, and an exit code for how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable

from luodi.contracts import LuodiError


def exit_code(work: Callable[[], None], interrupted: str = "") -> int:
    """0 done, 1 an error in words, 130 interrupted (what was measured is kept).

    Args:
        interrupted: what to say then.
    """
    try:
        work()
    except LuodiError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        if interrupted:
            print(interrupted, file=sys.stderr)
        return 130
    return 0
