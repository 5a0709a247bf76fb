"""A published release as its index shows it to everybody, part two: its files, their metadata, their installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from release.acceptance.rule import DESCRIPTIONS
from release.checks import metadata_consistency, published_pages
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import OF_A_FILE
from release.checks.engine import Checklist, quote_some, warn
from release.checks.post_upload import smoke_test_observations
from release.checks.published_pages import the_release_is_visible
from release.core.facts import BuiltFile, InstallTrial, PublishedRelease
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.inspected_file import InspectedFile, parse_version
from release.core.models.project_listing import IndexFile

_CHECKS = Checklist[PublishedRelease]()


@_CHECKS.check(needs=(the_release_is_visible,))
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


@_CHECKS.check(needs=(the_release_is_visible,))
def every_download_is_what_its_page_says(published: PublishedRelease) -> Iterator[Observation]:
    """Every download matches its listing."""
    for listed in published.files:
        file = published.fetched.get(listed.filename)
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
                message=f"{published.index.name} serves different content for {listed.filename!r} than it lists: "
                f"{'; '.join(wrong)}",
                remedy=published_pages.REPORT,
                where=listed.filename,
                cause="post.hash-mismatch",
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def every_file_is_of_the_release(published: PublishedRelease) -> Iterator[Observation]:
    """The metadata of every file names this project and version."""
    for one in _inspected(published):
        same_name = canonicalize_name(one.name) == canonicalize_name(published.project.name)
        same_version = parse_version(one.version) == parse_version(published.project.version)
        if one.metadata and not (same_name and same_version):
            yield Finding(
                message=f"the metadata of {one.filename!r} names {one.name!r} {one.version!r}",
                remedy="yank the release, and release a new version from a clean checkout",
                where=one.filename,
            )


@_CHECKS.check(needs=(the_release_is_visible,))
def the_files_say_the_same(published: PublishedRelease) -> Iterator[Observation]:
    """All files have the same metadata.

    The index shows the metadata of the first file uploaded; installers read that of the file they install. Fields
    that an sdist declares dynamic may differ.
    """
    yield from metadata_consistency.inconsistencies(_inspected(published))


@_CHECKS.check(needs=(the_release_is_visible,), name=DESCRIPTIONS)
def the_published_description_renders(published: PublishedRelease) -> Iterator[Observation]:
    """The description renders on the project page."""
    for one in _inspected(published):
        yield from (finding for name, finding in one.findings if name == DESCRIPTIONS)


@_CHECKS.check(needs=(the_release_is_visible,))
def the_index_would_take_each_file_today(published: PublishedRelease) -> Iterator[Observation]:
    """The index's current rules accept every file.

    Rules get stricter, and what was accepted before stays: a warning, for the next release.
    """
    names = {one.name for one in OF_A_FILE} - {DESCRIPTIONS}
    for one in _inspected(published):
        for name, finding in one.findings:
            if name in names and finding.severity == "block":
                yield replace(finding, severity="warn")


@_CHECKS.check(needs=(every_download_is_what_its_page_says,), name="the-attestations-hold")
def the_published_attestations_hold(published: PublishedRelease) -> Iterator[Observation]:
    """The attestations are valid.

    Each is verified for the downloaded bytes and the publisher that the index names. Source: PEP 740.
    """
    if not published.provenance:
        yield NotApplicable(reason="no file has attestations")
    elif published.verified is None:
        yield warn(
            f"{len(published.provenance)} files have attestations, which cannot be verified here",
            "install the verifier and confirm again: python -m pip install 'pypi-preflight[attest]'",
        )
    else:
        yield from (one for one in published.verified.values() if isinstance(one, Finding | Unknown))


@_CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_wheel_installs_into_a_clean_environment(published: PublishedRelease) -> Iterator[Observation]:
    """The wheel installs into a clean environment.

    The wheel that this interpreter would choose, by URL and hash; its dependencies come from the default index.
    """
    yield from _install_observations(published.wheel)


@_CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment,))
def what_the_wheel_installs_works(published: PublishedRelease) -> Iterator[Observation]:
    """The installed wheel can be imported and run."""
    yield from smoke_test_observations(published.wheel.trials if isinstance(published.wheel, InstallTrial) else ())


@_CHECKS.check(needs=(every_download_is_what_its_page_says,))
def the_sdist_installs_into_a_clean_environment(published: PublishedRelease) -> Iterator[Observation]:
    """The sdist builds in isolation and installs into a clean environment.

    A broken sdist goes unnoticed until a platform without a wheel needs it.
    """
    yield from _install_observations(published.sdist)


@_CHECKS.check(needs=(the_sdist_installs_into_a_clean_environment,))
def what_the_sdist_installs_works(published: PublishedRelease) -> Iterator[Observation]:
    """The installed sdist can be imported and run."""
    yield from smoke_test_observations(published.sdist.trials if isinstance(published.sdist, InstallTrial) else ())


@_CHECKS.check(needs=(the_wheel_installs_into_a_clean_environment, the_sdist_installs_into_a_clean_environment))
def the_sdist_installs_what_the_wheel_does(published: PublishedRelease) -> Iterator[Observation]:
    """The sdist installs every module that the wheel does.

    A module that is missing from the sdist does not break the build: it is simply not installed.
    """
    if missing := sorted(_modules(published.wheel) - _modules(published.sdist)):
        yield Finding(
            message=f"the wheel installs {quote_some(missing)}, and the sdist does not",
            remedy="include it in the sdist, build the wheel from the sdist (python -m build), release a new version",
        )


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
    if not isinstance(file, BuiltFile) or listed.sha256 not in {None, file.sha256}:
        return f"the download of {listed.filename} does not match its listing"
    recorded = published.recorded
    if recorded is not None and getattr(recorded.file(listed.filename), "sha256", None) != file.sha256:
        return f"{listed.filename} is not the file of the release record, so it was not installed"
    return None


CHECKS = (*published_pages.CHECKS, *_CHECKS)
