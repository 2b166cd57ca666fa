"""How large a number may be and still be reckoned with."""

from __future__ import annotations

SQUARABLE = 1e140
"""Farther off, the squares of a hundred million numbers would add up to no number."""
