"""A published release as its index shows it to everybody, part one: what the index's APIs list."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name

from release.checks.engine import Checklist, quote, warn
from release.checks.post_upload import yank_findings
from release.core.facts import PublishedRelease
from release.core.models.attestation import Provenance
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown

#: remedy for content that differs from what an index lists
REPORT = "do not install it; notify the project's maintainers and the index's administrators"


_CHECKS = Checklist[PublishedRelease]()


@_CHECKS.check()
def the_project_is_in_good_standing(published: PublishedRelease) -> Iterator[Observation]:
    """The project is not archived or quarantined.

    Source: PEP 792, "Project status markers".
    """
    name, index, status = published.project.name, published.index.name, published.status
    if status == "active":
        return
    quarantined = status == "quarantined"
    yield Finding(
        message=f"{name} is {status} on {index}: "
        + ("it cannot be installed" if quarantined else "further releases are not expected"),
        remedy=f"see {_page(published)}; if you own the project, contact the index's administrators"
        if quarantined
        else "look for a successor; an owner can change the status in the project's settings",
        severity="block" if quarantined else "warn",
        source="https://peps.python.org/pep-0792/",
    )


@_CHECKS.check(needs=(the_project_is_in_good_standing,))
def the_release_is_visible(published: PublishedRelease) -> Iterator[Observation]:
    """The release is listed for installers.

    An index responds to an upload before the simple API lists the file; this program has waited a while for it.
    """
    if not published.files:
        yield _not_listed(
            published, f"{published.project.name} {published.project.version}", uploaded=bool(published.by_json)
        )


@_CHECKS.check(needs=(the_release_is_visible,), name="every-file-is-listed")
def every_recorded_file_is_listed(published: PublishedRelease) -> Iterator[Observation]:
    """Every file is listed for installers.

    The release record names the expected files, and so does the JSON API if it lists them. A file that the JSON API
    does not list proves nothing: its responses are cached.
    """
    listed = {file.filename for file in published.files}
    known = {file.filename for file in published.by_json or ()}
    recorded = [file.filename for file in published.recorded.files] if published.recorded else []
    for filename in dict.fromkeys([*recorded, *sorted(known)]):
        if filename not in listed:
            yield _not_listed(published, filename, uploaded=filename in known)


def _not_listed(published: PublishedRelease, what: str, *, uploaded: bool) -> Finding:
    index, waited = published.index.name, f" (waited {published.waited:.0f} s)" if published.waited else ""
    if uploaded:
        message = (
            f"{what} is uploaded, not yet visible: the JSON API of {index} lists it, the simple API does not{waited}"
        )
        remedy = "wait a few minutes, at most half an hour, and confirm again; do not upload it again"
        return Finding(message=message, remedy=remedy, where=what, cause="post.index-lag")
    return Finding(
        message=f"{what} is missing: {index} does not list it{waited}",
        remedy=f"see {_page(published)}; upload it again if it never arrived: python -m release publish",
        where=what,
    )


@_CHECKS.check(needs=(the_release_is_visible,))
def every_listed_file_is_recorded(published: PublishedRelease) -> Iterator[Observation]:
    """Every listed file is in the release record.

    Some installers would choose an extra file, from another machine or another person.
    """
    if published.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for file in published.files:
        if published.recorded.file(file.filename) is None:
            yield Finding(
                message=f"{file.filename!r} is on {published.index.name}, but not in the release record",
                remedy="find out who uploaded it; if it was none of the maintainers, delete it on the index's site",
                where=file.filename,
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def the_pages_of_the_index_agree(published: PublishedRelease) -> Iterator[Observation]:
    """The simple API and the JSON API agree on every file that both list."""
    if published.by_json is None:
        yield NotApplicable(reason="the JSON API does not have the release")
        return
    by_name = {file.filename: file for file in published.files}
    for file in published.by_json:
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
def no_published_file_is_yanked(published: PublishedRelease) -> Iterator[Observation]:
    """No file is yanked.

    Installers ignore a yanked file unless its exact version is requested. Source: PEP 592.
    """
    remedy = "use another version; a maintainer can un-yank it on the index's site"
    yield from yank_findings(published.files, published.index.name, remedy)


@_CHECKS.check(needs=(the_release_is_visible,))
def every_file_has_attestations_or_none_has(published: PublishedRelease) -> Iterator[Observation]:
    """All files have attestations from one publisher, or none have.

    According to the index (PEP 740). A file without them among others with them was uploaded in another way.
    """
    if not published.provenance:
        yield NotApplicable(reason="no file has attestations")
        return
    found = published.provenance.values()
    yield from (one for one in found if isinstance(one, Unknown))
    bare = [file.filename for file in published.files if file.filename not in published.provenance]
    publishers = sorted({str(who) for one in found if isinstance(one, Provenance) for who, _ in one.bundles})
    mixes = [
        (bare, f"{len(bare)} of {len(published.files)} files have no attestations: {quote(bare)}"),
        (publishers[1:], f"the files were published by {len(publishers)} publishers: {'; '.join(publishers)}"),
    ]
    for wrong, message in mixes:
        if wrong:
            yield warn(
                message, "ask the project's maintainers how those files were uploaded; publish all files in one run"
            )


def _page(published: PublishedRelease) -> str:
    return f"{published.index.simple_url}{canonicalize_name(published.project.name)}/"


CHECKS = tuple(_CHECKS)
