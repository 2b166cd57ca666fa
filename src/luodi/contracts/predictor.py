"""What a bundle becomes in a process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, Self

from luodi.contracts.json import Answer, Request


class Predictor(Protocol):
    """Answers requests. Loads no torch; is safe to call from several threads."""

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what a Fitted exported to `folder`; use at most `threads` threads a call."""

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, in order; the other requests of the call change no answer."""

    def cost(self, request: Request) -> int:
        """What answering takes, in units that add up (tokens, rows): a batch is filled by it."""
