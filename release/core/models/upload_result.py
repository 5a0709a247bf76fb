"""The result of uploading one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.distribution import Distribution
from release.core.models.index import ProjectListing

#: why there is no clear response. "status": an HTTP status that a retry may change; "stopped": this program was
#: interrupted; the others are named as in `adapters.http.errors.error_kind`
FailureKind = Literal[
    "status", "unexpected reply", "timeout", "connection", "dns", "tls", "proxy", "garbage", "worker died", "stopped"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The index has the file, with the same SHA-256."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: whether the index had it before this run sent anything
    already_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The index refuses the file, or would refuse it."""

    filename: str
    #: HTTP status
    status: int
    #: the server's message, without the status
    message: str
    #: id of the known failure in the catalog, if it is known without the server's message
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnclearResponse:
    """It is unknown whether the index accepted the file: compare its listing by hash."""

    filename: str
    kind: FailureKind
    #: HTTP status if `kind` is "status", else None
    status: int | None = None
    #: the message of the library or the server, redacted
    detail: str
    #: seconds that the server asks to wait before the next attempt; None if it does not
    retry_after: float | None = None
    #: how much of the request's body was sent by then: the index can only have the file if all of it was
    sent: Literal["nothing", "some", "all"] = "all"

    @property
    def summary(self) -> str:
        """What happened, in one or two words: "status 502", "timeout"."""
        return f"status {self.status}" if self.kind == "status" else self.kind


UploadResult = Receipt | Rejection | UnclearResponse

#: the status with which PyPI refuses a file name that it has already
_BAD_REQUEST = 400


def result_from_listing(
    distribution: Distribution, listing: ProjectListing | None, *, sent: bool = False
) -> Receipt | Rejection | None:
    """Compare a file with the index's listing by hash; None if it is not listed.

    `sent`: whether this run has sent the file. A file that is listed without a SHA-256 counts as different.
    """
    there = listing.file(distribution.filename) if listing else None
    if there is None:
        return None
    if there.sha256 == distribution.sha256:
        return Receipt(filename=distribution.filename, sha256=distribution.sha256, already_there=not sent)
    theirs = f"SHA-256 {there.sha256}" if there.sha256 else "a SHA-256 that the index does not show"
    return Rejection(
        filename=distribution.filename,
        status=_BAD_REQUEST,
        message=f"File already exists, with different content: {theirs} there, SHA-256 {distribution.sha256} here",
        cause="file.exists-different",
    )
