"""How the upload of one file ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.distribution import Distribution
from release.core.models.project_listing import ProjectListing


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The index has the file with our bytes."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: whether it was there before this run sent anything
    already_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The index answered, and the answer is no."""

    filename: str
    #: HTTP status
    status: int
    #: the server's own words, without the status
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnclearResponse:
    """Nobody knows yet whether the index took it: ask the index, by hash."""

    filename: str
    #: what happened: "status 502", "unexpected reply", "timeout", "connection", "dns", "tls", "proxy",
    #: "garbage", "worker died", "stopped" (broken off by ourselves)
    what: str
    #: the library's or the server's words, redacted
    detail: str
    #: seconds that the server asks to wait before the next attempt; None where it does not say
    retry_after: float | None = None
    #: how much of the request's body had gone out by then: the index can have the file only if all of it has
    sent: Literal["nothing", "some", "all"] = "all"


UploadResult = Receipt | Rejection | UnclearResponse

#: the status that stands for a refusal that was read off the listing: what the index would answer
_TAKEN = 400


def result_from_listing(
    distribution: Distribution, listing: ProjectListing | None, *, sent: bool = False
) -> Receipt | Rejection | None:
    """What the index's listing says about a file, by hash; None where it does not have the file.

    `sent` tells that this run has sent the file, so that finding it is no surprise. A file that is
    listed without a SHA-256 counts as other bytes: what can't be compared is not ours.
    """
    there = listing.file(distribution.filename) if listing else None
    if there is None:
        return None
    if there.sha256 == distribution.sha256:
        return Receipt(filename=distribution.filename, sha256=distribution.sha256, already_there=not sent)
    theirs = f"SHA-256 {there.sha256}" if there.sha256 else "a SHA-256 that the index does not tell"
    return Rejection(
        filename=distribution.filename,
        status=_TAKEN,
        text=f"File already exists, with other bytes: {theirs} there, SHA-256 {distribution.sha256} here",
    )
