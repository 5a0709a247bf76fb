"""The word that a misspelt one was meant to be."""

from __future__ import annotations

import pytest

from release.core.similar_words import closest_words, did_you_mean


@pytest.mark.parametrize(
    ("word", "hint"), [("verfy", ": did you mean 'verify'?"), ("verify", ": did you mean 'verify'?"), ("xyz", "")]
)
def test_the_closest_word_is_the_end_of_a_message(word: str, hint: str) -> None:
    assert did_you_mean(word, iter(["verify", "inspect"])) == hint


def test_the_closest_words_are_those_that_are_similar_enough() -> None:
    words = ["verify", "very", "inspect"]
    assert closest_words("verfy", words) == ["verify"]
    assert closest_words("verfy", words, most=3) == ["verify", "very"]
    assert closest_words("verfy", words, likeness=0.95) == []
