"""Compares the files of a release with git, the previous release, a second build, and the dry run."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace
from packaging.version import InvalidVersion, Version

from release.adapters import collect
from release.adapters.builds import backend_settings, builder
from release.adapters.git import projects, repository, submodules
from release.adapters.index import simple_api
from release.adapters.install import venv
from release.adapters.system.system import System, path_from_here
from release.checks import backend_warnings, build_pins, file_set, previous_release, reproducibility, source_comparison
from release.checks.engine import Check, quote
from release.checks.release_contents import NO_EARLIER_RELEASE
from release.core import wheel_tags
from release.core.config import Config
from release.core.errors import RefusedError, ToolError, UnreachableError
from release.core.facts import BuiltFile, BuiltFiles, FilenameConflict, PreviousRelease, UploadedRelease
from release.core.models.check_result import NotApplicable, Unknown
from release.core.models.distribution import Distribution, Receipt, result_from_listing
from release.core.models.index import Index, IndexFile, ProjectListing, files_by_release, files_of_version
from release.core.models.results import StepResult
from release.core.models.source_tree import SourceTree
from release.core.plan import SANDBOX
from release.core.quoting import quote_path
from release.core.shell import quote_word
from release.publishing import stored_verdict
from release.publishing.build import rebuild
from release.publishing.journal import Journal

#: files that are fetched because they have other bytes than ours
_FETCHED = 5
_NOT_FETCHED = Unknown(reason=f"only {_FETCHED} files are fetched for a comparison", remedy="compare it by hand")
#: bytes; larger files are not fetched for a comparison
_LARGEST = 30 * 1024 * 1024


def second_build(
    system: System, config: Config, directory: Path, commit: str | None, scratch: Callable[[str], Path]
) -> tuple[tuple[BuiltFile, ...] | None, BuiltFile | None]:
    """The same files built once more, and the wheel built from the tree, where the configuration requires them.

    `commit`: None builds the directory in its current state. Raises `ToolError` where a build fails.
    """
    again = from_tree = None
    if config.reproducible:
        again = collect.collect_built(system, rebuild(system, directory, commit, scratch=scratch), None).files
    if config.wheel_from_tree:
        wheel = rebuild(system, directory, commit, scratch=scratch, only_wheel=True)
        (from_tree,) = collect.collect_built(system, wheel, None).files
    return again, from_tree


def comparison_checks(built: BuiltFiles) -> Iterator[Check[BuiltFiles]]:
    """The checks that have something to compare with."""
    if built.source_tree is not None:
        yield from source_comparison.OF_GIT
    if built.expected is not None:
        yield from file_set.OF_EXPECTED
    if built.listed is not None:
        yield from file_set.OF_LISTED
    if built.listings:
        yield from file_set.OF_SPACE
    yield from backend_warnings.CHECKS
    if built.pinned_build is not None:
        yield from build_pins.OF_BUILD
    if built.second_build is not None or built.from_tree is not None:
        yield from reproducibility.OF_BUILDS
    if built.previous is not None:
        yield from previous_release.CHECKS


def collect_source_tree(system: System, directory: Path) -> SourceTree | None:
    """What git has of the project, and the settings of its build backend; None outside a repository.

    A tracked file that is removed from the directory is not counted: the build cannot ship it.
    """
    try:
        root = repository.find_root(system, directory)
        paths = repository.tracked_files(system, root) if root else ()
        if root is None or not paths:
            return None
        untracked = repository.untracked_files(system, directory)
        # `the-submodules-are-checked-out` reports them; the path of a submodule is a directory
        missing = {path for path, ready in submodules.list_submodules(system, root) if not ready}
    except ToolError:
        return None
    prefix = directory.resolve().relative_to(root.resolve()).as_posix()
    start = "" if prefix == "." else f"{prefix}/"
    here = (path for path in paths if path.startswith(start) and path not in missing)
    tracked = frozenset(path.removeprefix(start) for path in here if os.path.lexists(root / path))
    settings = backend_settings.load_backend_settings(directory)
    declared = backend_settings.find_declared_files(directory, settings, tracked)
    return SourceTree(tracked=tracked, untracked=frozenset(untracked), backend=settings, declared=declared)


def name_siblings(system: System, directory: Path, uploaded: UploadedRelease) -> UploadedRelease:
    """The same, with the modules of the repository's other projects, where a smoke test found a module missing."""
    links = (link for trial in uploaded.trials for one in trial.attempts for link in one.chain or ())
    if uploaded.source_tree is None or not any(link.not_found for link in links):
        return uploaded
    try:
        root = repository.find_root(system, directory)
        siblings = projects.modules_of_others(system, root, directory) if root else {}
    except ToolError:
        return uploaded
    return replace(uploaded, source_tree=replace(uploaded.source_tree, siblings=siblings))


