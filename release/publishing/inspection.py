"""Looks into distribution files that need no project, and says whether the index would take them.

What speaks to an index is imported where one is asked: it takes as long as a small wheel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from packaging.utils import NormalizedName, canonicalize_name, canonicalize_version

from release.adapters.system.system import System
from release.checks.distribution_reader import inspect_built_files
from release.core.errors import ConfigError, ToolError, UnreachableError, UsageError
from release.core.facts import BuiltFile, BuiltFiles, LeakScan
from release.core.models.distribution import MemberVisitor
from release.core.models.finding import Finding, Unknown
from release.core.models.index import WELL_KNOWN, Index
from release.core.models.index_contents import OnIndex, StoredFile
from release.core.models.inspected_file import InspectedFile
from release.core.models.inspection_result import InspectionResult
from release.core.models.leak import ScanResult, UnscannedFile, merge_scans
from release.core.models.project_listing import ProjectListing, files_by_release, version_of
from release.core.models.project_name import name_from_filename
from release.reports.inspection_report import finding_to_json, inspection_to_json, leaks_to_findings

if TYPE_CHECKING:
    from release.leaks.file_scan import MemberScan


def inspect_files(
    system: System, paths: Sequence[Path], *, index: Index | None = None, project: Path | None = None
) -> InspectionResult:
    """The verdict on each file and on the set; with an `index`, also as far as what it has decides.

    Secrets in the files are findings about the set, since the index would take the file all the same. With a
    `project`, other people's checkers look at the files and at its pyproject.toml; they never decide.
    Raises `UsageError` where a path is no file that can be read.
    """
    from release.leaks.file_scan import MemberScan

    searches = list(map(MemberScan, paths))
    files = tuple(map(_file, paths, searches))
    known = None
    if index is not None:
        known = {name: fetch_index_contents(system, index, name) for name in sorted(project_names(files))}
    built = BuiltFiles(project=None, files=files, now=system.now(), on_index=known)
    document = inspection_to_json(built)
    taken = [file["verdict"] == "accept" for file in document["files"]]
    document["release"] += leaks_to_findings(
        _leaks(compress(searches, taken), compress(inspect_built_files(built), taken))
    )
    if project is not None:
        document["release"] += [finding_to_json(check, finding) for check, finding in _others(system, paths, project)]
    return InspectionResult(document=document, built=built, index=index)


def _leaks(searches: Iterable[MemberScan], files: Iterable[InspectedFile]) -> LeakScan:
    """The secrets in files that the index would take, most of them found while the files were read.

    What it refuses goes nowhere, may be a bomb, and is searched once it is mended.
    """
    found = []
    for search, one in zip(searches, files, strict=True):
        try:
            found.append(search.result(len(one.members)))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            found.append(ScanResult(unread=(UnscannedFile(path=one.filename, reason=reason),)))
    return LeakScan(scope="files", searched=merge_scans(found))


def _others(system: System, paths: Sequence[Path], project: Path) -> Iterator[tuple[str, Finding]]:
    """What other checkers say; one that is not there, or breaks, has not passed."""
    from release.adapters.builds import external_checkers

    pyproject = [path for path in [project / "pyproject.toml"] if path.is_file()]
    for checker in external_checkers.CHECKERS:
        for path in external_checkers.files_for_checker(checker, [*pyproject, *paths]):
            try:
                said = external_checkers.run_checker(system, checker, path)
            except ToolError as error:
                yield checker.name, Finding(message=f"not run: {error.message}", remedy=error.remedy, severity="warn")
                continue
            if said is None:
                remedy = f"install it beside this program: pip install 'pypi-preflight[checks]', or {checker.name}"
                yield checker.name, Finding(message=f"not run: {checker.name}", remedy=remedy, severity="warn")
                break
            for message in said:
                yield (
                    checker.name,
                    Finding(
                        message=f"{checker.name}: {message}",
                        remedy=f"see the documentation of {checker.name}",
                        severity="warn",
                        where=path.name,
                    ),
                )


def find_index(name: str, directory: Path, file: Path | None = None) -> Index:
    """The index of that name: in the configuration, or one of the two that everybody means.

    Those need no project, nor one that is in order. Raises `ConfigError`.
    """
    from release.adapters import collect

    try:
        return collect.load_config(directory, file, needs_project=False).index(name)
    except ConfigError:
        if file is None and name in WELL_KNOWN:
            return WELL_KNOWN[name]
        raise


def _file(path: Path, visit: MemberVisitor) -> BuiltFile:
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a directory", remedy=f"name its files: {path / '*'}")
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
    except OSError as error:
        raise UsageError(
            f"{str(path)!r} can't be read: {(error.strerror or str(error)).lower()}", remedy="give the path of a file"
        ) from None
    return BuiltFile(filename=path.name, size=size, sha256=None, open=partial(_bytes, path), visit=visit)


def _bytes(path: Path) -> BinaryIO:
    return path.open("rb")


def project_names(files: Iterable[BuiltFile]) -> Iterator[NormalizedName]:
    """The projects that the file names speak of; a file whose metadata names another is refused for that."""
    for file in files:
        if (name := name_from_filename(file.filename)) is not None:
            yield name


def fetch_index_contents(system: System, index: Index, name: NormalizedName) -> OnIndex | Unknown:
    """What an index has of a project; of one that it does not have, the names that could stand in its way.

    Names that are locked, and names of files that were deleted, no index tells.
    """
    from release.adapters import collect
    from release.adapters.index import simple_api

    found = collect.collect_listing(index, name)
    if isinstance(found, Unknown):
        return found
    if found is not None:
        return index_contents_of(found, system, name)
    try:
        return OnIndex(now=system.now(), names=frozenset(map(canonicalize_name, simple_api.fetch_project_names(index))))
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


def index_contents_of(listing: ProjectListing, system: System, name: NormalizedName) -> OnIndex:
    """A listing, as the rules of the index see it.

    A release is as old as its first file: the index has its own date, which only a deleted file can make older.
    Source: warehouse, `forklift/legacy.py`, the rule of fourteen days.
    """
    files = tuple(
        StoredFile(
            filename=file.filename,
            sha256=file.sha256 or "",
            blake2_256=None,
            size=file.size or 0,
            version=str(version_of(file.filename, listing.name) or ""),
            filetype="bdist_wheel" if file.filename.endswith(".whl") else "sdist",
        )
        for file in listing.files
    )
    times = {
        str(version): [file.upload_time for file in there if file.upload_time is not None]
        for version, there in files_by_release(listing).items()
    }
    return OnIndex(
        now=system.now(),
        files=files,
        releases={canonicalize_version(version): min(known) for version, known in times.items() if known},
        names=frozenset({name}),
    )
