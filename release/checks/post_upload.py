"""The last checklist of a run: what an index shows of the release that was uploaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from release.checks.engine import Checklist, quote, warn
from release.checks.smoke_findings import smoke_test_observations
from release.core.facts import UploadedRelease
from release.core.models.attestation import VerifiedAttestations
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.index import IndexFile, ProjectListing, version_of
from release.core.shell import quote_word

CHECKS = Checklist[UploadedRelease]()


@CHECKS.check()
def the_index_could_be_asked(uploaded: UploadedRelease) -> Iterator[Observation]:
    """The index responds.

    Everything that follows is read from the simple API, which installers read.
    """
    if isinstance(uploaded.listing, Unknown):
        yield uploaded.listing


@CHECKS.check(needs=(the_index_could_be_asked,))
def every_file_is_listed(uploaded: UploadedRelease) -> Iterator[Observation]:
    """Every file is listed on the index.

    An index responds to an upload before it lists the file; the run has waited for that.
    """
    index, listing = uploaded.index.name, uploaded.listing
    page = uploaded.index.simple_url + (f"{listing.name}/" if isinstance(listing, ProjectListing) else "")
    for name in (file.filename for file in uploaded.expected if _listed(uploaded, file.filename) is None):
        if name in uploaded.accepted:
            message = f"{index} accepted {name!r}, but does not list it yet"
            remedy = f"see {page}, and confirm again later: {_confirm_command(index, name)}"
            cause = "post.index-lag"
        else:
            message = f"{index} does not have {name!r}, and is not known to have accepted it"
            remedy = f"see {page}, and resume the upload: it compares hashes and sends what is missing"
            cause = "file.partial-release"
        yield Finding(message=message, remedy=remedy, where=name, cause=cause)


def _confirm_command(index: str, filename: str) -> str:
    """Confirms the release of a file, in any directory: a set has none of its own."""
    try:
        if filename.endswith(".whl"):
            name, version = parse_wheel_filename(filename)[:2]
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return "pypi-preflight confirm"
    return f"pypi-preflight confirm {name}=={version} --index {quote_word(index)}"


@CHECKS.check(needs=(the_index_could_be_asked,))
def every_file_has_our_bytes(uploaded: UploadedRelease) -> Iterator[Observation]:
    """Every file has the SHA-256 that was built.

    File names prove nothing: the SHA-256 of what was built is compared with the one that installers check.
    """
    for file in uploaded.expected:
        listed = _listed(uploaded, file.filename)
        if listed is None or listed.sha256 == file.sha256:
            continue
        if listed.sha256 is None:
            yield Unknown(
                reason=f"{uploaded.index.name} gives no SHA-256 for {file.filename!r}",
                remedy=f"download {listed.url} and compare its SHA-256 with {file.sha256}",
                cause="post.no-strong-hash",
            )
            continue
        yield Finding(
            message=f"{uploaded.index.name} has different content for {file.filename!r}: its SHA-256 is "
            f"{listed.sha256}, that of the built file {file.sha256}",
            remedy="yank this release and find out who uploaded that file; then release a new version",
            where=file.filename,
            cause="post.hash-mismatch",
        )


@CHECKS.check(needs=(the_index_could_be_asked,))
def no_file_is_yanked(uploaded: UploadedRelease) -> Iterator[Observation]:
    """No file is yanked.

    Installers ignore a yanked file unless its exact version is requested. Source: PEP 592.
    """
    listed = [_listed(uploaded, file.filename) for file in uploaded.expected]
    remedy = "un-yank the release on the index's site, or release a new version"
    yield from yank_findings([file for file in listed if file is not None], uploaded.index.name, remedy)


def yank_findings(files: Sequence[IndexFile], index: str, remedy: str) -> Iterator[Finding]:
    """A finding if any of the files is yanked."""
    yanked = [file for file in files if file.yanked is not None]
    reasons = sorted({file.yanked for file in yanked if file.yanked})
    if yanked:
        whole = len(yanked) == len(files) > 1
        what = "the whole release" if whole else quote(file.filename for file in yanked)
        reason = f": {quote(reasons)}" if reasons else ", without a reason"
        yield Finding(
            message=f"{what} {'is' if whole or len(yanked) == 1 else 'are'} yanked on {index}{reason}",
            remedy=remedy,
            where=yanked[0].filename if len(yanked) == 1 else None,
            source="https://peps.python.org/pep-0592/",
        )


@CHECKS.check(needs=(the_index_could_be_asked,))
def no_file_is_not_ours(uploaded: UploadedRelease) -> Iterator[Observation]:
    """No unexpected files in the release.

    Some installers would choose another file of the same version, from an earlier build or another machine.
    """
    listing = uploaded.listing
    if not isinstance(listing, ProjectListing):
        return
    ours = {file.filename for file in uploaded.expected}
    versions = {version_of(filename, listing.name) for filename in ours} - {None}
    for listed in listing.files:
        if listed.filename not in ours and version_of(listed.filename, listing.name) in versions:
            yield warn(
                f"{uploaded.index.name} lists {listed.filename!r} for this version, but this build did not make it",
                "delete that file on the index's site, unless someone of the project uploaded it on purpose",
                listed.filename,
            )


@CHECKS.check(needs=(every_file_is_listed, every_file_has_our_bytes))
def the_attestations_hold(uploaded: UploadedRelease) -> Iterator[Observation]:
    """The attestations are valid.

    The index shows those that were sent; each is verified for these bytes and the publisher it names.
    Source: PEP 740.
    """
    if not uploaded.attested:
        yield NotApplicable(reason="no file was uploaded with attestations")
    yield from (one for one in uploaded.attested.values() if not isinstance(one, VerifiedAttestations))


@CHECKS.check(needs=(every_file_is_listed, every_file_has_our_bytes))
def it_installs_into_a_clean_environment(uploaded: UploadedRelease) -> Iterator[Observation]:
    """The release installs into a clean environment.

    The environment can install this project only from that index.
    """
    if uploaded.install is not None:
        yield uploaded.install


@CHECKS.check(needs=(it_installs_into_a_clean_environment,))
def what_was_installed_works(uploaded: UploadedRelease) -> Iterator[Observation]:
    """The installed release can be imported and run.

    Tested from a directory where the project's own source cannot be imported.
    """
    yield from smoke_test_observations(
        uploaded.trials, check=what_was_installed_works.name, source=uploaded.source_tree,
        waived=uploaded.waived,
    )  # fmt: skip


def _listed(uploaded: UploadedRelease, filename: str) -> IndexFile | None:
    return uploaded.listing.file(filename) if isinstance(uploaded.listing, ProjectListing) else None
