"""Inspects distribution files without a project: whether the index would accept them.

Modules that use the network are imported only where an index is given: that takes as long as a small wheel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import compress, starmap
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name, canonicalize_version

from release.adapters.installed_versions import installed_versions
from release.adapters.system.input_file import open_input
from release.adapters.system.system import System
from release.adapters.twine.twine_reader import TwineReader
from release.checks.all_checks import check_names
from release.checks.distribution_reader import inspect_built_files
from release.core.errors import ConfigError, ToolError, UnreachableError, UsageError, os_error_reason
from release.core.facts import BuiltFile, BuiltFiles, LeakScan
from release.core.models.check_result import Finding, Unknown
from release.core.models.distribution import InspectedFile, MemberVisitor
from release.core.models.index import (
    WELL_KNOWN,
    Index,
    IndexContents,
    ProjectListing,
    StoredFile,
    files_by_release,
    name_from_filename,
    version_of,
)
from release.core.models.leak import ScanResult, UnscannedFile, merge_scans
from release.core.models.project_limits import FILE_SIZE
from release.core.models.results import InspectionResult
from release.core.models.second_process import RstRenderer
from release.core.quoting import quote_path
from release.core.shell import quote_word
from release.publishing.second_reader import SecondReader
from release.reports.inspection_report import finding_to_json, inspection_to_json, leaks_to_findings

if TYPE_CHECKING:
    from release.leaks.file_scan import MemberScan


def inspect_files(
    system: System,
    paths: Sequence[Path],
    *,
    index: Index | None = None,
    project: Path | None = None,
    render_rst: RstRenderer | None = None,
) -> InspectionResult:
    """The verdict on each file and on the whole set; with an `index`, also by what it has already.

    Secrets in the files are findings about the set, since the index would accept them. With a `project`, third-party
    checkers run on the files and on its pyproject.toml; they never change a verdict. `render_rst` renders descriptions
    in parallel. Raises `UsageError` for a path that is not a readable file.
    """
    from release.leaks.file_scan import MemberScan

    scans = list(map(MemberScan, paths))
    readers = [SecondReader(path, system.env) for path in paths]
    for reader in readers[:1]:
        reader.start()
    opened = list(map(_open_file, paths, scans, readers))
    with TwineReader(env=system.env) as twine:
        files = tuple(
            replace(one, ask_twine=partial(twine.objection, path)) for one, path in zip(opened, paths, strict=True)
        )
        known = None
        if index is not None:
            known = {name: fetch_index_contents(system, index, name) for name in sorted({*named_projects(files)})}
        installed = installed_versions()
        built = BuiltFiles(
            project=None, files=files, now=system.now(), on_index=known, installed=installed, render_rst=render_rst
        )
        document = inspection_to_json(built)
    accepted = [file["verdict"] == "accept" for file in document["files"]]
    scanned = zip(scans, readers, inspect_built_files(built), strict=True)
    leaks = _leaks(compress(scanned, accepted))
    document["release"] += leaks_to_findings(leaks)
    if project is not None:
        document["release"] += starmap(finding_to_json, _run_checkers(system, paths, project))
    return InspectionResult(document=document, built=built, index=index)


def _leaks(files: Iterable[tuple[MemberScan, SecondReader, InspectedFile]]) -> LeakScan:
    """The secrets in files that the index would accept, most of them found while the files were read.

    Files that it would refuse are not scanned: they may be decompression bombs.
    """
    found = []
    for scan, second, one in files:
        try:
            found.append(scan.result(len(one.members) - second.count))
        except OSError as error:
            reason = os_error_reason(error)
            found.append(ScanResult(unread=(UnscannedFile(path=one.filename, reason=reason),)))
    return LeakScan(scope="files", searched=merge_scans(found))


def _run_checkers(system: System, paths: Sequence[Path], project: Path) -> Iterator[tuple[str, Finding]]:
    """The findings of third-party checkers; one that is missing or fails is a finding too."""
    from release.adapters.builds import external_checkers

    pyproject = [path for path in [project / "pyproject.toml"] if path.is_file()]
    for checker in external_checkers.CHECKERS:
        name = checker.name
        for path in (one for one in (*pyproject, *paths) if one.name.endswith(checker.suffixes)):
            try:
                messages = external_checkers.run_checker(system, checker, path)
            except ToolError as error:
                yield name, Finding(message=f"not run: {error.message}", remedy=error.remedy, severity="warn")
                continue
            if messages is None:
                remedy = f"install it in this environment: pip install 'pypi-preflight[checks]', or {name}"
                yield name, Finding(message=f"not run: {name} is not installed", remedy=remedy, severity="warn")
                break
            remedy = f"see the documentation of {name}"
            for text in messages:
                yield name, Finding(message=f"{name}: {text}", remedy=remedy, severity="warn", where=path.name)


def find_index(name: str, directory: Path, file: Path | None = None) -> Index:
    """The index with that name in the configuration. "pypi" and "testpypi" need no valid project.

    Raises `ConfigError`.
    """
    from release.adapters import project_config

    try:
        return project_config.load_config(directory, file, check_names=check_names, needs_project=False).index(name)
    except ConfigError:
        if file is None and name in WELL_KNOWN:
            return WELL_KNOWN[name]
        raise


def _open_file(path: Path, visit: MemberVisitor, second: SecondReader) -> BuiltFile:
    if path.is_dir():
        raise UsageError(f"{quote_path(path)} is a directory", remedy=f"pass its files: {quote_word(str(path))}/*")
    try:
        with open_input(path) as stream:
            size = stream.seek(0, 2)
    except OSError as error:
        reason = os_error_reason(error)
        raise UsageError(f"cannot read {quote_path(path)}: {reason}", remedy="pass the path of a file") from None
    return BuiltFile(
        filename=path.name, size=size, sha256=None, open=lambda: path.open("rb"), visit=visit,
        read_parts=second.read_parts, place=str(path),
    )  # fmt: skip


def named_projects(files: Iterable[BuiltFile]) -> Iterator[NormalizedName]:
    """The project names in the file names. A file whose metadata has another name is refused for that."""
    for file in files:
        if (name := name_from_filename(file.filename)) is not None:
            yield name


def fetch_index_contents(system: System, index: Index, name: NormalizedName) -> IndexContents | Unknown:
    """What an index has of a project; for a new project, all project names, for conflicts.

    No index shows prohibited project names or the names of deleted files.
    """
    from release.adapters import collect
    from release.adapters.index import simple_api

    found = collect.collect_listing(index, name)
    if isinstance(found, Unknown):
        return found
    if found is not None:
        return index_contents_of(found, system, name)
    try:
        names = frozenset(map(canonicalize_name, simple_api.fetch_project_names(index)))
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
    return IndexContents(now=system.now(), names=names)


def index_contents_of(listing: ProjectListing, system: System, name: NormalizedName) -> IndexContents:
    """A listing in the form that the acceptance rules use.

    A release is taken to be as old as its oldest file; it is older only if that file was deleted.
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
        str(version): [file.upload_time for file in listed if file.upload_time is not None]
        for version, listed in files_by_release(listing).items()
    }
    return IndexContents(
        now=system.now(),
        files=files,
        releases={canonicalize_version(version): min(known) for version, known in times.items() if known},
        names=frozenset({name}),
        # PyPI raises the limit of a project on request
        file_limit=max(FILE_SIZE, *(one.size for one in files), 0),
    )
