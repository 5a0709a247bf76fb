"""Other people's source is parsed in silence."""

from __future__ import annotations

import pytest

from release.core.python_source import parse_source


@pytest.mark.parametrize("code", ['x = "\\d"', b"x = '\\d'\nif x is 1: pass\n"])
def test_no_warning_about_the_style_of_other_peoples_code(code: str | bytes, recwarn: pytest.WarningsRecorder) -> None:
    assert parse_source(code).body
    assert not recwarn.list
