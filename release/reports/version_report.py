"""The version of this program, the server that its rules follow, and the libraries that are installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from release.acceptance.server_reference import SERVER


def server_to_json() -> dict[str, Any]:
    """`{"commit", "date", "python", "pins"}`: the server that the rules follow, and the libraries that it has."""
    return {"commit": SERVER.commit, "date": SERVER.date, "python": SERVER.python, "pins": dict(SERVER.pins)}


def versions_to_json(version: str, installed: Mapping[str, str]) -> dict[str, Any]:
    """`{"schema": 1, "version", "server", "installed"}`; `installed` has Python and the libraries by name."""
    return {"schema": 1, "version": version, "server": server_to_json(), "installed": dict(installed)}


def versions_to_lines(version: str, installed: Mapping[str, str], *, verbose: bool) -> Iterator[str]:
    """The version; if `verbose`, also a table of what the server has and what is installed."""
    yield f"pypi-preflight {version}"
    if not verbose:
        return
    yield f"rules of PyPI as of {SERVER.date}: {SERVER.name} ({SERVER.commit})"
    server = {"python": SERVER.python, **SERVER.pins}
    yield ""
    yield f"{'':20}{'server':14}here"
    for name in dict.fromkeys((*installed, *server)):
        yield f"{name:20}{server.get(name, '-'):14}{installed.get(name, 'not installed')}"
