"""What a release is compared with: what git has, and the release before it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from packaging.version import InvalidVersion, Version

from release.adapters import collect
from release.adapters.git import repository
from release.adapters.index import file_cache
from release.adapters.system.system import System
from release.checks import previous_release, reproducibility, sdist_completeness
from release.checks.engine import Check
from release.core.errors import ToolError, UnreachableError
from release.core.facts import BuiltFile, BuiltFiles, PreviousRelease
from release.core.models.finding import NotApplicable, Unknown
from release.core.models.project_listing import IndexFile, ProjectListing, files_by_release
from release.core.plan import CheckFiles
from release.publishing import build as building

if TYPE_CHECKING:
    from release.publishing.run import Run

#: bytes; larger files are not fetched for a comparison
_LARGEST = 30 * 1024 * 1024


def add_comparisons(run: Run, built: BuiltFiles) -> BuiltFiles:
    """The facts, with what a run of the project can compare its files with. Raises `ToolError`: a build that fails."""
    again = from_tree = None
    commit = None if run.plan.builds_tree else run.plan.commit
    build = partial(building.rebuild, run.system, run.directory, commit, scratch=run.delivery.scratch)
    if run.config.reproducible:
        again = collect.collect_built(run.system, build(), None).files
    if run.config.wheel_from_tree:
        (from_tree,) = collect.collect_built(run.system, build(only_wheel=True), None).files
    return replace(
        built,
        tracked=tracked_paths(run.system, run.directory),
        earlier=run.earlier.result() if run.earlier else None,
        again=again,
        from_tree=from_tree,
    )


def fetch(run: Run, listing: ProjectListing | Unknown | NotApplicable | None) -> None:
    """Fetch the last release, to compare with, while the files are built; of several indexes, from the last."""
    compares = any(isinstance(step, CheckFiles) for step in run.plan.steps)
    if compares and isinstance(listing, ProjectListing) and run.plan.version is not None:
        if run.earlier is not None:
            run.earlier.cancel()
        run.earlier = run.pool.submit(fetch_previous_release, listing, run.plan.version)


def comparison_checks(built: BuiltFiles) -> tuple[Check[BuiltFiles], ...]:
    """The checks that have something to compare."""
    found = sdist_completeness.CHECKS if built.tracked is not None else ()
    found += reproducibility.CHECKS if built.again is not None or built.from_tree is not None else ()
    return found + (previous_release.CHECKS if built.earlier is not None else ())


def tracked_paths(system: System, directory: Path) -> frozenset[str] | None:
    """The paths that git tracks, relative to the project's directory; None where it is in no repository."""
    try:
        root = repository.find_root(system, directory)
        paths = repository.tracked_files(system, root) if root else ()
    except ToolError:
        return None
    if root is None or not paths:
        return None
    prefix = directory.resolve().relative_to(root.resolve()).as_posix()
    start = "" if prefix == "." else f"{prefix}/"
    return frozenset(path.removeprefix(start) for path in paths if path.startswith(start))


def fetch_previous_release(
    listing: ProjectListing | None, version: str, *, place: Path | None = None
) -> PreviousRelease | Unknown | NotApplicable:
    """The release before `version`: its sdist, and its wheel for any platform, from the index or the cache."""
    try:
        found = latest_before(listing, Version(version))
    except InvalidVersion:
        return NotApplicable(reason=f"{version!r} is no version")
    if found is None:
        return NotApplicable(reason="the index has no release to compare with")
    before, files = found
    wanted = [file for file in files if _is_wanted(file)]
    if not wanted:
        return NotApplicable(reason=f"{before} has no sdist and no wheel for any platform that is small enough")
    try:
        paths = [file_cache.fetch_file(file, place=place) for file in wanted]
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy)
    except OSError as error:
        return Unknown(reason=f"the cache can't be written: {error.strerror or error}", remedy="make room for it")
    return PreviousRelease(version=str(before), files=tuple(map(_file, paths, wanted)))


def latest_before(listing: ProjectListing | None, version: Version) -> tuple[Version, tuple[IndexFile, ...]] | None:
    """The highest release below `version` that is not yanked; a pre-release only beside another."""
    found = {
        known: tuple(file for file in files if file.yanked is None)
        for known, files in files_by_release(listing).items()
        if known < version and (version.is_prerelease or not known.is_prerelease)
    }
    return max(((known, files) for known, files in found.items() if files), default=None, key=lambda pair: pair[0])


def _is_wanted(file: IndexFile) -> bool:
    return (file.size or 0) <= _LARGEST and file.filename.endswith((".tar.gz", "-none-any.whl"))


def _file(path: Path, file: IndexFile) -> BuiltFile:
    return BuiltFile(filename=file.filename, size=path.stat().st_size, sha256=file.sha256, open=partial(_bytes, path))


def _bytes(path: Path) -> BinaryIO:
    return path.open("rb")
