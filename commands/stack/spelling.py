"""Find the spelling that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_SIMILAR: Final = 0.9  # of difflib: a letter, a sign or a short word differs


def similar(text: str, others: Iterable[str]) -> str | None:
    """Return the one that is most similar to the text, or None if all of them differ much."""
    folded = {_folded(other): other for other in others}
    close = get_close_matches(_folded(text), folded, n=1, cutoff=_SIMILAR)
    return folded[close[0]] if close else None


def _folded(text: str) -> str:
    return text.strip().rstrip("/").casefold()
