"""A published release as an index shows it to everybody: its files, their metadata, their installation."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from packaging.utils import canonicalize_name

from release.acceptance.rule import DESCRIPTIONS
from release.checks import metadata_consistency
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import OF_A_FILE
from release.checks.engine import Checklist, quote, quote_some, warn
from release.checks.listed_hashes import hashes_that_differ, of_unproven_bytes
from release.checks.post_upload import yank_findings
from release.checks.smoke_findings import smoke_test_observations
from release.core.facts import BuiltFile, InstallTrial, PublishedRelease
from release.core.models.attestation import Provenance
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.distribution import InspectedFile, parse_version
from release.core.models.file_hashes import has_strong_hash
from release.core.models.index import IndexFile

#: remedy for content that differs from what an index lists
REPORT = "do not install it; notify the project's maintainers and the index's administrators"
CHECKS = Checklist[PublishedRelease]()


@CHECKS.check()
def the_project_is_in_good_standing(published: PublishedRelease) -> Iterator[Observation]:
    """The project is not archived or quarantined.

    Source: PEP 792, "Project status markers".
    """
    name, index, status = published.project.name, published.index.name, published.status
    source = "https://peps.python.org/pep-0792/"
    if status == "quarantined":
        message = f"{name} is {status} on {index}: it cannot be installed"
        remedy = f"see {_page(published)}; if you own the project, contact the index's administrators"
        yield Finding(message=message, remedy=remedy, source=source)
    elif status != "active":
        message = f"{name} is {status} on {index}: further releases are not expected"
        remedy = "look for a successor; an owner can change the status in the project's settings"
        yield warn(message, remedy, source=source)


@CHECKS.check(needs=(the_project_is_in_good_standing,))
def the_release_is_visible(published: PublishedRelease) -> Iterator[Observation]:
    """The release is listed for installers.

    An index responds to an upload before the simple API lists the file; this program has waited a while for it.
    """
    if not published.files:
        release = f"{published.project.name} {published.project.version}"
        yield _not_listed(published, release, uploaded=bool(published.by_json))


@CHECKS.check(needs=(the_release_is_visible,), name="every-file-is-listed")
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
        remedy=f"see {_page(published)}; upload it again if it never arrived: pypi-preflight publish",
        where=what,
    )


@CHECKS.check(needs=(the_release_is_visible,))
def every_listed_file_is_recorded(published: PublishedRelease) -> Iterator[Observation]:
    """Every listed file is in the release record.

    Some installers would choose an extra file, from another machine or another person.
    """
    if published.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for file in published.files:
        if published.recorded.file(file.filename) is None:
            message = f"{file.filename!r} is on {published.index.name}, but not in the release record"
            remedy = "find out who uploaded it; if it was none of the maintainers, delete it on the index's site"
            yield Finding(message=message, remedy=remedy, where=file.filename)


@CHECKS.check(needs=(the_release_is_visible,))
def the_pages_of_the_index_agree(published: PublishedRelease) -> Iterator[Observation]:
    """The simple API and the JSON API agree on every file that both list."""
    if published.by_json is None:
        yield NotApplicable(reason="the JSON API does not have the release")
        return
    by_name = {file.filename: file for file in published.files}
    for file in published.by_json:
        listed = by_name.get(file.filename)
        if listed is not None and None not in {listed.sha256, file.sha256} and listed.sha256 != file.sha256:
            message = (
                f"the SHA-256 of {file.filename!r} is {listed.sha256} in the simple API and {file.sha256} in "
                "the JSON API"
            )
            yield Finding(message=message, remedy=REPORT, where=file.filename, cause="post.representation-skew")


@CHECKS.check(needs=(the_release_is_visible,), name="no-file-is-yanked")
def no_published_file_is_yanked(published: PublishedRelease) -> Iterator[Observation]:
    """No file is yanked.

    Installers ignore a yanked file unless its exact version is requested. Source: PEP 592.
    """
    remedy = "use another version; a maintainer can un-yank it on the index's site"
    yield from yank_findings(published.files, published.index.name, remedy)


@CHECKS.check(needs=(the_release_is_visible,))
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
            remedy = "ask the project's maintainers how those files were uploaded; publish all files in one run"
            yield warn(message, remedy)


def _page(published: PublishedRelease) -> str:
    return f"{published.index.simple_url}{canonicalize_name(published.project.name)}/"


@CHECKS.check(needs=(the_release_is_visible,))
def every_file_has_the_recorded_bytes(published: PublishedRelease) -> Iterator[Observation]:
    """Every download matches the release record.

    The downloads are hashed: file names, and hashes listed by an index, prove nothing.
    """
    if published.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for filename, file in published.fetched.items():
        recorded = published.recorded.file(filename)
        if recorded is None or not isinstance(file, BuiltFile):
            continue
        size = f", {file.size:,} bytes" if recorded.size not in {None, file.size} else ""
        if size or file.sha256 != recorded.sha256:
            yield Finding(
                message=f"{filename!r} is not the file that was released: its SHA-256 is {file.sha256}{size}; the "
                f"record has {recorded.sha256}{f', {recorded.size:,} bytes' if size else ''}",
                remedy="do not use it; yank the release, find out who uploaded that file, release a new version",
                where=filename,
                cause="post.hash-mismatch",
            )


@CHECKS.check(needs=(the_release_is_visible,))
def every_download_is_what_its_page_says(published: PublishedRelease) -> Iterator[Observation]:
    """Every download matches its listing.

    All hashes that the index lists must be those of the bytes, and one of them must be strong: MD5, SHA-1 and SHA-224
    prove nothing.
    """
    for listed in published.files:
        file = published.fetched.get(listed.filename)
        if not isinstance(file, BuiltFile):
            yield file or Unknown(reason=f"{listed.filename!r} was not downloaded", remedy="confirm it again")
            continue
        wrong = hashes_that_differ(listed, file)
        if listed.size not in {None, file.size}:
            wrong.append(f"size {listed.size} is listed, {file.size} was downloaded")
        if wrong and (has_strong_hash(listed.hashes) or listed.size not in {None, file.size}):
            message = (
                f"{published.index.name} serves different content for {listed.filename!r} than it lists: "
                f"{'; '.join(wrong)}"
            )
            yield Finding(message=message, remedy=REPORT, where=listed.filename, cause="post.hash-mismatch")
        elif not has_strong_hash(listed.hashes):
            yield of_unproven_bytes(published.index.name, listed, file, wrong)


@CHECKS.check(needs=(the_release_is_visible,))
def every_file_is_of_the_release(published: PublishedRelease) -> Iterator[Observation]:
    """The metadata of every file names this project and version."""
    for one in _inspected(published):
        same_name = canonicalize_name(one.name) == canonicalize_name(published.project.name)
        same_version = parse_version(one.version) == parse_version(published.project.version)
        if one.metadata and not (same_name and same_version):
            message = f"the metadata of {one.filename!r} names {one.name!r} {one.version!r}"
            remedy = "yank the release, and release a new version from a clean checkout"
            yield Finding(message=message, remedy=remedy, where=one.filename)


@CHECKS.check(needs=(the_release_is_visible,))
def the_files_say_the_same(published: PublishedRelease) -> Iterator[Observation]:
    """All files have the same metadata.

    The index shows the metadata of the first file uploaded; installers read that of the file they install. Fields
    that an sdist declares dynamic may differ.
    """
    yield from metadata_consistency.inconsistencies(_inspected(published))


@CHECKS.check(needs=(the_release_is_visible,), name=DESCRIPTIONS)
def the_published_description_renders(published: PublishedRelease) -> Iterator[Observation]:
    """The description renders on the project page."""
    for one in _inspected(published):
        yield from (finding for name, finding in one.findings if name == DESCRIPTIONS)


@CHECKS.check(needs=(the_release_is_visible,))
def the_index_would_take_each_file_today(published: PublishedRelease) -> Iterator[Observation]:
    """The index's current rules accept every file.

    Rules get stricter, and what was accepted before stays: a warning, for the next release.
    """
    names = {one.name for one in OF_A_FILE} - {DESCRIPTIONS}
    for one in _inspected(published):
        for name, finding in one.findings:
            if name in names and finding.severity == "block":
                yield replace(finding, severity="warn")


@CHECKS.check(needs=(every_download_is_what_its_page_says,), name="the-attestations-hold")
def the_published_attestations_hold(published: PublishedRelease) -> Iterator[Observation]:
    """The attestations are valid.

    Each is verified for the downloaded bytes and the publisher that the index names. Source: PEP 740.
    """
    if not published.provenance:
        yield NotApplicable(reason="no file has attestations")
    elif published.verified is None:
        message = f"{len(published.provenance)} files have attestations, which cannot be verified here"
        yield warn(message, "install the verifier and confirm again: python -m pip install 'pypi-preflight[attest]'")
    else:
        yield from (one for one in published.verified.values() if isinstance(one, Finding | Unknown))


@CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_wheel_installs_into_a_clean_environment(published: PublishedRelease) -> Iterator[Observation]:
    """The wheel installs into a clean environment.

    The wheel that this interpreter would choose, by URL and hash; its dependencies come from the default index.
    """
    yield from _install_observations(published.wheel)


@CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment,))
def what_the_wheel_installs_works(published: PublishedRelease) -> Iterator[Observation]:
    """The installed wheel can be imported and run."""
    trials = published.wheel.trials if isinstance(published.wheel, InstallTrial) else ()
    yield from smoke_test_observations(trials, check=what_the_wheel_installs_works.name)


@CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_sdist_installs_into_a_clean_environment(published: PublishedRelease) -> Iterator[Observation]:
    """The sdist builds in isolation and installs into a clean environment.

    A broken sdist goes unnoticed until a platform without a wheel needs it.
    """
    yield from _install_observations(published.sdist)


@CHECKS.check(needs=(the_sdist_installs_into_a_clean_environment,))
def what_the_sdist_installs_works(published: PublishedRelease) -> Iterator[Observation]:
    """The installed sdist can be imported and run."""
    trials = published.sdist.trials if isinstance(published.sdist, InstallTrial) else ()
    yield from smoke_test_observations(trials, check=what_the_sdist_installs_works.name)


@CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment, the_sdist_installs_into_a_clean_environment))
def the_sdist_installs_what_the_wheel_does(published: PublishedRelease) -> Iterator[Observation]:
    """The sdist installs every module that the wheel does.

    A module that is missing from the sdist does not break the build: it is simply not installed.
    """
    if missing := sorted(_modules(published.wheel) - _modules(published.sdist)):
        remedy = "include it in the sdist, build the wheel from the sdist (python -m build), release a new version"
        yield Finding(message=f"the wheel installs {quote_some(missing)}, and the sdist does not", remedy=remedy)


def _modules(trial: InstallTrial | Unknown | NotApplicable | None) -> set[str]:
    return {path for path in trial.files if path.endswith(".py")} if isinstance(trial, InstallTrial) else set()


def _install_observations(trial: InstallTrial | Unknown | NotApplicable | None) -> Iterator[Observation]:
    if trial is None:
        yield NotApplicable(reason="it was not installed")
    elif not isinstance(trial, InstallTrial):
        yield trial
    elif trial.install is not None:
        yield trial.install


def _inspected(published: PublishedRelease) -> tuple[InspectedFile, ...]:
    return inspect_built_files(published.built) if published.built is not None else ()


def refuse_install(published: PublishedRelease, listed: IndexFile) -> str | None:
    """Why a file must not be installed on this machine; None where its bytes are the expected ones."""
    file = published.fetched.get(listed.filename)
    if not isinstance(file, BuiltFile) or hashes_that_differ(listed, file):
        return f"the download of {listed.filename} does not match its listing"
    if not has_strong_hash(listed.hashes):
        return f"the index lists no hash that proves the bytes of {listed.filename}, so it was not installed"
    recorded = published.recorded
    if recorded is not None and getattr(recorded.file(listed.filename), "sha256", None) != file.sha256:
        return f"{listed.filename} is not the file of the release record, so it was not installed"
    return None
