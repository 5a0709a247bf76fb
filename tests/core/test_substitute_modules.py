"""Modules that stand in for others while something is imported."""

from __future__ import annotations

import sys
import wave

import pytest

from release.core.substitute_modules import import_at_call, module_of, substitute_modules

ABSENT = "a_module_that_is_not_installed"


def test_an_import_finds_the_substitute_within_the_block_only() -> None:
    substitute = module_of(answer=lambda: 42)
    with substitute_modules({ABSENT: substitute}):
        assert __import__(ABSENT).answer() == 42
    with pytest.raises(ModuleNotFoundError):
        __import__(ABSENT)


def test_none_is_a_module_that_cannot_be_imported() -> None:
    with substitute_modules({ABSENT: None}), pytest.raises(ImportError):
        __import__(ABSENT)


def test_a_module_that_is_imported_already_stays() -> None:
    with substitute_modules({"wave": None, ABSENT: None}):
        assert sys.modules["wave"] is wave
    assert sys.modules["wave"] is wave
    assert ABSENT not in sys.modules


def test_the_block_ends_with_an_error_as_well() -> None:
    with pytest.raises(ZeroDivisionError), substitute_modules({ABSENT: None}):
        raise ZeroDivisionError
    assert ABSENT not in sys.modules


def test_a_module_is_imported_at_the_first_call_of_its_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with substitute_modules({"colorsys": import_at_call("colorsys", "rgb_to_hls", "hls_to_rgb")}):
        from colorsys import hls_to_rgb, rgb_to_hls
    assert "colorsys" not in sys.modules
    assert rgb_to_hls(1.0, b=0.0, g=0.0) == (0.0, 0.5, 1.0)
    assert "colorsys" in sys.modules
    assert hls_to_rgb(0.0, 0.5, 1.0) == (1.0, 0.0, 0.0)
