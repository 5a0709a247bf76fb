"""Scan for secrets: a directory, files, what is staged, the whole history, or the files of a release."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.errors import ToolError, UsageError
from release.core.facts import LeakScan
from release.core.models.distribution import Distribution
from release.core.models.leak import ScanResult, UnscannedFile, merge_scans
from release.leaks import worktree


def scan_distributions(files: Iterable[Distribution]) -> LeakScan:
    """Scan the files of a release with all members. A file that cannot be read is listed as not scanned."""
    found = []
    for file in files:
        try:
            found.append(_scan_file(file.path))
        except OSError as error:
            found.append(ScanResult(unread=(UnscannedFile(path=file.filename, reason=_reason(error)),)))
    return LeakScan(scope="files", searched=merge_scans(found))


def scan_paths(
    system: System, directory: Path, paths: Sequence[Path], *, history: bool = False, staged: bool = False
) -> tuple[LeakScan, ...]:
    """Scan `paths`, or without any the directory; also their whole `history`; or only what is `staged`.

    Raises `UsageError` for an impossible combination or path, `ToolError` where git fails.
    """
    if staged:
        if history or paths:
            raise UsageError("--staged cannot be combined with paths or --history", remedy="remove one of them")
        return (_scan_staged(system, directory),)
    places = list(paths) or [directory]
    roots = dict.fromkeys(_root(system, path) for path in places) if history else ()
    found = [_scan_path(system, path) for path in places]
    if roots:
        from release.leaks import git_history

        found += (LeakScan(scope="history", searched=git_history.scan_history(system, root)) for root in roots)
    return tuple(found)


def _scan_path(system: System, path: Path) -> LeakScan:
    if path.is_dir():
        return LeakScan(scope="tree", searched=worktree.scan_directory(system, path))
    try:
        return LeakScan(scope="files", searched=_scan_file(path))
    except OSError as error:
        message = f"cannot read {str(path)!r}: {_reason(error)}"
        raise UsageError(message, remedy="pass the path of a file or directory") from None


def _scan_file(path: Path) -> ScanResult:
    from release.leaks import file_scan

    return file_scan.scan_file(path, path.name)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _scan_staged(system: System, directory: Path) -> LeakScan:
    from release.leaks import git_history

    try:
        return LeakScan(scope="staged", searched=git_history.scan_staged(system, directory))
    except ToolError:
        if repository.find_root(system, directory) is None:
            raise _no_repository(directory) from None
        raise


def _root(system: System, path: Path) -> Path:
    root = repository.find_root(system, path if path.is_dir() else path.parent)
    if root is None:
        raise _no_repository(path)
    return root


def _no_repository(path: Path) -> UsageError:
    return UsageError(
        f"{str(path)!r} is not in a git repository, so it has no history and no index",
        remedy="scan its files: pypi-preflight leaks",
    )