def fetch_previous_release(
    listing: ProjectListing | None, version: str, *, complete: bool = False, cache: Path | None = None
) -> PreviousRelease | Unknown | NotApplicable:
    """The release before `version`: its sdist and its wheel for this machine, from the index or the cache.

    `complete`: this release is to have files for the same platforms, apart from those that the index has already.
    """
    try:
        found = latest_before(listing, Version(version))
    except InvalidVersion:
        return NotApplicable(reason=f"{version!r} is not a valid version")
    if found is None:
        return NO_EARLIER_RELEASE
    before, listed = found
    small = {one.filename: one for one in listed if not _is_large(one)}
    wheel = venv.best_file(name for name in small if name.endswith(".whl"))
    chosen = [one for name, one in small.items() if name.endswith(".tar.gz") or name == wheel]
    if not chosen:
        return NotApplicable(reason=f"{before} has no sdist and no wheel for this machine that is small enough")
    files = [_fetch(file, cache) for file in chosen]
    failed = next((one for one in files if isinstance(one, Unknown)), None)
    if failed is not None:
        return failed
    there = {wheel_tags.platform_family(file.filename) for file in files_of_version(listing, version)}
    missing = [one.filename for one in listed if wheel_tags.platform_family(one.filename) not in there]
    return PreviousRelease(
        version=str(before), files=tuple(one for one in files if isinstance(one, BuiltFile)),
        filenames=tuple(missing if complete else ()),
    )  # fmt: skip


def latest_before(listing: ProjectListing | None, version: Version) -> tuple[Version, tuple[IndexFile, ...]] | None:
    """The highest release below `version` that is not yanked; a pre-release only if `version` is one too."""
    found = {
        known: tuple(file for file in files if file.yanked is None)
        for known, files in files_by_release(listing).items()
        if known < version and (version.is_prerelease or not known.is_prerelease)
    }
    return max(((known, files) for known, files in found.items() if files), default=None, key=lambda pair: pair[0])


def find_conflicts(
    files: Sequence[Distribution], listings: Mapping[str, ProjectListing | None], config: Config
) -> Iterator[FilenameConflict]:
    """The files on the indexes with the same name and different content, each fetched unless it is large.

    Also those that PyPI or TestPyPI has already under another name. Source: warehouse, `forklift/legacy.py`.
    """
    dry_run = config.dry_run_on or "testpypi"
    fetched = 0
    for name, listing in listings.items():
        for file in files:
            there = listing.file(file.filename) if listing else None
            by_hash = {one.sha256: one.filename for one in listing.files} if listing and there is None else {}
            if file.sha256 in by_hash and config.index(name).kind == "warehouse":
                yield FilenameConflict(
                    index=config.index(name), on_dry_run_index=name == dry_run, filename=file.filename,
                    sha256=file.sha256, other_name=by_hash[file.sha256],
                    file=Unknown(reason="it has the same bytes", remedy="upload it under one name"),
                )  # fmt: skip
            elif there is not None and there.sha256 != file.sha256:
                yield FilenameConflict(
                    index=config.index(name), on_dry_run_index=name == dry_run, filename=file.filename,
                    sha256=there.sha256,
                    file=_fetch(there) if there.sha256 and fetched < _FETCHED else _NOT_FETCHED,
                )  # fmt: skip
                fetched += 1


