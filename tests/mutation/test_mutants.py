"""Mutants: which there are of a function, and that a sample stays the same."""

from __future__ import annotations

import pytest

pytest.importorskip("mutmut", reason="the dependency group mutation is not installed")

from tests.mutation.mutants import modules_of, mutants_of, sample, source_of


def test_the_mutants_of_a_function_have_names() -> None:
    names = {one.name for one in mutants_of("core.offline")}
    assert "core.offline:is_offline: not in -> in" in names
    assert 'core.offline:is_offline: "" -> "XXXX" (2)' in names
    assert len(names) == len(list(mutants_of("core.offline")))


def test_a_property_has_mutants_and_they_are_what_they_say() -> None:
    found = {one.name: code for one, code in sample("core.models.interpreter", size=None, seed="1")}
    code = found["core.models.interpreter:Interpreter.release: version_to_text(self.version) -> version_to_text(None)"]
    assert "version" not in code.co_names
    assert code.co_qualname == "Interpreter.release"


def test_a_larger_sample_has_the_smaller_one() -> None:
    few, more = ([one.name for one, _ in sample("core.quoting", size=size, seed="1")] for size in (5, 10))
    assert more[:5] == few
    assert [one.name for one, _ in sample("core.quoting", size=5, seed="2")] != few


def test_modules_are_found_where_their_source_is() -> None:
    assert {"core.errors", "core.models.index", "core.tokens"} <= set(modules_of("core"))
    assert all(source_of(one).is_file() for one in modules_of("credentials"))
