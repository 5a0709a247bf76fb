"""A published release as its index shows it to everybody, part two: its files, their metadata, their installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from release.acceptance.rule import DESCRIPTIONS
from release.checks import metadata_consistency, published_pages
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import OF_A_FILE
from release.checks.engine import Checklist
from release.checks.post_upload import smoke_test_observations
from release.checks.published_pages import the_release_is_visible
from release.checks.wording import quote_some, warn
from release.core.facts import BuiltFile, InstallTrial, PublishedRelease
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.inspected_file import InspectedFile, parse_version
from release.core.models.project_listing import IndexFile

_CHECKS = Checklist[PublishedRelease]()


@_CHECKS.check(needs=(the_release_is_visible,))
def every_file_has_the_recorded_bytes(outside: PublishedRelease) -> Iterator[Observation]:
    """Every download matches the release record.

    The downloads are hashed: file names, and hashes listed by an index, prove nothing.
    """
    if outside.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for filename, file in outside.fetched.items():
        recorded = outside.recorded.file(filename)
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


@_CHECKS.check(needs=(the_release_is_visible,))
def every_download_is_what_its_page_says(outside: PublishedRelease) -> Iterator[Observation]:
    """Every download matches its listing."""
    for listed in outside.files:
        file = outside.fetched.get(listed.filename)
        if isinstance(file, Unknown):
            yield file
        if not isinstance(file, BuiltFile):
            continue
        wrong = [
            f"{what} {expected} is listed, {actual} was downloaded"
            for what, expected, actual in (("SHA-256", listed.sha256, file.sha256), ("size", listed.size, file.size))
            if expected not in {None, actual}
        ]
        if wrong:
            yield Finding(
                message=f"{outside.index.name} serves different content for {listed.filename!r} than it lists: "
                f"{'; '.join(wrong)}",
                remedy=published_pages.REPORT,
                where=listed.filename,
                cause="post.hash-mismatch",
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def every_file_is_of_the_release(outside: PublishedRelease) -> Iterator[Observation]:
    """The metadata of every file names this project and version."""
    for one in _inspected(outside):
        same_name = canonicalize_name(one.name) == canonicalize_name(outside.project.name)
        same_version = parse_version(one.version) == parse_version(outside.project.version)
        if one.metadata and not (same_name and same_version):
            yield Finding(
                message=f"the metadata of {one.filename!r} names {one.name!r} {one.version!r}",
                remedy="yank the release, and release a new version from a clean checkout",
                where=one.filename,
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def the_files_say_the_same(outside: PublishedRelease) -> Iterator[Observation]:
    """All files have the same metadata.

    The index shows the metadata of the first file uploaded; installers read that of the file they install. Fields
    that an sdist declares dynamic may differ.
    """
    yield from metadata_consistency.inconsistencies(_inspected(outside))


@_CHECKS.check(needs=(the_release_is_visible,), name=DESCRIPTIONS)
def the_published_description_renders(outside: PublishedRelease) -> Iterator[Observation]:
    """The description renders on the project page."""
    for one in _inspected(outside):
        yield from (finding for name, finding in one.findings if name == DESCRIPTIONS)


@_CHECKS.check(needs=(the_release_is_visible,))
def the_index_would_take_each_file_today(outside: PublishedRelease) -> Iterator[Observation]:
    """The index's current rules accept every file.

    Rules get stricter, and what was accepted before stays: a warning, for the next release.
    """
    names = {one.name for one in OF_A_FILE} - {DESCRIPTIONS}
    for one in _inspected(outside):
        for name, finding in one.findings:
            if name in names and finding.severity == "block":
                yield replace(finding, severity="warn")


@_CHECKS.check(needs=(every_download_is_what_its_page_says,), name="the-attestations-hold")
def the_published_attestations_hold(outside: PublishedRelease) -> Iterator[Observation]:
    """The attestations are valid.

    Each is verified for the downloaded bytes and the publisher that the index names. Source: PEP 740.
    """
    if not outside.provenance:
        yield NotApplicable(reason="no file has attestations")
    elif outside.verified is None:
        yield warn(
            f"{len(outside.provenance)} files have attestations, which cannot be verified here",
            "install the verifier and confirm again: python -m pip install 'pypi-preflight[attest]'",
        )
    else:
        yield from (one for one in outside.verified.values() if isinstance(one, Finding | Unknown))


@_CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_wheel_installs_into_a_clean_environment(outside: PublishedRelease) -> Iterator[Observation]:
    """The wheel installs into a clean environment.

    The wheel that this interpreter would choose, by URL and hash; its dependencies come from the default index.
    """
    yield from _install_observations(outside.wheel)


@_CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment,))
def what_the_wheel_installs_works(outside: PublishedRelease) -> Iterator[Observation]:
    """The installed wheel can be imported and run."""
    yield from smoke_test_observations(outside.wheel.trials if isinstance(outside.wheel, InstallTrial) else ())


@_CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_sdist_installs_into_a_clean_environment(outside: PublishedRelease) -> Iterator[Observation]:
    """The sdist builds in isolation and installs into a clean environment.

    A broken sdist goes unnoticed until a platform without a wheel needs it.
    """
    yield from _install_observations(outside.sdist)


@_CHECKS.check(needs=(the_sdist_installs_into_a_clean_environment,))
def what_the_sdist_installs_works(outside: PublishedRelease) -> Iterator[Observation]:
    """The installed sdist can be imported and run."""
    yield from smoke_test_observations(outside.sdist.trials if isinstance(outside.sdist, InstallTrial) else ())


@_CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment, the_sdist_installs_into_a_clean_environment))
def the_sdist_installs_what_the_wheel_does(outside: PublishedRelease) -> Iterator[Observation]:
    """The sdist installs every module that the wheel does.

    A module that is missing from the sdist does not break the build: it is simply not installed.
    """
    if missing := sorted(_modules(outside.wheel) - _modules(outside.sdist)):
        yield Finding(
            message=f"the wheel installs {quote_some(missing)}, and the sdist does not",
            remedy="include it in the sdist, build the wheel from the sdist (python -m build), release a new version",
        )


def _modules(tried: InstallTrial | Unknown | NotApplicable | None) -> set[str]:
    return {path for path in tried.files if path.endswith(".py")} if isinstance(tried, InstallTrial) else set()


def _install_observations(tried: InstallTrial | Unknown | NotApplicable | None) -> Iterator[Observation]:
    if tried is None:
        yield NotApplicable(reason="it was not installed")
    elif not isinstance(tried, InstallTrial):
        yield tried
    elif tried.install is not None:
        yield tried.install


def _inspected(outside: PublishedRelease) -> tuple[InspectedFile, ...]:
    return inspect_built_files(outside.built) if outside.built is not None else ()


def refuse_install(outside: PublishedRelease, listed: IndexFile) -> str | None:
    """Why a file must not be installed on this machine; None where its bytes are the expected ones."""
    file = outside.fetched.get(listed.filename)
    if not isinstance(file, BuiltFile) or listed.sha256 not in {None, file.sha256}:
        return f"the download of {listed.filename} does not match its listing"
    recorded = outside.recorded
    if recorded is not None and getattr(recorded.file(listed.filename), "sha256", None) != file.sha256:
        return f"{listed.filename} is not the file of the release record, so it was not installed"
    return None


CHECKS = (*published_pages.CHECKS, *_CHECKS)
