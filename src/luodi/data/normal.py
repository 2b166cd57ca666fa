"""The form in which texts are compared: two texts with the same one are copies of each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# Signs that leave no mark on the page but make equal texts differ: soft hyphen, zero-width space
# and joiners, word joiner, byte-order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))


def normalise(text: str) -> str:
    """`text` in Unicode NFKC, case-folded, invisible signs left out, white space collapsed.

    Full-width and half-width forms, upper and lower case, and any run of white space (the
    ideographic space too) compare equal. Idempotent.
    """
    if not text.isascii():
        # Folding can undo NFKC and the other way round (ligatures, dotted capitals), hence twice;
        # Unicode's own NFKC_Casefold (chapter 3.13, R5) does the same.
        text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def normalise_all(texts: Sequence[str]) -> list[str]:
    """`normalise` of every text."""
    return [normalise(text) for text in texts]
