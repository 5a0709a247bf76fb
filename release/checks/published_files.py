"""A release as anybody sees it, second part: the files that come, what they say, and whether they install and work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.checks import acceptance_remedies, metadata_consistency, published_pages
from release.checks.archive_warnings import some
from release.checks.distribution_reader import Examined, examined
from release.checks.distributions import OF_A_FILE
from release.checks.engine import Check, check
from release.checks.published_pages import the_release_is_visible
from release.core.facts import BuiltFile, InstallTrial, PublishedRelease
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.project_listing import IndexFile


@check(needs=(the_release_is_visible,))
def every_file_has_the_recorded_bytes(outside: PublishedRelease) -> Iterator[Observation]:
    """Every file that comes has the size and the SHA-256 of the record.

    What comes is hashed: names, and what a page says, prove nothing.
    """
    if outside.recorded is None:
        yield NotApplicable(reason="there is no record of the release")
        return
    for filename, came in _came(outside):
        wanted = outside.recorded.file(filename)
        if wanted is None:
            continue
        size = f", {came.size:,} bytes" if wanted.size not in {None, came.size} else ""
        if size or came.sha256 != wanted.sha256:
            yield Finding(
                message=f"{filename!r} is not what was released: SHA-256 {came.sha256}{size}; the record has "
                f"{wanted.sha256}{f', {wanted.size:,} bytes' if size else ''}",
                remedy="do not use it; yank the release, find out who uploaded that file, release a new version",
                where=filename,
                cause="post.hash-mismatch",
            )


@check(needs=(the_release_is_visible,))
def every_download_is_what_its_page_says(outside: PublishedRelease) -> Iterator[Observation]:
    """Every file that comes has the size and the SHA-256 that its page gives."""
    for file in outside.files:
        came = outside.fetched.get(file.filename)
        if isinstance(came, Unknown):
            yield came
        if not isinstance(came, BuiltFile):
            continue
        said = [
            f"{what} {there}, and {here} came"
            for what, there, here in (("SHA-256", file.sha256, came.sha256), ("size", file.size, came.size))
            if there not in {None, here}
        ]
        if said:
            yield Finding(
                message=f"{outside.index.name} serves other bytes for {file.filename!r} than it lists: "
                f"{'; '.join(said)}",
                remedy=published_pages.OTHERS,
                where=file.filename,
                cause="post.hash-mismatch",
            )


@check(needs=(the_release_is_visible,))
def every_file_is_of_the_release(outside: PublishedRelease) -> Iterator[Observation]:
    """The metadata in every file names the project and the version that its file name does."""
    for one in _examined(outside):
        same = canonicalize_name(one.name) == canonicalize_name(outside.project.name)
        if one.metadata and not (same and _version(one.version) == _version(outside.project.version)):
            yield Finding(
                message=f"{one.filename!r} calls itself {one.name!r} {one.version!r}",
                remedy="yank the release, and release a new version from a clean checkout",
                where=one.filename,
            )


@check(needs=(the_release_is_visible,))
def the_files_say_the_same(outside: PublishedRelease) -> Iterator[Observation]:
    """The files of the release have the same metadata.

    The index shows what the file that came first says; installers read that of the file they take. What an
    sdist declares dynamic may differ.
    """
    yield from metadata_consistency.differences(_examined(outside))


@check(needs=(the_release_is_visible,))
def the_description_renders(outside: PublishedRelease) -> Iterator[Observation]:
    """The description renders on the project's page."""
    for one in _examined(outside):
        yield from (finding for name, finding in one.findings if name == acceptance_remedies.DESCRIPTION)


@check(needs=(the_release_is_visible,))
def the_index_would_take_each_file_today(outside: PublishedRelease) -> Iterator[Observation]:
    """The index would take every file by its rules of today.

    Rules grow stricter, and what was taken stays: a warning, for the next release.
    """
    asked = {one.name for one in OF_A_FILE} - {acceptance_remedies.DESCRIPTION}
    for one in _examined(outside):
        for name, finding in one.findings:
            if name in asked and finding.severity == "block":
                yield replace(finding, severity="warn")


@check(needs=(every_download_is_what_its_page_says,))
def the_attestations_hold(outside: PublishedRelease) -> Iterator[Observation]:
    """Every attestation is of the bytes that came, signed by the publisher that the index names.

    Source: PEP 740.
    """
    if not outside.provenance:
        yield NotApplicable(reason="no file has attestations")
    elif outside.verified is None:
        yield Finding(
            message=f"{len(outside.provenance)} files have attestations, and nobody has verified them here",
            remedy="install what verifies them, and confirm again: python -m pip install 'pypi-preflight[attest]'",
            severity="warn",
        )
    else:
        yield from (said for said in outside.verified.values() if isinstance(said, Finding | Unknown))


