"""What holds for every test."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from release.core.models.index import is_loopback
from tests.surviving_workers import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_internalerror,
    pytest_runtest_logstart,
)

__all__ = [  # hooks
    "pytest_collection_modifyitems", "pytest_configure", "pytest_internalerror", "pytest_runtest_logstart",
]  # fmt: skip

# On a slow or busy machine, an example takes as long as it takes. In CI, examples are the same in each run.
settings.register_profile("any-machine", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

#: what is minted at run time: another text in each worker, and nothing to be shown in a test's name
_MINTED = re.compile(rb"AgE|<token [0-9a-f]{8}>|(?i:[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12})")


@pytest.hookimpl(tryfirst=True)
def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case after its argument where its value is made anew in every run."""
    data = val.encode("utf-8", "replace") if isinstance(val, str) else val
    return argname if isinstance(data, bytes) and _MINTED.search(data) else None


_resolve = socket.getaddrinfo
#: hosts that the running test has tried to resolve and must not
_reached: list[str] = []


def _resolve_loopback_only(host: Any, *args: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name and not (is_loopback(name) or name.endswith(".invalid")):
        _reached.append(name)
    return _resolve(host, *args, **options)


@pytest.fixture(autouse=True)
def no_foreign_host_is_reached(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that resolves a host other than loopback, unless it is marked `network`."""
    if request.node.get_closest_marker("network"):
        # a machine that runs two tests at a time may need longer than a user would wait for a name
        monkeypatch.setattr("release.adapters.http.http_client._TEST_TIME", 60.0)
        yield
        return
    monkeypatch.setattr(socket, "getaddrinfo", _resolve_loopback_only)
    _reached.clear()
    yield
    assert not _reached, f"reaches {_reached}: mark the test `network` if that is a package registry"
