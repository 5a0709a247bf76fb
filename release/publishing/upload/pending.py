"""What is left to be sent of a release, given what the index lists; and what the index would refuse. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from packaging.version import InvalidVersion, Version

from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.index_contents import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED
from release.core.models.project_listing import IndexFile, ProjectListing, files_by_release
from release.core.models.upload_result import Receipt, Rejection, result_from_listing

_STATUS = 400


def upload_order(files: Sequence[Distribution]) -> list[Distribution]:
    """Wheels first: PyPI shows for a release what the metadata of its first file says."""
    return sorted(files, key=lambda one: one.kind == "sdist")


def find_remaining(
    files: Sequence[Distribution], index: Index, listing: ProjectListing | None, version: str, *, now: datetime
) -> tuple[list[Receipt], list[Distribution], Rejection | None]:
    """What is there already, what is to be sent, and the first refusal that can be foretold.

    `now` is the index's time. A file name that was used once and whose file was deleted since is not
    in any listing: of that, the index tells only when it is sent.
    """
    receipts: list[Receipt] = []
    todo: list[Distribution] = []
    for file in upload_order(files):
        match result_from_listing(file, listing):
            case Receipt() as receipt:
                receipts.append(receipt)
            case Rejection() as refused:
                return receipts, todo, refused
            case None:
                todo.append(file)
    refusals = (_refusal(file, files, index, listing, version=version, now=now) for file in todo)
    return receipts, todo, next(filter(None, refusals), None)


def _refusal(  # noqa: PLR0913 - a file, and all that the index goes by
    file: Distribution,
    files: Sequence[Distribution],
    index: Index,
    listing: ProjectListing | None,
    *,
    version: str,
    now: datetime,
) -> Rejection | None:
    """The index's words for a file that it can't take. Source: warehouse, `forklift/legacy.py`."""
    if index.kind != "warehouse":
        return None
    there = of_version(listing, version)
    text = None
    until = upload_deadline(index, listing, version)
    others = [one.filename for one in files if one is not file] + [one.filename for one in there]
    if twin := _twin(file, files, listing):
        text = f"File already exists, under the name {twin!r}"
    elif until is not None and now > until:
        text = UPLOAD_WINDOW_CLOSED
    elif file.kind == "sdist" and any(not name.endswith(".whl") for name in others):
        text = "Only one sdist may be uploaded per release."
    return Rejection(filename=file.filename, status=_STATUS, text=text) if text else None


def _twin(file: Distribution, files: Sequence[Distribution], listing: ProjectListing | None) -> str | None:
    """Another name for the same bytes."""
    here = (one.filename for one in files if one.sha256 == file.sha256 and one.filename != file.filename)
    there = (one.filename for one in (listing.files if listing else ()) if one.sha256 == file.sha256)
    return next(here, None) or next(there, None)


def of_version(listing: ProjectListing | None, version: str) -> tuple[IndexFile, ...]:
    """The files of a version, however it is spelled; none for what is no version."""
    try:
        return files_by_release(listing).get(Version(version), ())
    except InvalidVersion:
        return ()


def upload_deadline(index: Index, listing: ProjectListing | None, version: str) -> datetime | None:
    """When the release takes no more files; None where it has none yet, or nobody knows. Aware, UTC."""
    if index.kind != "warehouse":
        return None
    times = [one.upload_time for one in of_version(listing, version) if one.upload_time is not None]
    return min(times) + UPLOAD_WINDOW if times else None


def remaining_text(
    index: Index, there: Sequence[Receipt], files: Sequence[Distribution], until: datetime | None
) -> str:
    """What an index has of a release, and until when it takes the rest; None where nobody knows."""
    ends = f"; it takes files of this release until {moment(until)}" if until else ""
    return f"{index.name} has {len(there)} of {len(files)} files; {len(files) - len(there)} remain{ends}"


def moment(when: datetime) -> str:
    """A time for a reader: "2026-11-24 18:36 UTC"."""
    return f"{when:%Y-%m-%d %H:%M} UTC"