def _is_large(file: IndexFile) -> bool:
    return (file.size or 0) > _LARGEST


def _fetch(file: IndexFile, cache: Path | None = None) -> BuiltFile | Unknown:
    if _is_large(file):
        return Unknown(reason="it is too large to be fetched for a comparison", remedy="compare it by hand")
    try:
        path = simple_api.fetch_file(file, cache=cache)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy)
    except OSError as error:
        reason = f"the cache cannot be written: {error.strerror or error}"
        return Unknown(reason=reason, remedy="free some space, or check the permissions of the cache directory")
    size = path.stat().st_size
    return BuiltFile(filename=file.filename, size=size, sha256=file.sha256, open=lambda: path.open("rb"))


# -- the dry run ------------------------------------------------------------------------------------


def compare_with_dry_run(
    files: Sequence[Distribution], index: Index | None, project: str, journal: Journal, waive: Collection[str]
) -> StepResult:
    """Compare the files, byte for byte, with those that passed the dry run on `index`; None: the sandbox.

    The journal records what passed here; files that passed elsewhere are on the index of the dry run.
    Raises `RefusedError` where any file differs or did not pass, or passed only by a waiver that is not in `waive`.
    """
    for file in files:
        if not file.path.is_file() or builder.load_distribution(file.path) != file:
            raise RefusedError(
                f"{quote_path(file.path)} has changed since it was checked: its SHA-256 is not {file.sha256}",
                remedy="find out what replaced it; then restore it, or bump the version",
            )
    name = index.name if index else SANDBOX
    hashes = sorted(file.sha256 for file in files)
    if passed := journal.last("verified", index=name, files=hashes):
        if lapsed := stored_verdict.lapsed_waivers(passed, waive):
            raise _no_dry_run(
                f"{quote(lapsed)} failed on {name} and was waived, but is no longer",
                "correct what failed and bump the version; or waive it again in [tool.release.waive]",
            )
        return StepResult(changed=False, note=f"the same {len(files)} files passed on {name}")
    if index is None:
        which = _files_option(files, journal) or " --built"
        raise _no_dry_run(f"no identical files were confirmed on {name}", f"run: pypi-preflight rehearse{which}")
    _compare_with_index(files, index, project, which=_files_option(files, journal))
    journal.write("proven", index=name, files=hashes)
    return StepResult(changed=True, note=f"{name} has the same {len(files)} files")


def _files_option(files: Sequence[Distribution], journal: Journal) -> str:
    """`--files` with the directories of files that were built elsewhere; empty for those of a build here."""
    directories = dict.fromkeys(file.path.parent for file in files)
    if journal.dist.resolve() in {directory.resolve() for directory in directories}:
        return ""
    return f" --files {' '.join(quote_word(path_from_here(one)) for one in directories)}"


def _compare_with_index(files: Sequence[Distribution], index: Index, project: str, *, which: str) -> None:
    listing = collect.collect_listing(index, project, fresh=True)
    if isinstance(listing, Unknown):
        raise RefusedError(f"it is unknown whether a dry run passed: {listing.reason}", remedy=listing.remedy)
    for file in files:
        result = result_from_listing(file, listing)
        if result is None:
            remedy = f"run it first: pypi-preflight testpypi{which}; or use another dry run: --dry-run-on sandbox"
            raise _no_dry_run(f"{index.name} has no {file.filename!r}", remedy)
        if not isinstance(result, Receipt):
            raise RefusedError(
                f"{file.filename!r} is not the file that passed on {index.name}: the content there differs",
                remedy="release the files that passed, bump the version and repeat the dry run, or use another one: "
                "--dry-run-on sandbox",
                cause="file.exists-different",
            )


def _no_dry_run(reason: str, remedy: str) -> RefusedError:
    return RefusedError(f"these files have not passed a dry run: {reason}", remedy=remedy)
