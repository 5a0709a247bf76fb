"""Which files of a release remain to be uploaded, and which of them the index would refuse. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from release.core.models.distribution import Distribution, Receipt, Rejection, result_from_listing
from release.core.models.index import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED, Index, ProjectListing, files_of_version
from release.core.time_text import format_time

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """A release compared with what an index has of it."""

    #: the files that the index has
    receipts: tuple[Receipt, ...]
    #: the files to upload, in order
    files: tuple[Distribution, ...]
    #: the first rejection that can be predicted
    rejection: Rejection | None


def upload_order(files: Sequence[Distribution]) -> list[Distribution]:
    """Wheels first: PyPI shows the metadata of a release's first file."""
    return sorted(files, key=lambda one: one.kind == "sdist")


def find_remaining(
    files: Sequence[Distribution], index: Index, listing: ProjectListing | None, version: str, *, now: datetime
) -> Remaining:
    """Compare the files with the listing. `now` is the index's time.

    A file name whose file was deleted is in no listing: the index refuses it only at the upload.
    """
    receipts: list[Receipt] = []
    todo: list[Distribution] = []
    rejection: Rejection | None = None
    for file in upload_order(files):
        match result_from_listing(file, listing):
            case Receipt() as receipt:
                receipts.append(receipt)
            case Rejection() as refused:
                rejection = refused
                break
            case None:
                todo.append(file)
    else:
        predicted = (_predict(file, files, index, listing, version=version, now=now) for file in todo)
        rejection = next(filter(None, predicted), None)
    return Remaining(receipts=tuple(receipts), files=tuple(todo), rejection=rejection)


def _predict(  # noqa: PLR0913 - a file, and all that the index considers
    file: Distribution,
    files: Sequence[Distribution],
    index: Index,
    listing: ProjectListing | None,
    *,
    version: str,
    now: datetime,
) -> Rejection | None:
    """The index's message for a file that it cannot accept. Source: warehouse, `forklift/legacy.py`."""
    if index.kind != "warehouse":
        return None
    message = None
    deadline = upload_deadline(index, listing, version)
    others = [one.filename for one in files if one is not file]
    others += [one.filename for one in files_of_version(listing, version)]
    if duplicate := _same_content(file, files, listing):
        message = f"File already exists, under the name {duplicate!r}"
    elif deadline is not None and now > deadline:
        message = UPLOAD_WINDOW_CLOSED
    elif file.kind == "sdist" and any(not name.endswith(".whl") for name in others):
        message = "Only one sdist may be uploaded per release."
    return Rejection(filename=file.filename, status=_BAD_REQUEST, message=message) if message else None


def _same_content(file: Distribution, files: Sequence[Distribution], listing: ProjectListing | None) -> str | None:
    """Another file name with the same SHA-256."""
    here = (one.filename for one in files if one.sha256 == file.sha256 and one.filename != file.filename)
    there = (one.filename for one in (listing.files if listing else ()) if one.sha256 == file.sha256)
    return next(here, None) or next(there, None)


def upload_deadline(index: Index, listing: ProjectListing | None, version: str) -> datetime | None:
    """When the index stops accepting files for the release; None where it has none yet or it is unknown. Aware, UTC."""
    if index.kind != "warehouse":
        return None
    times = [one.upload_time for one in files_of_version(listing, version) if one.upload_time is not None]
    return min(times) + UPLOAD_WINDOW if times else None


def remaining_to_text(index: Index, remaining: Remaining, deadline: datetime | None) -> str:
    """How many files an index has, and until when it accepts the rest (None: unknown)."""
    there, left = len(remaining.receipts), len(remaining.files)
    ends = f"; it accepts files for this release until {format_time(deadline)}" if deadline else ""
    return f"{index.name} has {there} of {there + left} files, {left} left to upload{ends}"
