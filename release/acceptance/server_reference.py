"""Which server the rules follow: the one place that names its code, and the libraries that it judges with.

A library that is installed here may be older or newer. The rules hold to the server's in every case: where
versions of a library differ, the rules have code of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class ServerReference(Struct, frozen=True, kw_only=True):
    """A state of the index's server."""

    #: of the server's repository
    commit: str
    #: of that commit, ISO 8601
    date: str
    #: on which the server runs
    python: str
    #: distribution name → version that the server pins
    pins: Mapping[str, str]

    @property
    def name(self) -> str:
        """The server as messages and documents name it."""
        return f"warehouse {self.commit[:7]}"


#: Read and run, 2026-11. Source: warehouse, `requirements/main.txt` and `.python-version`
SERVER = ServerReference(
    commit="6b62157124ab7865029afeeadf282bce27d601d9",
    date="2026-08-21",
    python="3.14",
    pins=MappingProxyType(
        {
            "packaging": "26.2",
            "trove-classifiers": "2026.6.1.19",
            "readme-renderer": "45.0",
            "pypi-attestations": "0.0.29",
            "stdlib-list": "0.12.0",
        }
    ),
)


class ServerFailsError(Exception):
    """The server fails on a value, and responds with an internal error instead of a refusal."""
