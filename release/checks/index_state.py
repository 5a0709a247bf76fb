"""What an index shows to everybody: the project, its releases, its name, its clock. No credential is needed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec.structs import replace

from release.checks.engine import Checklist, quote, quote_some, warn
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient
from release.core.models.index import (
    TESTPYPI,
    UPLOAD_WINDOW,
    UPLOAD_WINDOW_CLOSED,
    IndexFile,
    ProjectListing,
    files_by_release,
    files_of_version,
    normalize_name,
)
from release.core.time_text import format_count
from release.core.tokens.token import Token, scope

if TYPE_CHECKING:
    from packaging.version import Version

_NO_PROJECT = NotApplicable(reason="the project is not on the index")
#: between two releases the project has the version of the last one, which is not an error
_NO_RELEASE = NotApplicable(reason="no release is under way")
#: how far the two clocks may differ
_TOLERANCE = timedelta(seconds=60)
CHECKS = Checklist[Access]()


@CHECKS.check()
def the_index_answers(access: Access) -> Iterator[Observation]:
    """The index responds."""
    if isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project name is not known")
    elif isinstance(access.listing, Unknown | NotApplicable):
        yield access.listing


@CHECKS.check(needs=(the_index_answers,))
def the_project_takes_uploads(access: Access) -> Iterator[Observation]:
    """The project accepts uploads.

    Source: PEP 792; warehouse, `packaging/models.py`: an archived project accepts none. One in quarantine accepts those
    of its owners and maintainers, whose accounts may be frozen, but none of its trusted publishers.
    """
    if not isinstance(access.listing, ProjectListing):
        yield _NO_PROJECT
    elif access.listing.status in {"archived", "quarantined"}:
        name, status = access.listing.name, access.listing.status
        fix = "unarchive it" if status == "archived" else "contact the index's administrators"
        message = f"the project {name!r} is {status} on {access.index.name}"
        remedy = f"{fix}: {access.index.simple_url.removesuffix('simple/')}manage/project/{name}/settings/"
        found = Finding(message=message, remedy=remedy, where=access.index.name, cause=f"project.{status}")
        if status == "quarantined" and not _is_of_a_publisher(access):
            message = f"{message}: it accepts files of its owners, but cannot be installed"
            found = replace(found, message=message, severity="warn")
        yield found


def _is_of_a_publisher(access: Access) -> bool:
    """Whether a trusted publisher uploads, not a user."""
    token = access.token
    return isinstance(access.credential, Ambient) or (isinstance(token, Token) and scope(token).kind == "publisher")


@CHECKS.check(needs=(the_index_answers,), name="the-release-is-open")
def the_release_accepts_files(access: Access) -> Iterator[Observation]:
    """The release is new, or at most 14 days old.

    An older one accepts no files. Source: warehouse, `forklift/legacy.py`, since July 2026; it counts from the
    release's first file.
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
            message=f"version {version} has been on {access.index.name} since {begun:%Y-%m-%d}, and accepts no further "
            "files",
            remedy=f"release a new version, or a post-release such as {version}.post1",
            where=access.index.name,
            server_text=UPLOAD_WINDOW_CLOSED,
            cause="server.closed-release",
        )


def _closed_since(access: Access) -> datetime | None:
    """When the release to be uploaded was begun, if that is too long ago and files of it are missing."""
    files = listed_files(access)
    if access.index.kind != "warehouse" or (access.ours and access.ours <= {file.sha256 for file in files}):
        return None
    begun = min((file.upload_time for file in files if file.upload_time), default=None)
    return begun if begun is not None and access.now - begun > UPLOAD_WINDOW else None


@CHECKS.check(needs=(the_index_answers, the_release_accepts_files))
def the_version_is_new(access: Access) -> Iterator[Observation]:
    """No other files of this version on the index.

    A file name can be used only once. Files that this release has built and uploaded itself do not count; what is on
    the index already is compared by hash before anything is sent.
    """
    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        yield _NO_PROJECT
        return
    version = access.project.version
    others = [file.filename for file in listed_files(access) if file.sha256 not in access.ours]
    if others:
        files = f"{format_count(len(others), 'file')} of version {version}"
        message = f"{access.index.name} already has {files}: {quote_some(others)}"
        remedy = "bump the version: pypi-preflight prepare; unless these are files of this very release"
        yield warn(message, remedy, access.index.name, cause="version.not-bumped")


