"""The word that a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """The closest option, as the end of a message; empty if none is close."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(options), n=1)
    return f": did you mean {near[0]!r}?" if near else ""
