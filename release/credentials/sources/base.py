"""The contract of a credential source.

A source is a function that looks into one place for one index. It answers `None` where it has
nothing to say, a `Found` with the exact place of each value, `Unknown` where it did not answer, and
raises `BrokenSourceError` where it can't be read. Values come back as they stand, never mended.
"""

from __future__ import annotations

from dataclasses import dataclass

from release.core.errors import ReleaseError
from release.core.models.credential import Origin
from release.core.models.finding import Finding
from release.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one source has for an index. Each half may be missing; the other comes from the next source."""

    username: str | None = None
    username_origin: Origin | None = None
    password: Secret | None = None
    #: where the password stands
    origin: Origin | None = None
    #: what is odd about the place
    remarks: tuple[Finding, ...] = ()


class BrokenSourceError(ReleaseError):
    """A source is there and can't be read. The message tells file and line, never the text of the line."""

    def __init__(self, message: str, *, remedy: str, cause: str, where: str) -> None:
        super().__init__(message, remedy=remedy)
        #: id of the known failure in the catalog
        self.cause = cause
        #: file and line
        self.where = where
