"""Scan for secrets: a directory, files, what is staged, the whole history, or the files of a release."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.errors import ToolError, UsageError, os_error_reason
from release.core.facts import LeakScan
from release.core.models.distribution import Distribution
from release.core.models.leak import Leak, ScanResult, UnscannedFile, merge_scans
from release.core.quoting import quote_path
from release.leaks import worktree

#: a key that git has for so long is no accident
_OLD = timedelta(days=365)


def scan_distributions(files: Iterable[Distribution]) -> LeakScan:
    """Scan the files of a release with all members. A file that cannot be read is listed as not scanned."""
    found = []
    for file in files:
        try:
            found.append(_scan_file(file.path))
        except OSError as error:
            found.append(ScanResult(unread=(UnscannedFile(path=file.filename, reason=_reason(error)),)))
    return LeakScan(scope="files", searched=merge_scans(found))


def with_age(system: System, directory: Path, scan: LeakScan) -> LeakScan:
    """The scan of a release's files, with the age in git of each key that may be one of a local server."""
    leaks = tuple(
        replace(leak, held_since=_held_since(system, directory, leak)) if leak.is_of_local_server else leak
        for leak in scan.searched.leaks
    )
    return replace(scan, searched=replace(scan.searched, leaks=leaks))


def _held_since(system: System, directory: Path, leak: Leak) -> str | None:
    """The date of the commit that added a file of this content, if it is old; None otherwise."""
    inside = leak.path.rpartition("!")[2].partition("/")[2] if ".tar.gz!" in leak.path else leak.path.rpartition("!")[2]
    try:
        root = repository.find_root(system, directory)
        listed = repository.project_files(system, root) if root else ()
        same = [path for path in listed if path == inside or path.endswith(f"/{inside}")]
        if root is None or not same or leak.is_example or not inside:
            return None
        words = ("--diff-filter=A", "--no-renames", "--no-show-signature", "--format=%ct")
        added = repository.git_output(system, root, "log", *words, "--", f":(literal){same[0]}").split()
    except ToolError:
        return None
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(added[-1])) if added else system.now()
    return f"{date:%Y-%m-%d}" if system.now() - date > _OLD else None


def scan_paths(  # noqa: PLR0913 - the options of the command
    system: System,
    directory: Path,
    paths: Sequence[Path],
    *,
    history: bool = False,
    staged: bool = False,
    kinds: Collection[str] | None = None,
) -> tuple[LeakScan, ...]:
    """Scan `paths`, or without any the directory; also their whole `history`; or only what is `staged`.

    `kinds`: the kinds of secrets to report, keys of `SECRET_KINDS`; None: all.
    Raises `UsageError` for an impossible combination or path, `ToolError` where git fails.
    """
    found = _scan_all(system, directory, paths, history=history, staged=staged)
    return found if kinds is None else tuple(_only(one, kinds) for one in found)


def _only(scan: LeakScan, kinds: Collection[str]) -> LeakScan:
    leaks = tuple(leak for leak in scan.searched.leaks if leak.kind in kinds)
    return replace(scan, searched=replace(scan.searched, leaks=leaks))


def _scan_all(
    system: System, directory: Path, paths: Sequence[Path], *, history: bool, staged: bool
) -> tuple[LeakScan, ...]:
    if staged:
        if history or paths:
            raise UsageError("--staged cannot be combined with paths or --history", remedy="remove one of them")
        return (_scan_staged(system, directory),)
    places = list(paths) or [directory]
    roots = dict.fromkeys(_root(system, path) for path in places) if history else ()
    found = [_scan_path(system, path, history=history) for path in places]
    if roots:
        from release.leaks import git_history

        searched = [git_history.scan_history(system, root) for root in roots]
        known = {(leak.kind, leak.identity) for one in searched for leak in one.leaks}
        found = [_without(one, known) for one in found]
        found += (LeakScan(scope="history", searched=one) for one in searched)
    return tuple(found)


def _without(scan: LeakScan, known: set[tuple[str, str]]) -> LeakScan:
    """A scan without the secrets that the history has too, which are reported once."""
    leaks = tuple(leak for leak in scan.searched.leaks if (leak.kind, leak.identity) not in known)
    return replace(scan, searched=replace(scan.searched, leaks=leaks))


def _scan_path(system: System, path: Path, *, history: bool) -> LeakScan:
    if path.is_dir():
        found = worktree.scan_directory(system, path)
        if not history and (path / "objects").is_dir() and repository.is_bare(system, path):
            # git compresses them
            reason = "it is a bare repository; to search its objects: pypi-preflight leaks --history"
            found = replace(found, unread=(*found.unread, UnscannedFile(path="", reason=reason, given_up=True)))
        return LeakScan(scope="tree", searched=found)
    try:
        return LeakScan(scope="files", searched=_scan_file(path))
    except OSError as error:
        message = f"cannot read {quote_path(path)}: {_reason(error)}"
        raise UsageError(message, remedy="pass the path of a file or directory") from None


def _scan_file(path: Path) -> ScanResult:
    from release.leaks import file_scan

    return file_scan.scan_file(path, path.name)


def _reason(error: OSError) -> str:
    return os_error_reason(error)


def _scan_staged(system: System, directory: Path) -> LeakScan:
    from release.leaks import git_history

    try:
        return LeakScan(scope="staged", searched=git_history.scan_staged(system, directory))
    except ToolError:
        if repository.find_root(system, directory) is None:
            raise _no_repository(directory) from None
        raise


def _root(system: System, path: Path) -> Path:
    directory = path if path.is_dir() else path.parent
    root = repository.find_root(system, directory)
    if root is not None:
        return root
    if repository.is_bare(system, directory):
        return directory
    raise _no_repository(path)


def _no_repository(path: Path) -> UsageError:
    return UsageError(
        f"{quote_path(path)} is not in a git repository, so it has no history and no index",
        remedy="scan its files: pypi-preflight leaks",
    )