@CHECKS.check(needs=(the_index_answers,))
def the_version_is_the_newest_of_its_series(access: Access) -> Iterator[Observation]:
    """No later version on the index, or this one continues an earlier series.

    Installers take the highest version: users would not get this one. A series is all versions with the same first
    two numbers. An earlier series that the index has may continue; any other version needs a branch that
    `maintenance-branches` names. A test index is not considered.
    """
    from packaging.version import InvalidVersion, Version

    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        yield _NO_PROJECT
        return
    if not access.releasing or access.index.name == TESTPYPI.name:
        yield _NO_RELEASE if not access.releasing else NotApplicable(reason="it is an index for tests")
        return
    if access.branch and any(fnmatchcase(access.branch, one) for one in access.maintenance_branches):
        yield NotApplicable(reason=f"{access.branch!r} is a maintenance branch")
        return
    try:
        version = Version(access.project.version)
    except InvalidVersion:
        version = None
    if version is None or version.local:
        yield NotApplicable(reason="the version is not valid")
        return
    later = later_version(version, _versions(access.listing))
    if later is not None:
        other = f'maintenance-branches = ["{access.branch}"] in [tool.release]'
        if access.branch is None:  # as in a CI job for a tag
            other = 'add to [tool.release.waive]: the-version-is-the-newest-of-its-series = "an earlier series"'
        yield Finding(
            message=f"{access.index.name} already has {later}, which is later than {access.project.version}",
            remedy=f"set a version after {later}; if this continues an earlier series, {other}",
            where=access.index.name,
            cause="version.not-bumped",
        )


def later_version(ours: Version, others: frozenset[Version]) -> Version | None:
    """The version because of which `ours` would be no progress; None if there is none."""
    if ours in others:  # a release that goes on
        return None
    later = {one for one in others if one > ours}
    if not ours.is_prerelease:
        later = {one for one in later if not one.is_prerelease}
    if ours.is_postrelease and any(one.base_version == ours.base_version for one in others):
        later = {one for one in later if one.base_version == ours.base_version}
    same = {one for one in later if _series(one) == _series(ours)}
    continues = any(_series(one) == _series(ours) for one in others - later)
    return max(same or (set() if continues else later), default=None)


def _series(version: Version) -> tuple[int, ...]:
    return (version.epoch, version.major, version.minor)


def _versions(listing: ProjectListing) -> frozenset[Version]:
    """The releases on an index, without those that are yanked."""
    found = files_by_release(listing).items()
    return frozenset(one for one, files in found if any(file.yanked is None for file in files))


def listed_files(access: Access) -> tuple[IndexFile, ...]:
    """The files of the project's version on the index."""
    if not isinstance(access.listing, ProjectListing) or not isinstance(access.project, ProjectMetadata):
        return ()
    return files_of_version(access.listing, access.project.version)


@CHECKS.check(needs=(the_index_answers,))
def the_new_name_can_be_had(access: Access) -> Iterator[Observation]:
    """The project name is registered, or looks available.

    By the index's own rules. Which names its administrators have prohibited is not published.
    Source: warehouse, `packaging/services.py`.
    """
    if access.listing is not None or not isinstance(access.project, ProjectMetadata):
        yield NotApplicable(reason="the project is on the index already")
    elif access.index.kind != "warehouse":
        yield NotApplicable(reason="an index of kind 'other' has its own rules")
    elif isinstance(access.similar_names, Unknown):
        yield access.similar_names
    else:
        yield from _name_findings(access, access.project.name, access.similar_names or ())


def _name_findings(access: Access, name: str, similar: tuple[str, ...]) -> Iterator[Finding]:
    from release.acceptance import form_rules
    from release.acceptance.rule import FileUpload, first_refusal
    from release.core.models.index import IndexContents
    from release.diagnostics.matcher import remedy_for_answer

    others = f" ({quote(similar)})" if similar else ""
    similar_to = f"is too similar to a project on {access.index.name}{others}"
    messages = {
        form_rules.the_new_name_is_valid: f"{name!r} is not a valid project name",
        form_rules.the_new_name_is_no_standard_module: f"{name!r} is the name of a standard library module",
        form_rules.the_new_name_is_not_prohibited: f"{name!r} is a prohibited name",
        form_rules.the_new_name_is_unlike_the_others: f"{name!r} {similar_to}",
    }
    refusal = first_refusal(
        messages,
        FileUpload(fields={"name": (name,)}, site=access.index.simple_url.removesuffix("/simple/")),
        IndexContents(now=access.now, names=frozenset(map(normalize_name, similar))),
    )
    if refusal is not None:
        rule = next(rule for rule in messages if rule.name == refusal.rule)
        yield Finding(
            message=messages[rule],
            remedy=remedy_for_answer(
                refusal.text, status=refusal.status, values={"upload_url": access.index.upload_url}
            ),
            where=access.index.name,
            server_text=refusal.text,
            cause=rule.advice.cause or "name.invalid",
        )


@CHECKS.check(needs=(the_index_answers,))
def the_clocks_agree(access: Access) -> Iterator[Observation]:
    """This machine's clock matches the index's (within a minute).

    The index's clock decides when a token expires; a token made by trusted publishing is valid for 15 minutes.
    """
    if access.skew is None:
        yield NotApplicable(reason="the index's clock was not read")
    elif abs(access.skew) > _TOLERANCE:
        seconds = round(abs(access.skew).total_seconds())
        direction = "behind" if access.skew > timedelta() else "ahead of"
        message = f"this machine's clock is {seconds} s {direction} the clock of {access.index.name}"
        remedy = "set this machine's clock, for example by NTP, then run the command again"
        yield warn(message, remedy, access.index.name)
