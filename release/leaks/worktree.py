"""Scan a directory for secrets: in a repository all files but ignored ones, else all but well-known litter.

In a repository, `git grep` finds the files that must be scanned, with all cores and as fast as memory allows.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.git import repository
from release.adapters.git.git_settings import git_environment
from release.adapters.system.program_path import with_program_path
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.quoting import quote_path
from release.leaks import prefilter

if TYPE_CHECKING:
    from release.core.models.leak import ScanResult

#: files, or bytes of them, from which on more processes are worth their start
_MANY, _LARGE = 500, 12 << 20
_SKIPPED = {*repository.LITTER, ".svn"}
#: shares of the files, for the processes
_SHARES = 16
#: files from which on a second `git grep` is worth its start
_TWO_GREPS = 1000
#: the most directories that select the files of one `git grep`
_MAX_DIRECTORIES = 12
#: the mode of a submodule
_SUBMODULE = "160000 "
#: the halves of the tree may differ by one in so many files
_TOLERANCE = 10
_TUNABLES = "GLIBC_TUNABLES"
#: For the memory that git reads each file into: the C library would return it to the system, and request it again for
#: each large file, which took a third of git's time. Up to this size it is reused, in large pages.
#: Source: mallopt(3), and the GNU C Library's manual, "Memory Allocation Tunables"; other libraries ignore it.
_REUSED_MEMORY = (
    "glibc.malloc.mmap_max=0", f"glibc.malloc.trim_threshold={64 << 20}", "glibc.malloc.hugetlb=1",
)  # fmt: skip


class PendingGrep(Struct, frozen=True, kw_only=True):
    """One or two running `git grep`; paths are relative, with forward slashes."""

    #: the files of a directory in a repository, without ignored ones
    names: tuple[str, ...]
    #: untracked files, which git does not search
    untracked: tuple[str, ...]
    #: the submodules and other repositories among them, which have files of their own
    nested: tuple[str, ...]
    processes: tuple[subprocess.Popen[bytes], ...]

    def suspects(self) -> Generator[tuple[str, ...], None, None]:
        """Wait for git: the files that must be scanned, as soon as each process ends; the others contain no secret.

        If git fails, as without PCRE, all files are suspects. To be closed, which ends the processes.
        """
        try:
            for one in self.processes:
                hits, _ = one.communicate()
                # 0: some files match; 1: none does; more: git could not search.
                yield tuple(_split(hits)) if one.returncode in {0, 1} else self.names
            yield self.untracked
        finally:
            for one in self.processes:
                one.kill()


def scan_directory(system: System, directory: Path) -> ScanResult:
    """Scan the files of a directory and of its submodules. Raises `ToolError` where git fails."""
    return _scan_inside(system, directory, None)


def _scan_inside(system: System, directory: Path, above: Path | None) -> ScanResult:
    """Scan a directory in the repository `above`, or in none.

    Git finds the repository above also for a submodule that is not checked out, and for one without its `.git`.
    """
    root = repository.find_root(system, directory)
    if root is None or root == above:
        return _scan_all_files(directory)
    grep = start_grep(system, directory)
    # Imported while git reads the files.
    from release.core.models.leak import merge_scans
    from release.leaks import file_scan  # noqa: F401 - for `_scan_names`
    from release.leaks.credential_files import may_hold_credentials

    if len(grep.processes) > 1:
        from release.leaks import detectors, index_tokens  # noqa: F401 - for files that match

    credentials = tuple(filter(may_hold_credentials, grep.names))
    with contextlib.closing(grep.suspects()) as suspects:
        found = _scan_in_turn(directory, chain(suspects, [credentials, grep.nested]))
    parts = [_with_prefix(_scan_nested(system, directory / name, root), name) for name in grep.nested]
    merged = merge_scans([found, *parts])
    return replace(merged, count=len(grep.names) - len(grep.nested) + sum(part.count for part in parts))


def _scan_in_turn(directory: Path, groups: Iterable[tuple[str, ...]]) -> ScanResult:
    """Scan groups of files, each file once. A few files are scanned while git still searches for the others."""
    from release.core.models.leak import ScanResult, merge_scans

    known, waiting, parts = set[str](), list[str](), list[ScanResult]()
    for group in groups:
        waiting += [name for name in dict.fromkeys(group) if name not in known]
        known.update(group)
        if waiting and not _is_much(directory, waiting):
            parts.append(_scan_names(str(directory), tuple(waiting)))
            waiting.clear()
    return _sorted(merge_scans([*parts, _scan_files(directory, tuple(waiting))]))


def _scan_nested(system: System, directory: Path, above: Path) -> ScanResult:
    """Scan a submodule, or another repository inside `above`. One that is a link or a file is not checked out.

    Where git cannot read it, all its files are scanned.
    """
    from release.core.models.leak import ScanResult, UnscannedFile

    if directory.is_dir() and not directory.is_symlink() and any(directory.iterdir()):
        try:
            return _scan_inside(system, directory, above)
        except ToolError:
            return _scan_all_files(directory)
    reason = "the submodule is not checked out; git submodule update --init --recursive fetches it"
    return ScanResult(unread=(UnscannedFile(path="", reason=reason),))


def _scan_all_files(directory: Path) -> ScanResult:
    names = tuple(_walk(directory))
    return replace(_scan_files(directory, names), count=len(names))


def _is_much(directory: Path, names: Sequence[str]) -> bool:
    """Whether the scan of these files is worth the start of processes."""
    return len(names) >= _MANY or _size(directory, names) >= _LARGE


def _scan_files(directory: Path, names: tuple[str, ...]) -> ScanResult:
    if not _is_much(directory, names):
        found = _scan_names(str(directory), names)
    else:
        from release.adapters.system.parallel import parallel_map
        from release.core.models.leak import merge_scans

        shares = [names[at::_SHARES] for at in range(min(_SHARES, len(names)))]
        with parallel_map(partial(_scan_names, str(directory)), shares) as results:
            found = merge_scans(results)
    return _sorted(found)


def _sorted(found: ScanResult) -> ScanResult:
    return replace(found, leaks=tuple(sorted(found.leaks, key=lambda leak: (leak.path, leak.line))))


def _size(directory: Path, names: Sequence[str]) -> int:
    """The bytes of the files; the scan itself reports those that cannot be read."""
    size = 0
    for name in names:
        with contextlib.suppress(OSError):
            size += (directory / name).lstat().st_size
    return size


def _scan_names(root: str, names: tuple[str, ...]) -> ScanResult:
    """Scan some files of a directory; may run in its own process."""
    from release.core.models.leak import merge_scans
    from release.leaks.file_scan import scan_in_directory

    return merge_scans(scan_in_directory(root, name) for name in names)


def _walk(directory: Path) -> Iterator[str]:
    for top, inner, files in os.walk(directory):
        inner[:] = [name for name in inner if name not in _SKIPPED and not Path(top, name, "pyvenv.cfg").exists()]
        place = Path(top).relative_to(directory)
        yield from ((place / name).as_posix() for name in files)


def _with_prefix(found: ScanResult, directory: str) -> ScanResult:
    return replace(
        found,
        leaks=tuple(replace(one, path=f"{directory}/{one.path}") for one in found.leaks),
        unread=tuple(replace(one, path=f"{directory}/{one.path}".rstrip("/")) for one in found.unread),
    )


def start_grep(system: System, directory: Path) -> PendingGrep:
    """List the files of a directory, and start to search them for what the prefilter matches. Raises `ToolError`."""
    listing = _start_git(system, directory, "ls-files", "-t", "-s", "-z", "--cached", "--others", "--exclude-standard")
    listed, errors = listing.communicate()
    if listing.returncode:
        raise ToolError(
            f"git ls-files failed in {quote_path(directory)}: {errors.decode('utf-8', 'replace').strip()!r}",
            remedy="run `git status` there, and fix what it reports",
        )
    entries = _split(listed)
    # A tracked entry is "H 100644 <object> 0\t<path>", an untracked one "? <path>". Source: git-ls-files(1), OUTPUT
    tracked = [entry for entry in entries if not entry.startswith("? ")]
    untracked = tuple(entry[2:] for entry in entries if entry.startswith("? "))
    names = tuple(dict.fromkeys([*(entry.partition("\t")[2] for entry in tracked), *untracked]))
    submodules = [entry.partition("\t")[2] for entry in tracked if entry.startswith(_SUBMODULE, 2)]
    nested = dict.fromkeys([*submodules, *(name.rstrip("/") for name in untracked if name.endswith("/"))])
    words = ["--perl-regexp", "--files-with-matches", "--null", "--text", "--no-color", "--no-full-name"]
    words += [word for pattern in (*prefilter.LINES, prefilter.ARCHIVES) for word in ("-e", pattern)]
    processes = [
        _start_git(system, directory, *options, "grep", *words, "--", *paths) for options, paths in _halves(names)
    ]
    return PendingGrep(names=names, untracked=untracked, nested=tuple(nested), processes=tuple(processes))


def _halves(names: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Options and pathspecs for each `git grep`: one for all files, or one for each half of a large tree.

    The threads of one git wait for each other most of the time: two with half as many threads take little more
    than half the time. Observed: git 2.39.5, 2026-11.
    """
    half = _half(names) if len(names) >= _TWO_GREPS else ()
    if not half:
        yield (), ()
        return
    options = ("-c", f"grep.threads={max(1, (os.cpu_count() or 1) // 2)}")
    yield options, tuple(f":(literal){path}" for path in half)
    yield options, (".", *(f":(exclude,literal){path}" for path in half))


def _half(names: Sequence[str]) -> tuple[str, ...]:
    """Directories with about half of the files: the largest that fit, and parts of one that does not."""
    missing, chosen, inside = len(names) // 2, list[str](), ""
    while True:
        below = (name for name in names if name.startswith(inside) and "/" in name[len(inside) :])
        counts = Counter(name[: name.index("/", len(inside))] for name in below)
        too_large = ""
        for path, count in counts.most_common(_MAX_DIRECTORIES):
            if count <= missing:
                chosen.append(path)
                missing -= count
            else:
                too_large = too_large or f"{path}/"
        if not too_large or len(chosen) >= _MAX_DIRECTORIES or missing * _TOLERANCE <= len(names):
            return tuple(chosen)
        inside = too_large


def _split(output: bytes) -> list[str]:
    return [part for part in os.fsdecode(output).split("\0") if part]


def _start_git(system: System, directory: Path, *words: str) -> subprocess.Popen[bytes]:
    env = git_environment(system)
    env[_TUNABLES] = ":".join(filter(None, [env.get(_TUNABLES), *_REUSED_MEMORY]))
    return subprocess.Popen(
        with_program_path(["git", *words], env), cwd=directory, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
