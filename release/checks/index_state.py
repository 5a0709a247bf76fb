"""What the index already has of the project: the part of the second checklist that needs no credential."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from release.checks.engine import Check, check
from release.core.facts import Access, ProjectMetadata
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.index_contents import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED
from release.core.models.project_listing import IndexFile, ProjectListing

_NO_PROJECT = NotApplicable(reason="the index has no such project")
#: between two releases the version of the last one stands in the project, and that is no fault
_NO_RELEASE = NotApplicable(reason="nothing is about to be released")


@check()
def the_index_answers(access: Access) -> Iterator[Observation]:
    """The index says what it has of this project."""
    if isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project's name is not known")
    elif isinstance(access.listing, Unknown | NotApplicable):
        yield access.listing


@check(needs=(the_index_answers,))
def the_project_takes_uploads(access: Access) -> Iterator[Observation]:
    """The project takes uploads.

    Source: PEP 792; warehouse, `packaging/models.py`: an archived project takes none from anybody.
    """
    if not isinstance(access.listing, ProjectListing):
        yield _NO_PROJECT
    elif access.listing.status in {"archived", "quarantined"}:
        name, status = access.listing.name, access.listing.status
        mend = "unarchive it" if status == "archived" else "ask the index's administrators about it"
        yield Finding(
            message=f"the project {name!r} is {status} on {access.index.name}",
            remedy=f"{mend}: {access.index.simple_url.removesuffix('simple/')}manage/project/{name}/settings/",
            where=access.index.name,
            cause=f"project.{status}",
        )


@check(needs=(the_index_answers,))
def the_release_is_open(access: Access) -> Iterator[Observation]:
    """The release still takes files: it is new, or not older than 14 days.

    Source: warehouse, `forklift/legacy.py`, since July 2026; it counts from the release's first file.
    """
    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        yield _NO_PROJECT
        return
    if not access.releasing:
        yield _NO_RELEASE
        return
    begun = _closed_since(access)
    if begun is not None:
        version = access.project.version
        yield Finding(
            message=f"version {version} is on {access.index.name} since {begun:%Y-%m-%d}, and takes no more files",
            remedy=f"release a new version, or a post-release such as {version}.post1",
            where=access.index.name,
            server_text=UPLOAD_WINDOW_CLOSED,
            cause="server.closed-release",
        )


def _closed_since(access: Access) -> datetime | None:
    """When the release that is to be uploaded was begun, where that is too long ago and files of it are missing."""
    files = files_of_version(access)
    if access.index.kind != "warehouse" or (access.ours and access.ours <= {file.sha256 for file in files}):
        return None
    begun = min((file.upload_time for file in files if file.upload_time), default=None)
    return begun if begun is not None and access.now - begun > UPLOAD_WINDOW else None


@check(needs=(the_index_answers, the_release_is_open))
def the_version_is_new(access: Access) -> Iterator[Observation]:
    """The version has no other files on the index.

    The name of a file can be used once, ever; what this release has built and uploaded itself is no
    surprise, and what is there already is compared by hash before anything is sent.
    """
    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        yield _NO_PROJECT
        return
    version = access.project.version
    others = [file.filename for file in files_of_version(access) if file.sha256 not in access.ours]
    if others:
        shown = ", ".join(map(repr, others[:3])) + (", …" if len(others) > 3 else "")  # noqa: PLR2004 - a line's worth
        yield Finding(
            message=f"{access.index.name} has {len(others)} file(s) of version {version} already: {shown}",
            remedy="take a new version, unless these are files of this very release",
            severity="warn",
            where=access.index.name,
            cause="version.not-bumped",
        )


def files_of_version(access: Access) -> tuple[IndexFile, ...]:
    """What the index has of the project's version."""
    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        return ()
    return tuple(file for file in access.listing.files if _is_of(file.filename, access.project.version))


def _is_of(filename: str, version: str) -> bool:
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
    from packaging.version import InvalidVersion, Version

    try:
        wanted = Version(version)
        parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidVersion, InvalidWheelFilename, InvalidSdistFilename):
        return False
    return parsed[1] == wanted


CHECKS: tuple[Check[Access], ...] = (
    the_index_answers,
    the_project_takes_uploads,
    the_release_is_open,
    the_version_is_new,
)
