"""The word that a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def closest_words(word: str, options: Iterable[str], most: int = 1, likeness: float = 0.6) -> list[str]:
    """The options that are like the word, the most similar first; `likeness` is 1 where all letters are the same."""
    from difflib import get_close_matches  # only a mistake needs it

    return get_close_matches(word, list(options), n=most, cutoff=likeness)


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """The closest option, as the end of a message; empty if none is close."""
    near = closest_words(word, options)
    return f": did you mean {near[0]!r}?" if near else ""
