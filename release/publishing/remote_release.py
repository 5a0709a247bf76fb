"""Looks at a release from outside, as anybody can: what its index lists, what comes from there, what that does.

Needs neither the project nor its journal, and uploads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from packaging.version import Version

from release.adapters import collect, sigstore
from release.adapters.builds import builder
from release.adapters.index import integrity_api, json_api, simple_api
from release.adapters.install import installer, smoke_runner, venv
from release.adapters.system.system import System, explain_os_errors, run_jobs
from release.checks.published_files import refuse_install
from release.core.errors import RefusedError, ToolError, UnreachableError
from release.core.events import Observer, Progress
from release.core.facts import BuiltFile, InstallTrial, ProjectMetadata, PublishedRelease
from release.core.models.attestation import Provenance, VerifiedAttestations
from release.core.models.distribution import Distribution
from release.core.models.finding import Finding, NotApplicable, Unknown
from release.core.models.index import Index
from release.core.models.project_listing import IndexFile, ProjectListing, files_by_release, version_of
from release.core.models.release_manifest import ReleaseManifest
from release.core.models.smoke_test import SmokeTest
from release.publishing import attest

Item = TypeVar("Item")
Result = TypeVar("Result")

#: seconds that the page which installers read gets to show what is known to be uploaded
DEADLINE = 60.0
#: seconds for an index on this machine, which has nothing between itself and us
LOOPBACK_DEADLINE = 10.0
#: a release that nobody can install here, so that nothing can be said of it
_NO_FILE = Unknown(
    reason="the release has no file for this interpreter on this machine",
    remedy="confirm it again with a Python, and on a machine, that its wheels are for",
)
#: files that are fetched at a time
_FETCHES = 4
#: versions that are named where another one was asked for, on either side of it
_NEIGHBOURS = 2


def fetch_release(  # noqa: PLR0913 - a release, and where to look for it
    system: System,
    index: Index,
    project: ProjectMetadata,
    recorded: ReleaseManifest | None,
    *,
    scratch: Path,
    notify: Observer,
) -> PublishedRelease:
    """The release as its index shows it, each file fetched into `scratch`; nothing of it is run.

    `recorded` is what it should be. Raises `UnreachableError` where the index does not answer, `RefusedError` where
    it has no such project or release.
    """
    outside = _listed(system, index, project, recorded, notify)
    fetch = partial(_fetch, scratch=scratch, notify=notify)
    came = _at_once(fetch, outside.files)
    described = tuple(one for one in came if isinstance(one, Distribution))
    built = collect.collect_built(system, described, project)
    by_name = {one.filename: one for one in built.files}
    provenance = _provenance(index, project, outside.files)
    return replace(
        outside,
        fetched={
            file.filename: one if isinstance(one, Unknown) else by_name[file.filename]
            for file, one in zip(outside.files, came, strict=True)
        },
        built=built,
        provenance=provenance,
        verified=_verified(system, index, described, provenance),
    )


# -- the pages --------------------------------------------------------------------------------------


def _listed(
    system: System, index: Index, project: ProjectMetadata, recorded: ReleaseManifest | None, notify: Observer
) -> PublishedRelease:
    by_json = _by_json(index, project)
    expected = {file.filename for file in by_json or ()}
    expected |= {file.filename for file in (recorded.files if recorded else ())}
    listing, waited = _wait(system, index, project, expected, notify)
    files = files_by_release(listing).get(Version(project.version), ())
    quarantined = listing is not None and listing.status == "quarantined"
    if not files and not by_json and not quarantined and (listing is None or recorded is None):
        raise _unknown(index, project, listing)
    return PublishedRelease(
        index=index,
        project=project,
        status=listing.status if listing else "active",
        files=files,
        waited=waited,
        recorded=recorded,
        by_json=by_json,
    )


def _by_json(index: Index, project: ProjectMetadata) -> tuple[IndexFile, ...] | None:
    """None, too, where the index does not answer: it is asked for its other page in any case."""
    try:
        return json_api.fetch_release_files(index, project.name, project.version)
    except UnreachableError:
        return None


def _wait(
    system: System, index: Index, project: ProjectMetadata, expected: set[str], notify: Observer
) -> tuple[ProjectListing | None, float]:
    """The page that installers read, past caches, once it shows all that is expected, or when time is up."""
    deadline, waited, pause = (LOOPBACK_DEADLINE if index.loopback else DEADLINE), 0.0, 1.0
    while True:
        found = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(found, Unknown):
            raise UnreachableError(found.reason, remedy=found.remedy, cause=found.cause)
        status = found.status if found else "active"
        missing = expected - {file.filename for file in (found.files if found else ())}
        if not missing or waited >= deadline or status == "quarantined":
            return found, waited
        notify(Progress(text=f"waiting for {index.name} to list {min(missing)}", done=waited, total=deadline,
                      unit="seconds"))  # fmt: skip
        system.sleep(pause)
        waited, pause = waited + pause, pause * 2


def _unknown(index: Index, project: ProjectMetadata, listing: ProjectListing | None) -> RefusedError:
    known = sorted(files_by_release(listing))
    if listing is None:
        return RefusedError(
            f"{index.name} has no project {project.name!r}",
            remedy=f"check the spelling, and the index, {index.simple_url}: another one is named with --index NAME",
        )
    if not known:
        return RefusedError(
            f"{project.name} has no release at all on {index.name}",
            remedy="if one was uploaded a moment ago, wait some minutes and confirm again; do not upload it again",
        )
    version = Version(project.version)
    near = [*[one for one in known if one < version][-_NEIGHBOURS:],
            *[one for one in known if one > version][:_NEIGHBOURS]]  # fmt: skip
    return RefusedError(
        f"{project.name} has no release {project.version!r} on {index.name}; the nearest are "
        f"{', '.join(map(str, near))}",
        remedy="name one of those; if it was uploaded a moment ago, wait some minutes and confirm again",
    )


# -- the files --------------------------------------------------------------------------------------


def _at_once(fetch: Callable[[Item], Result], files: Sequence[Item]) -> list[Result]:
    with ThreadPoolExecutor(_FETCHES, thread_name_prefix="confirm") as pool:
        futures = [pool.submit(fetch, file) for file in files]
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _fetch(file: IndexFile, *, scratch: Path, notify: Observer) -> Distribution | Unknown:
    """What comes, whatever the page says of it."""
    notify(Progress(text=f"fetching {file.filename}", unit="files"))
    try:
        with explain_os_errors("the temporary directory"):
            return builder.load_distribution(simple_api.download_file(replace(file, sha256=None), scratch))
    except UnreachableError as error:
        return Unknown(
            reason=f"{file.filename!r} does not come: {error.message}", remedy=error.remedy, cause=error.cause
        )


def _provenance(index: Index, project: ProjectMetadata, files: Iterable[IndexFile]) -> dict[str, Provenance | Unknown]:
    """What the index says of the files whose page names a provenance."""
    named = [file.filename for file in files if file.provenance is not None]
    return dict(zip(named, _at_once(partial(_attested, index, project), named), strict=True))


def _attested(index: Index, project: ProjectMetadata, filename: str) -> Provenance | Unknown:
    version = version_of(filename, project.name)
    try:
        found = integrity_api.fetch_provenance(index, project.name, str(version), filename)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
    return found or Unknown(
        reason=f"the page names a provenance of {filename!r}, and {index.name} has none",
        remedy="confirm again in some minutes; then ask the index's administrators",
    )


def _verified(
    system: System, index: Index, files: Iterable[Distribution], provenance: Mapping[str, Provenance | Unknown]
) -> dict[str, VerifiedAttestations | Finding | Unknown] | None:
    """Whether what is attested holds for the bytes that came; None where the extra is not there to tell."""
    if not sigstore.is_installed():
        return None
    told = [(file, said) for file in files if isinstance(said := provenance.get(file.filename), Provenance)]
    return {file.filename: attest.verify_provenance(system, index, file, said) for file, said in told}


# -- clean environments -----------------------------------------------------------------------------


def install_and_test(
    system: System,
    outside: PublishedRelease,
    *,
    scratch: Path,
    notify: Observer,
    wanted: Sequence[SmokeTest] | None = None,
) -> PublishedRelease:
    """The same with its wheel and its sdist installed, each into an environment of its own, and tried.

    A file whose bytes are not those that they should be is not run. `wanted`: what to try; None: what the
    installed project itself suggests.
    """
    wheels = [file for file in outside.files if file.filename.endswith(".whl")]
    sdists = [file for file in outside.files if file.filename.endswith((".tar.gz", ".zip"))]
    chosen = venv.best_file(file.filename for file in wheels)
    wheel = next((file for file in wheels if file.filename == chosen), None)
    one = partial(_try, outside=outside, scratch=scratch, notify=notify, wanted=wanted)
    jobs = {
        "wheel": (wheel, "the release has no wheel for this interpreter" if wheels else "the release has no wheel"),
        "sdist": (sdists[0] if sdists else None, "the release has no sdist"),
    }
    system = installer.without_testpypi(system, outside.index)
    by_wheel, by_sdist = run_jobs(system, [partial(one, file=file, absent=absent) for file, absent in jobs.values()])
    if outside.files and wheel is None and not sdists:
        return replace(outside, wheel=_NO_FILE, sdist=by_sdist)
    return replace(outside, wheel=by_wheel, sdist=by_sdist)


def _try(  # noqa: PLR0913 - one file and its surroundings
    system: System,
    *,
    file: IndexFile | None,
    absent: str,
    outside: PublishedRelease,
    scratch: Path,
    notify: Observer,
    wanted: Sequence[SmokeTest] | None,
) -> InstallTrial | NotApplicable:
    if file is None:
        return NotApplicable(reason=absent)
    came = outside.fetched.get(file.filename)
    reason = refuse_install(outside, file)
    if reason is not None or not isinstance(came, BuiltFile) or came.sha256 is None:
        return NotApplicable(reason=reason or absent)
    try:
        return _install(system, outside.project, file, came.sha256, scratch=scratch, notify=notify, wanted=wanted)
    except ToolError as error:
        return InstallTrial(filename=file.filename, install=Unknown(reason=error.message, remedy=error.remedy))


def _install(  # noqa: PLR0913 - one file and its surroundings
    system: System,
    project: ProjectMetadata,
    file: IndexFile,
    sha256: str,
    *,
    scratch: Path,
    notify: Observer,
    wanted: Sequence[SmokeTest] | None,
) -> InstallTrial:
    notify(Progress(text=f"installing {file.filename} into a clean environment", unit="files"))
    clean = venv.create_environment(
        system, scratch / f"environment-{'wheel' if file.filename.endswith('.whl') else 'sdist'}"
    )
    problem = venv.install_file(
        system, clean, name=project.name, version=project.version, url=file.url, sha256=sha256,
        on_line=lambda line: notify(Progress(text=line, unit="files")),
    )  # fmt: skip
    if problem is not None:
        return InstallTrial(filename=file.filename, install=problem)
    notify(Progress(text=f"trying what {file.filename} installed", unit="files"))
    trials = smoke_runner.run_smoke_tests(system, clean, name=project.name, wanted=wanted)
    installed = venv.load_installed(clean, project.name).files
    return InstallTrial(filename=file.filename, install=None, trials=trials, files=installed)
