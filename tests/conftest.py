"""What holds for every test."""

from __future__ import annotations

import re

import pytest

#: what is minted at run time: another text in each worker, and nothing to be shown in a test's name
_MINTED = re.compile(rb"AgE|<token [0-9a-f]{8}>|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.hookimpl(tryfirst=True)
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case after its argument where its value is made anew in every run."""
    data = val.encode("utf-8", "replace") if isinstance(val, str) else val
    return argname if isinstance(data, bytes) and _MINTED.search(data) else None
