"""Regular expressions that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from release.core.lazy_pattern import lazy_pattern


def test_it_finds_what_the_pattern_finds() -> None:
    words = lazy_pattern(r"(?P<first>[a-z])\w*", re.IGNORECASE)
    found = words.fullmatch("Ann")
    assert found is not None
    assert found["first"] == "A"
    assert words.sub("-", "Ann and Bob") == "- - -"
    assert [one[0] for one in words.finditer("Ann and")] == ["Ann", "and"]
    assert (words.pattern, words.groups) == (r"(?P<first>[a-z])\w*", 1)
    assert lazy_pattern(rb"\d+").findall(b"1 and 23") == [b"1", b"23"]


def test_it_is_compiled_at_its_first_use_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[tuple[str, int]] = []
    real = re.compile

    def spy(pattern: str, flags: int) -> re.Pattern[str]:
        compiled.append((pattern, flags))
        return real(pattern, flags)

    monkeypatch.setattr(re, "compile", spy)
    digits = lazy_pattern(r"\d+", re.ASCII)
    assert compiled == []
    assert all(digits.fullmatch(text) for text in ("1", "23"))
    assert compiled == [(r"\d+", re.ASCII)]


def test_a_wrong_expression_is_an_error_at_its_first_use() -> None:
    wrong = lazy_pattern("(")
    with pytest.raises(re.error):
        wrong.match("a")
