"""A published release as its index shows it to everybody, part one: what the index's APIs list."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from release.checks.engine import Checklist
from release.checks.post_upload import yank_findings
from release.checks.wording import quote, warn
from release.core.facts import PublishedRelease
from release.core.models.attestation import Provenance
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown

#: remedy for content that differs from what an index lists
REPORT = "do not install it; notify the project's maintainers and the index's administrators"


_CHECKS = Checklist[PublishedRelease]()


@_CHECKS.check()
def the_project_is_in_good_standing(outside: PublishedRelease) -> Iterator[Observation]:
    """The project is not archived or quarantined.

    Source: PEP 792, "Project status markers".
    """
    name, index, status = outside.project.name, outside.index.name, outside.status
    if status == "active":
        return
    quarantined = status == "quarantined"
    yield Finding(
        message=f"{name} is {status} on {index}: "
        + ("it cannot be installed" if quarantined else "further releases are not expected"),
        remedy=f"see {_page(outside)}; if you own the project, contact the index's administrators"
        if quarantined
        else "look for a successor; an owner can change the status in the project's settings",
        severity="block" if quarantined else "warn",
        source="https://peps.python.org/pep-0792/",
    )


@_CHECKS.check(needs=(the_project_is_in_good_standing,))
def the_release_is_visible(outside: PublishedRelease) -> Iterator[Observation]:
    """The release is listed for installers.

    An index responds to an upload before the simple API lists the file; this program has waited a while for it.
    """
    if not outside.files:
        yield _not_listed(outside, f"{outside.project.name} {outside.project.version}", uploaded=bool(outside.by_json))


@_CHECKS.check(needs=(the_release_is_visible,), name="every-file-is-listed")
def every_recorded_file_is_listed(outside: PublishedRelease) -> Iterator[Observation]:
    """Every file is listed for installers.

    The release record names the expected files, and so does the JSON API if it lists them. A file that the JSON API
    does not list proves nothing: its responses are cached.
    """
    listed = {file.filename for file in outside.files}
    known = {file.filename for file in outside.by_json or ()}
    recorded = [file.filename for file in outside.recorded.files] if outside.recorded else []
    for filename in dict.fromkeys([*recorded, *sorted(known)]):
        if filename not in listed:
            yield _not_listed(outside, filename, uploaded=filename in known)


def _not_listed(outside: PublishedRelease, what: str, *, uploaded: bool) -> Finding:
    index, waited = outside.index.name, f" (waited {outside.waited:.0f} s)" if outside.waited else ""
    if uploaded:
        message = (
            f"{what} is uploaded, not yet visible: the JSON API of {index} lists it, the simple API does not{waited}"
        )
        remedy = "wait a few minutes, at most half an hour, and confirm again; do not upload it again"
        return Finding(message=message, remedy=remedy, where=what, cause="post.index-lag")
    return Finding(
        message=f"{what} is missing: {index} does not list it{waited}",
        remedy=f"see {_page(outside)}; upload it again if it never arrived: python -m release publish",
        where=what,
    )


@_CHECKS.check(needs=(the_release_is_visible,))
def every_listed_file_is_recorded(outside: PublishedRelease) -> Iterator[Observation]:
    """Every listed file is in the release record.

    Some installers would choose an extra file, from another machine or another person.
    """
    if outside.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for file in outside.files:
        if outside.recorded.file(file.filename) is None:
            yield Finding(
                message=f"{file.filename!r} is on {outside.index.name}, but not in the release record",
                remedy="find out who uploaded it; if it was none of the maintainers, delete it on the index's site",
                where=file.filename,
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def the_pages_of_the_index_agree(outside: PublishedRelease) -> Iterator[Observation]:
    """The simple API and the JSON API agree on every file that both list."""
    if outside.by_json is None:
        yield NotApplicable(reason="the JSON API does not have the release")
        return
    by_name = {file.filename: file for file in outside.files}
    for file in outside.by_json:
        listed = by_name.get(file.filename)
        if listed is not None and listed.sha256 not in {None, file.sha256}:
            yield Finding(
                message=f"the SHA-256 of {file.filename!r} is {listed.sha256} in the simple API and {file.sha256} in "
                "the JSON API",
                remedy=REPORT,
                where=file.filename,
                cause="post.representation-skew",
            )


@_CHECKS.check(needs=(the_release_is_visible,), name="no-file-is-yanked")
def no_published_file_is_yanked(outside: PublishedRelease) -> Iterator[Observation]:
    """No file is yanked.

    Installers ignore a yanked file unless its exact version is requested. Source: PEP 592.
    """
    remedy = "use another version; a maintainer can un-yank it on the index's site"
    yield from yank_findings(outside.files, outside.index.name, remedy)


@_CHECKS.check(needs=(the_release_is_visible,))
def every_file_has_attestations_or_none_has(outside: PublishedRelease) -> Iterator[Observation]:
    """All files have attestations from one publisher, or none have.

    According to the index (PEP 740). A file without them among others with them was uploaded in another way.
    """
    if not outside.provenance:
        yield NotApplicable(reason="no file has attestations")
        return
    found = outside.provenance.values()
    yield from (one for one in found if isinstance(one, Unknown))
    bare = [file.filename for file in outside.files if file.filename not in outside.provenance]
    publishers = sorted({str(who) for one in found if isinstance(one, Provenance) for who, _ in one.bundles})
    mixes = [
        (bare, f"{len(bare)} of {len(outside.files)} files have no attestations: {quote(bare)}"),
        (publishers[1:], f"the files were published by {len(publishers)} publishers: {'; '.join(publishers)}"),
    ]
    for wrong, message in mixes:
        if wrong:
            yield warn(
                message, "ask the project's maintainers how those files were uploaded; publish all files in one run"
            )


def _page(outside: PublishedRelease) -> str:
    return f"{outside.index.simple_url}{canonicalize_name(outside.project.name)}/"


CHECKS = tuple(_CHECKS)