@check(needs=(every_download_is_what_its_page_says,))
def the_wheel_installs_into_a_clean_environment(outside: PublishedRelease) -> Iterator[Observation]:
    """The wheel installs into a clean environment.

    The one that this interpreter would choose: that very file, by address and hash; its dependencies come from
    the ordinary index.
    """
    yield from _install(outside.wheel)


@check(needs=(the_wheel_installs_into_a_clean_environment,))
def what_the_wheel_installs_works(outside: PublishedRelease) -> Iterator[Observation]:
    """What the wheel installs can be imported and run."""
    yield from _trials(outside.wheel)


@check(needs=(every_download_is_what_its_page_says,))
def the_sdist_installs_into_a_clean_environment(outside: PublishedRelease) -> Iterator[Observation]:
    """The sdist builds in isolation, and installs into a clean environment.

    Nobody notices one that does not, until a platform without a wheel asks for it.
    """
    yield from _install(outside.sdist)


@check(needs=(the_sdist_installs_into_a_clean_environment,))
def what_the_sdist_installs_works(outside: PublishedRelease) -> Iterator[Observation]:
    """What the sdist installs can be imported and run."""
    yield from _trials(outside.sdist)


@check(needs=(the_wheel_installs_into_a_clean_environment, the_sdist_installs_into_a_clean_environment))
def the_sdist_installs_what_the_wheel_does(outside: PublishedRelease) -> Iterator[Observation]:
    """The sdist installs every module that the wheel does.

    A module that was never packed into the sdist fails no build: it is simply not there.
    """
    wheel, sdist = _modules(outside.wheel), _modules(outside.sdist)
    if absent := sorted(wheel - sdist):
        yield Finding(
            message=f"the wheel installs {some(absent)}, and the sdist does not",
            remedy="pack it into the sdist, build the wheel from the sdist (python -m build), release a new version",
        )


def _modules(tried: InstallTrial | Unknown | NotApplicable | None) -> set[str]:
    return {path for path in tried.files if path.endswith(".py")} if isinstance(tried, InstallTrial) else set()


def _install(tried: InstallTrial | Unknown | NotApplicable | None) -> Iterator[Observation]:
    if tried is None:
        yield NotApplicable(reason="it was not tried")
    elif not isinstance(tried, InstallTrial):
        yield tried
    elif tried.install is not None:
        yield tried.install


def _trials(tried: InstallTrial | Unknown | NotApplicable | None) -> Iterator[Observation]:
    trials = tried.trials if isinstance(tried, InstallTrial) else ()
    if not trials:
        yield NotApplicable(reason="there is nothing to import or to run")
    yield from (trial.problem for trial in trials if trial.problem is not None)


def _came(outside: PublishedRelease) -> Iterator[tuple[str, BuiltFile]]:
    yield from ((name, came) for name, came in outside.fetched.items() if isinstance(came, BuiltFile))


def _examined(outside: PublishedRelease) -> tuple[Examined, ...]:
    return examined(outside.built) if outside.built is not None else ()


def _version(text: str) -> Version | str:
    try:
        return Version(text)
    except InvalidVersion:
        return text


def installable(outside: PublishedRelease, file: IndexFile) -> str | None:
    """Why a file shall not be run on this machine; None where its bytes are those that they should be."""
    came = outside.fetched.get(file.filename)
    if not isinstance(came, BuiltFile) or file.sha256 not in {None, came.sha256}:
        return f"{file.filename} did not come as its page says"
    recorded = outside.recorded
    if recorded is not None and getattr(recorded.file(file.filename), "sha256", None) != came.sha256:
        return f"{file.filename} is not the file of the record, and was not run"
    return None


#: in the order in which they are run and shown
CHECKS: tuple[Check[PublishedRelease], ...] = (
    *published_pages.CHECKS,
    every_file_has_the_recorded_bytes,
    every_download_is_what_its_page_says,
    every_file_is_of_the_release,
    the_files_say_the_same,
    the_description_renders,
    the_index_would_take_each_file_today,
    the_attestations_hold,
    the_wheel_installs_into_a_clean_environment,
    what_the_wheel_installs_works,
    the_sdist_installs_into_a_clean_environment,
    what_the_sdist_installs_works,
    the_sdist_installs_what_the_wheel_does,
)
