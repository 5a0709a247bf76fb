"""The environment in which no index is asked."""

from __future__ import annotations

import pytest

from release.core.offline import is_offline


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, False),
        ({"PYPI_PREFLIGHT_OFFLINE": ""}, False),
        ({"PYPI_PREFLIGHT_OFFLINE": "0"}, False),
        ({"PYPI_PREFLIGHT_OFFLINE": "1"}, True),
        ({"PYPI_PREFLIGHT_OFFLINE": "no"}, True),
        ({"pypi_preflight_offline": "1"}, False),
    ],
)
def test_the_variable_decides(env: dict[str, str], expected: bool) -> None:
    assert is_offline(env) is expected
