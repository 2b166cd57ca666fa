"""Figures as sentences and pages alike write them."""

from __future__ import annotations

import math

DASH = "–"
"""Where there is no figure."""


def chance(p_value: float) -> str:
    """A p-value."""
    if not math.isfinite(p_value):
        return f"p = {DASH}"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
