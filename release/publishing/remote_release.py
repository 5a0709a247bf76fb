"""Fetches a published release from its index, installs it in clean environments, and runs smoke tests.

It waits until the index lists what was uploaded: its pages lag behind its responses. It needs neither the project nor
its journal, and uploads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from functools import partial
from pathlib import Path

from msgspec.structs import replace
from packaging.version import Version

from release.adapters import collect, sigstore
from release.adapters.http.kept_sessions import KeptSessions
from release.adapters.index import json_api
from release.adapters.install import installer, interpreters, smoke_tests, venv
from release.adapters.install.unreleased import ExplainMissing
from release.adapters.install.venv import Environment
from release.adapters.system.parallel import run_jobs
from release.adapters.system.system import System
from release.checks.distribution_reader import inspect_in_turn
from release.checks.published_release import refuse_install
from release.core.errors import RefusedError, ToolError, UnreachableError
from release.core.events import Observer, Progress
from release.core.facts import BuiltFile, InstallTrial, ProjectMetadata, PublishedRelease
from release.core.models.attestation import Provenance
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.distribution import ReleaseManifest
from release.core.models.index import Index, IndexFile, ProjectListing, files_by_release, version_of
from release.core.models.smoke_test import SmokeTest, SmokeTestResult
from release.core.plan import SANDBOX
from release.core.time_text import format_duration
from release.publishing import attest
from release.publishing.fetched_files import FetchedFiles

#: seconds until the simple API must list what is known to be uploaded
DEADLINE = 60.0
#: concurrent downloads
_DOWNLOADS = 4
#: versions that are suggested below and above a missing one
_NEIGHBOURS = 2
#: seconds until an index must list an upload; PyPI's pages have lagged more than 10 minutes
LAG = 30 * 60.0
#: seconds for an index on this machine, where no cache is in between
LOOPBACK_LAG = 10.0
#: seconds; the first pause, which doubles, and the longest
_PAUSE, _LONGEST = 1.0, 30.0


def fetch_release(  # noqa: PLR0913 - a release and its index
    system: System,
    index: Index,
    project: ProjectMetadata,
    recorded: ReleaseManifest | None,
    *,
    scratch: Path,
    notify: Observer,
    install: Callable[[System, PublishedRelease], PublishedRelease] | None = None,
) -> PublishedRelease:
    """The release as its index shows it, with each file fetched into `scratch`, and inspected.

    `recorded` is what it should be. `install` is called with the release as listed while its files are downloaded, and
    returns it with the trials; without, none of its code is run. Raises `UnreachableError` where the index does not
    answer, `RefusedError` where it has no such project or release.
    """
    with closing(KeptSessions()) as sessions, sessions.used_here():
        release = _fetch_listing(system, index, project, recorded, notify)
        files = FetchedFiles(release.files, into=scratch, notify=notify)
        release = _inspect_and_install(system, replace(release, fetched=files), files, sessions, install)
        provenance = _fetch_provenance(system, index, project, release.files, sessions)
    verified = None
    if sigstore.is_installed():
        verified = {
            file.filename: attest.verify_provenance(system, index, file, found)
            for file, _ in files.downloaded()
            if isinstance(found := provenance.get(file.filename), Provenance)
        }
    return replace(release, fetched=dict(files), provenance=provenance, verified=verified)


def _inspect_and_install(
    system: System,
    release: PublishedRelease,
    files: FetchedFiles,
    sessions: KeptSessions,
    install: Callable[[System, PublishedRelease], PublishedRelease] | None,
) -> PublishedRelease:
    """Inspect and install the files while others are downloaded."""
    built = collect.collect_built(system, (), release.project)

    def download(_: System) -> PublishedRelease:
        files.download(sessions)
        return release

    def inspect(_: System) -> PublishedRelease:
        inspect_in_turn(built, (file for _, file in files.downloaded()))
        return release

    def try_it(system: System) -> PublishedRelease:
        return install(system, release) if install else release

    jobs = [*[download] * _DOWNLOADS, inspect, try_it]
    *_, tried = run_jobs(system, jobs, workers=len(jobs), stop_jobs=files.give_up)
    return replace(tried, built=replace(built, files=tuple(file for _, file in files.downloaded())))


# -- the index --------------------------------------------------------------------------------------


def _fetch_listing(
    system: System, index: Index, project: ProjectMetadata, recorded: ReleaseManifest | None, notify: Observer
) -> PublishedRelease:
    try:
        by_json = json_api.fetch_release_files(index, project.name, project.version)
    except UnreachableError:  # the simple API is used in any case
        by_json = None
    expected = {file.filename for file in by_json or ()}
    expected |= {file.filename for file in (recorded.files if recorded else ())}
    within = LOOPBACK_LAG if index.loopback else DEADLINE
    listing, waited = wait_until_listed(system, notify, index, project, expected, within=within)
    if isinstance(listing, Unknown):
        raise UnreachableError(listing.reason, remedy=listing.remedy, cause=listing.cause)
    files = files_by_release(listing).get(Version(project.version), ())
    quarantined = listing is not None and listing.status == "quarantined"
    if not files and not by_json and not quarantined and (listing is None or recorded is None):
        raise _no_release(index, project, listing)
    return PublishedRelease(
        index=index, project=project, status=listing.status if listing else "active", files=files,
        waited=waited, recorded=recorded, by_json=by_json,
    )  # fmt: skip


def wait_until_listed(  # noqa: PLR0913 - an index, a release, and a limit
    system: System, notify: Observer, index: Index, project: ProjectMetadata, filenames: AbstractSet[str], *,
    within: float | None = None,
) -> tuple[ProjectListing | Unknown | None, float]:  # fmt: skip
    """Fetch the listing, past caches, until it has every file, or for `within` seconds; None: the index's usual lag.

    The listing (None: no such project; `Unknown`: the index does not answer), and the seconds waited. The JSON API is
    not used, since its 404s are cached for long. The wait ends early for a quarantined project.
    """
    limit = within if within is not None else LOOPBACK_LAG if index.loopback else LAG
    waited, pause = 0.0, _PAUSE
    while True:
        found = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(found, Unknown):
            return found, waited
        missing = filenames - {file.filename for file in (found.files if found else ())}
        if not missing or waited >= limit or (found is not None and found.status == "quarantined"):
            return found, waited
        wait = f"{format_duration(waited)} of at most {format_duration(limit)}"
        text = f"waiting for {index.name} to list {project.name} {project.version} ({wait})"
        notify(Progress(text=text, done=waited, total=limit, unit="seconds"))
        system.sleep(pause)
        waited, pause = waited + pause, min(pause * 2, _LONGEST)


def _no_release(index: Index, project: ProjectMetadata, listing: ProjectListing | None) -> RefusedError:
    versions = sorted(files_by_release(listing))
    if listing is None:
        return RefusedError(
            f"{index.name} has no project {project.name!r}",
            remedy=f"check the spelling and the index, {index.simple_url}; --index NAME selects another one",
        )
    if not versions:
        return RefusedError(
            f"{project.name} has no releases on {index.name}",
            remedy="if one was just uploaded, wait a few minutes and confirm it again; do not upload it again",
        )
    version = Version(project.version)
    near = [one for one in versions if one < version][-_NEIGHBOURS:]
    near += [one for one in versions if one > version][:_NEIGHBOURS]
    return RefusedError(
        f"{project.name} has no release {project.version!r} on {index.name}; the nearest are "
        f"{', '.join(map(str, near))}",
        remedy="name one of these; if it was just uploaded, wait a few minutes and confirm it again",
    )


# -- the files --------------------------------------------------------------------------------------


def _fetch_provenance(
    system: System, index: Index, project: ProjectMetadata, files: Iterable[IndexFile], sessions: KeptSessions
) -> dict[str, Provenance | Unknown]:
    """The provenance of each file that is listed with one."""

    def fetch(_: System, filename: str) -> Provenance | Unknown:
        version = version_of(filename, project.name)
        try:
            with sessions.used_here():
                found = json_api.fetch_provenance(index, project.name, str(version), filename)
        except UnreachableError as error:
            return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
        return found or Unknown(
            reason=f"{filename!r} is listed with a provenance, which {index.name} does not have",
            remedy="confirm it again in a few minutes; if that fails, contact the administrators of the index",
        )

    names = [file.filename for file in files if file.provenance is not None]
    found = run_jobs(system, [partial(fetch, filename=name) for name in names], workers=_DOWNLOADS)
    return dict(zip(names, found, strict=True))


# -- clean environments -----------------------------------------------------------------------------


def install_and_test(
    system: System,
    release: PublishedRelease,
    *,
    scratch: Path,
    notify: Observer,
    wanted: Sequence[SmokeTest] | None = None,
) -> PublishedRelease:
    """Install the wheel and the sdist, each into its own environment, and run smoke tests.

    A file whose content is not the expected one is not installed. `wanted`: the smoke tests; None: the defaults.
    """
    wheels = [file for file in release.files if file.filename.endswith(".whl")]
    sdist = next((file for file in release.files if file.filename.endswith((".tar.gz", ".zip"))), None)
    system = _with_required_python(system, release.files)
    chosen = venv.best_file((file.filename for file in wheels), interpreters.chosen_interpreter(system))
    wheel = next((file for file in wheels if file.filename == chosen), None)
    no_wheel = "the release has no wheel for this interpreter" if wheels else "the release has no wheel"

    def trial(system: System, file: IndexFile | None, kind: str, absent: str) -> InstallTrial | NotApplicable:
        fetched = release.fetched.get(file.filename) if file else None
        reason = refuse_install(release, file) if file else absent
        if file is None or reason is not None or not isinstance(fetched, BuiltFile) or fetched.sha256 is None:
            return NotApplicable(reason=reason or absent)
        try:
            clean = venv.create_environment(system, scratch / f"environment-{kind}")
            on_index = replace(file, sha256=fetched.sha256)
            problem, trials = install_file_and_test(
                system, clean, release.project, on_index, release.index.name, wanted, notify
            )
            files = () if problem else venv.load_installed(clean, release.project.name).files
            return InstallTrial(filename=file.filename, install=problem, trials=trials, files=files)
        except ToolError as error:
            return InstallTrial(filename=file.filename, install=Unknown(reason=error.message, remedy=error.remedy))

    jobs = [
        partial(trial, file=wheel, kind="wheel", absent=no_wheel),
        partial(trial, file=sdist, kind="sdist", absent="the release has no sdist"),
    ]
    by_wheel, by_sdist = run_jobs(installer.without_testpypi(system, release.index), jobs)
    if release.files and wheel is None and sdist is None:
        reason = "the release has no file for this interpreter on this machine"
        remedy = "confirm it with a Python version and on a platform that its wheels support"
        return replace(release, wheel=Unknown(reason=reason, remedy=remedy), sdist=by_sdist)
    return replace(release, wheel=by_wheel, sdist=by_sdist)


def _with_required_python(system: System, files: Iterable[IndexFile]) -> System:
    """The system with an interpreter that the release supports, where one is found; all files require the same."""
    specifier = next((file.requires_python for file in files if file.requires_python), None)
    if specifier is None:
        return system
    required = interpreters.find_required_python(system, specifier, "Requires-Python on the index")
    return interpreters.with_interpreter(system, required)


def install_file_and_test(  # noqa: PLR0913, PLR0917 - one file and its environment
    system: System,
    clean: Environment,
    project: ProjectMetadata,
    file: IndexFile,
    index: str,
    wanted: Sequence[SmokeTest] | None,
    notify: Observer,
    explain: ExplainMissing | None = None,
) -> tuple[Finding | Unknown | None, tuple[SmokeTestResult, ...]]:
    """Install a file, which must have a SHA-256, and run smoke tests: why it cannot be installed, or their results.

    `index`: the name of the index that the file is from.
    `explain` is asked about a dependency that no index has.
    """
    assert file.sha256 is not None
    release = f"{project.name} {project.version}"
    kind = "wheel" if file.filename.endswith(".whl") else "sdist"
    doing = f"installing {release} from {index} ({kind})"
    notify(Progress(text=doing, unit="files"))
    problem = venv.install_file(
        system, clean, name=project.name, version=project.version, url=file.url, sha256=file.sha256,
        refresh=index != SANDBOX,  # its URLs have the hash of the file: see `sandbox.project_endpoints.file_url`
        on_line=lambda line: notify(Progress(text=f"{doing}: {line}", unit="files")), explain=explain,
    )  # fmt: skip
    if problem is not None:
        return problem, ()
    notify(Progress(text=f"running the smoke tests of {release} ({kind})", unit="files"))
    extras = partial(_install_extras, system, clean, project, file, notify)
    return None, smoke_tests.run_smoke_tests(system, clean, name=project.name, tests=wanted, install_extras=extras)


def _install_extras(  # noqa: PLR0913, PLR0917 - a file, its environment, and the extras
    system: System, clean: Environment, project: ProjectMetadata, file: IndexFile, notify: Observer,
    extras: Sequence[str],
) -> str | None:  # fmt: skip
    notify(Progress(text=f"installing {project.name}[{','.join(extras)}], which a test may need", unit="files"))
    assert file.sha256 is not None
    return venv.install_extras(system, clean, name=project.name, url=file.url, sha256=file.sha256, extras=extras)
