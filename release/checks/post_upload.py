"""The last checklist: what an index has of a release, seen from outside."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.engine import Check, check
from release.core.facts import UploadedRelease
from release.core.models.attestation import VerifiedAttestations
from release.core.models.distribution import Distribution
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.project_listing import IndexFile, version_of


@check()
def the_index_could_be_asked(published: UploadedRelease) -> Iterator[Observation]:
    """The index says what it has.

    All that follows is read from the simple API, which is what installers read.
    """
    if isinstance(published.listing, Unknown):
        yield published.listing


@check(needs=(the_index_could_be_asked,))
def every_file_is_listed(published: UploadedRelease) -> Iterator[Observation]:
    """Every file of the release is on the index.

    An index answers an upload before its pages show it; whoever asks here has waited for that.
    """
    for file in published.expected:
        if _there(published, file.filename) is None:
            yield _late(published, file.filename) if file.filename in published.accepted else _absent(published, file)


def _late(published: UploadedRelease, filename: str) -> Finding:
    return Finding(
        message=f"{published.index.name} took {filename!r}, and does not show it yet",
        remedy=f"look at {_page(published)}, and confirm again later: python -m release confirm",
        where=filename,
        cause="post.index-lag",
    )


def _absent(published: UploadedRelease, file: Distribution) -> Finding:
    return Finding(
        message=f"{published.index.name} does not have {file.filename!r}, and is not known to have taken it",
        remedy=f"look at {_page(published)}, and resume the upload: it asks by hash, and sends what is missing",
        where=file.filename,
        cause="file.partial-release",
    )


@check(needs=(the_index_could_be_asked,))
def every_file_has_our_bytes(published: UploadedRelease) -> Iterator[Observation]:
    """Every file on the index has the bytes that were built.

    Names prove nothing: the SHA-256 of what was built is compared with the one that installers check.
    """
    for file in published.expected:
        there = _there(published, file.filename)
        if there is None or there.sha256 == file.sha256:
            continue
        if there.sha256 is None:
            yield Unknown(
                reason=f"{published.index.name} gives no SHA-256 for {file.filename!r}",
                remedy=f"download {there.url} and compare its SHA-256 with {file.sha256}",
            )
            continue
        yield Finding(
            message=f"{published.index.name} has other bytes for {file.filename!r}: SHA-256 {there.sha256}, "
            f"and {file.sha256} was built",
            remedy="yank this release and find out who uploaded that file; then release a new version",
            where=file.filename,
            cause="post.hash-mismatch",
        )


@check(needs=(the_index_could_be_asked,))
def no_file_is_yanked(published: UploadedRelease) -> Iterator[Observation]:
    """No file of the release is yanked.

    Installers pass over a yanked file unless its exact version is asked for. Source: PEP 592.
    """
    for file in published.expected:
        there = _there(published, file.filename)
        if there is not None and there.yanked is not None:
            reason = f": {there.yanked!r}" if there.yanked else ""
            yield Finding(
                message=f"{file.filename!r} is yanked on {published.index.name}{reason}",
                remedy="un-yank the release on the index's site, or release a new version",
                where=file.filename,
                source="https://peps.python.org/pep-0592/",
            )


@check(needs=(the_index_could_be_asked,))
def no_file_is_not_ours(published: UploadedRelease) -> Iterator[Observation]:
    """The release holds no file that was not built here.

    Another file of the same version, from an earlier build or another machine, is what some
    installers will choose.
    """
    ours = {file.filename for file in published.expected}
    for there in _release(published):
        if there.filename not in ours:
            yield Finding(
                message=f"{published.index.name} lists {there.filename!r} for this version, which is not of this build",
                remedy="if nobody of the project uploaded it on purpose, delete that file on the index's site",
                severity="warn",
                where=there.filename,
            )


@check(needs=(every_file_is_listed, every_file_has_our_bytes))
def the_attestations_hold(published: UploadedRelease) -> Iterator[Observation]:
    """The index shows the attestations that were sent, and each holds for these bytes and the publisher it names.

    Source: PEP 740.
    """
    if not published.attested:
        yield NotApplicable(reason="no file was sent with attestations")
    for said in published.attested.values():
        if not isinstance(said, VerifiedAttestations):
            yield said


@check(needs=(every_file_is_listed, every_file_has_our_bytes))
def it_installs_into_a_clean_environment(published: UploadedRelease) -> Iterator[Observation]:
    """The release installs from the index into a clean environment.

    The environment sees this project on that index alone: it can't come from anywhere else.
    """
    if published.install is not None:
        yield published.install


@check(needs=(it_installs_into_a_clean_environment,))
def what_was_installed_works(published: UploadedRelease) -> Iterator[Observation]:
    """What was installed can be imported and run.

    Tried from a directory where the project's own source can't be imported.
    """
    if not published.trials:
        yield NotApplicable(reason="there is nothing to import or to run")
    for trial in published.trials:
        if trial.problem is not None:
            yield trial.problem


def _there(published: UploadedRelease, filename: str) -> IndexFile | None:
    listing = published.listing
    return None if listing is None or isinstance(listing, Unknown) else listing.file(filename)


def _release(published: UploadedRelease) -> tuple[IndexFile, ...]:
    """What the index lists for the version, or versions, of the files that are expected."""
    listing = published.listing
    if listing is None or isinstance(listing, Unknown):
        return ()
    versions = {version_of(file.filename, listing.name) for file in published.expected} - {None}
    return tuple(file for file in listing.files if version_of(file.filename, listing.name) in versions)


def _page(published: UploadedRelease) -> str:
    listing = published.listing
    name = "" if listing is None or isinstance(listing, Unknown) else f"{listing.name}/"
    return f"{published.index.simple_url}{name}"


#: in the order in which they are run and shown
CHECKS: tuple[Check[UploadedRelease], ...] = (
    the_index_could_be_asked,
    every_file_is_listed,
    every_file_has_our_bytes,
    no_file_is_yanked,
    no_file_is_not_ours,
    the_attestations_hold,
    it_installs_into_a_clean_environment,
    what_was_installed_works,
)
