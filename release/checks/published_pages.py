"""A release as anybody sees it, first part: what the pages of its index say of it."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from release.checks.engine import Check, check
from release.core.facts import PublishedRelease
from release.core.models.attestation import Provenance
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown

#: what to do about bytes that are not those that an index lists
OTHERS = "do not install it; tell the project's maintainers, and the index's administrators"


@check()
def the_project_is_in_good_standing(outside: PublishedRelease) -> Iterator[Observation]:
    """The project is neither archived nor in quarantine.

    Source: PEP 792, "Project status markers".
    """
    name, index = outside.project.name, outside.index.name
    match outside.status:
        case "active":
            return
        case "quarantined":
            yield Finding(
                message=f"{name} is in quarantine on {index}: nobody can install it",
                remedy=f"read what {_page(outside)} says; its owners write to the index's administrators",
                source="https://peps.python.org/pep-0792/",
            )
        case other:
            yield Finding(
                message=f"{name} is {other} on {index}: no further release is to be expected",
                remedy="look for a successor; an owner can change the status in the project's settings",
                severity="warn",
                source="https://peps.python.org/pep-0792/",
            )


@check(needs=(the_project_is_in_good_standing,))
def the_release_is_visible(outside: PublishedRelease) -> Iterator[Observation]:
    """The page that installers read shows the release.

    An upload is answered before that page shows it; whoever asks here has waited a while for it.
    """
    if not outside.files:
        release = f"{outside.project.name} {outside.project.version}"
        yield _late(outside, release) if outside.by_json else _missing(outside, release)


@check(needs=(the_release_is_visible,))
def every_file_is_listed(outside: PublishedRelease) -> Iterator[Observation]:
    """Every file of the release is on the page that installers read.

    The record says which there should be, and so does the JSON API where it lists them. That it does not
    list one proves nothing: its answers are kept in caches.
    """
    listed = {file.filename for file in outside.files}
    known = {file.filename for file in outside.by_json or ()}
    recorded = [file.filename for file in outside.recorded.files] if outside.recorded else []
    for filename in dict.fromkeys([*recorded, *sorted(known)]):
        if filename not in listed:
            yield _late(outside, filename) if filename in known else _missing(outside, filename)


def _late(outside: PublishedRelease, what: str) -> Finding:
    return Finding(
        message=f"{what} is uploaded, not yet visible: the JSON API of {outside.index.name} has it, and the page that "
        f"installers read does not{_patience(outside)}",
        remedy="wait some minutes, at most half an hour, and confirm again; do not upload it again",
        where=what,
        cause="post.index-lag",
    )


def _missing(outside: PublishedRelease, what: str) -> Finding:
    return Finding(
        message=f"{what} is missing: {outside.index.name} lists no such file{_patience(outside)}",
        remedy=f"look at {_page(outside)}; upload it again if it never arrived: python -m release publish",
        where=what,
    )


def _patience(outside: PublishedRelease) -> str:
    return f", asked for {outside.waited:.0f} s" if outside.waited else ""


@check(needs=(the_release_is_visible,))
def every_listed_file_is_recorded(outside: PublishedRelease) -> Iterator[Observation]:
    """The release has no file that its record does not name.

    A file too many, from another machine or another person, is what some installers will choose.
    """
    if outside.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for file in outside.files:
        if outside.recorded.file(file.filename) is None:
            yield Finding(
                message=f"{file.filename!r} is on {outside.index.name}, and the record does not name it",
                remedy="find out who uploaded it; delete it on the index's site if nobody of the project did",
                where=file.filename,
            )


@check(needs=(the_release_is_visible,))
def the_pages_of_the_index_agree(outside: PublishedRelease) -> Iterator[Observation]:
    """The JSON API and the page that installers read say the same of each file that both have."""
    if outside.by_json is None:
        yield NotApplicable(reason="the JSON API does not have the release")
        return
    for file in outside.by_json:
        there = next((one for one in outside.files if one.filename == file.filename), None)
        if there is not None and there.sha256 not in {None, file.sha256}:
            yield Finding(
                message=f"{file.filename!r} has SHA-256 {there.sha256} on the page that installers read, and "
                f"{file.sha256} by the JSON API",
                remedy=OTHERS,
                where=file.filename,
                cause="post.representation-skew",
            )


@check(needs=(the_release_is_visible,))
def no_file_is_yanked(outside: PublishedRelease) -> Iterator[Observation]:
    """No file of the release is yanked.

    Installers pass over a yanked file unless its exact version is asked for. Source: PEP 592.
    """
    yanked = [file for file in outside.files if file.yanked is not None]
    whole = len(yanked) == len(outside.files)
    reasons = sorted({file.yanked for file in yanked if file.yanked})
    if yanked:
        what = "the whole release" if whole else ", ".join(repr(file.filename) for file in yanked)
        why = f": {', '.join(map(repr, reasons))}" if reasons else ", without a reason"
        yield Finding(
            message=f"{what} is yanked on {outside.index.name}{why}",
            remedy="take another version; a maintainer can un-yank it on the index's site",
            source="https://peps.python.org/pep-0592/",
        )


@check(needs=(the_release_is_visible,))
def every_file_has_attestations_or_none_has(outside: PublishedRelease) -> Iterator[Observation]:
    """Every file has attestations, of one publisher, or none has.

    Said by the index (PEP 740). A file without them among others with them was uploaded in another way.
    """
    if not outside.provenance:
        yield NotApplicable(reason="no file has attestations")
        return
    yield from (told for told in outside.provenance.values() if isinstance(told, Unknown))
    bare = [file.filename for file in outside.files if file.filename not in outside.provenance]
    publishers = sorted({str(who) for told in _told(outside) for who, _ in told.bundles})
    mixes = [
        (bare, f"{len(bare)} of {len(outside.files)} files have no attestations: {', '.join(map(repr, bare))}"),
        (publishers[1:], f"the files were published by {len(publishers)} publishers: {'; '.join(publishers)}"),
    ]
    for wrong, message in mixes:
        if wrong:
            yield Finding(
                message=message,
                remedy="ask the project's maintainers how those files were uploaded; publish all files in one run",
                severity="warn",
            )


def _told(outside: PublishedRelease) -> Iterator[Provenance]:
    yield from (told for told in outside.provenance.values() if isinstance(told, Provenance))


def _page(outside: PublishedRelease) -> str:
    return f"{outside.index.simple_url}{canonicalize_name(outside.project.name)}/"


#: in the order in which they are run and shown
CHECKS: tuple[Check[PublishedRelease], ...] = (
    the_project_is_in_good_standing,
    the_release_is_visible,
    every_file_is_listed,
    every_listed_file_is_recorded,
    the_pages_of_the_index_agree,
    no_file_is_yanked,
    every_file_has_attestations_or_none_has,
)
