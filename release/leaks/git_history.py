"""Scan all objects of a repository for secrets, or what is staged, and locate each secret in the history.

Every stored object is scanned, even if no branch reaches it: stashes, the reflog, amended commits. `git cat-file
--batch` returns the objects; of most versions of a file only the difference is scanned.
"""

from __future__ import annotations

import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.git import objects as cat_file
from release.adapters.git import repository
from release.adapters.git.git_settings import git_environment
from release.adapters.system.parallel import MOST, map_in_processes
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.leak import Leak, ScanResult, UnscannedFile, merge_scans
from release.core.time_text import format_count
from release.leaks import credential_files, file_scan
from release.leaks.scanner import changed_part, may_hold_secret, scan_bytes

#: bytes of objects from which on more processes are worth their start
_LARGE = 64 << 20
#: Cores for each process and its git. More processes would separate the versions of a file.
_CORES = 2
#: bytes of files that are cached for comparison with later versions, and of the smallest such file
_CACHE_SIZE, _SMALL = 64 << 20, 4096
#: object names on one command line; Windows allows about 32,000 characters
_NAMES = 400
#: Only stored objects are scanned: replacement objects are ignored.
_OFFLINE = {"GIT_NO_REPLACE_OBJECTS": "1"}
#: the type that git gives an object that it cannot read
_DAMAGED = "missing"
_STAGED = re.compile(rb":\d+ (?P<mode>\d+) [0-9a-f]+ (?P<name>[0-9a-f]+) [A-Z]\d*\0(?P<path>[^\0]+)\0")
_RAW = re.compile(r":\d+ \d+ (?P<old>[0-9a-f]+) (?P<new>[0-9a-f]+) [A-Z]\d*\t(?P<path>.+)")


def scan_history(system: System, root: Path) -> ScanResult:
    """Scan every object of the repository at `root`; a secret in several objects is one leak.

    Raises `ToolError` where git fails, because an incomplete scan would look like a clean one.
    """
    env = git_environment(system) | _OFFLINE
    listed = cat_file.list_objects(root, env)
    objects = [one for one in listed if one.type != _DAMAGED]
    count = max(1, (os.cpu_count() or 1) // _CORES) if sum(one.size for one in objects) >= _LARGE else 1
    shares = _shares(objects, min(count, MOST))
    try:
        parts = list(map_in_processes(partial(_search, str(root), env), shares))
        files = _named(root, env, dict(pair for _, named in parts for pair in named))
    except cat_file.ObjectReadError as error:
        raise cat_file.git_scan_error("cat-file", str(error)) from None
    found = merge_scans([*(searched for searched, _ in parts), ScanResult(leaks=files)])
    return replace(
        found,
        leaks=_placed(root, env, found.leaks),
        unread=(*found.unread, *_missing(system, root), *_damaged(root, env, listed)),
        count=len(objects),
    )


def scan_staged(system: System, directory: Path) -> ScanResult:
    """Scan what is staged for the next commit. Raises `ToolError` where git fails.

    The index is that of the environment: git passes another one to the hooks of `git commit --all` and
    `git commit FILE`.
    """
    env = git_environment(system, selected=True) | _OFFLINE
    listed = cat_file.git_bytes(
        directory, env, "diff", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff",
        "--ignore-submodules=all", "--diff-filter=ACMT",
    )  # fmt: skip
    paths = [(found["name"].decode(), found["path"].decode("utf-8", "replace")) for found in _STAGED.finditer(listed)]
    try:
        bodies = cat_file.read_objects(str(directory), env, [name for name, _ in paths]) if paths else ()
        return merge_scans(
            file_scan.scan_stream(body, path, one.size) for (_, path), (one, body) in zip(paths, bodies, strict=True)
        )
    except cat_file.ObjectReadError as error:
        raise cat_file.git_scan_error("cat-file", str(error)) from None


def _shares(objects: Sequence[cat_file.GitObject], count: int) -> list[tuple[str, ...]]:
    """The names of the objects in their order, divided into up to `count` shares of about the same size."""
    most, before = sum(one.size for one in objects) // count + 1, 0
    shares: list[list[str]] = [[] for _ in range(count)]
    for one in objects:
        shares[before // most].append(one.name)
        before += one.size
    return [tuple(share) for share in shares if share]


def _search(
    root: str, env: Mapping[str, str], names: tuple[str, ...]
) -> tuple[ScanResult, tuple[tuple[str, str], ...]]:
    """Scan some objects; may run in its own process. Returns also the object and name of each credential file."""
    found: list[ScanResult] = []
    named: list[tuple[str, str]] = []
    versions = _Versions()
    for one, body in cat_file.read_objects(root, env, names):
        if one.type == "tree":
            named += credential_files.named_in_tree(body.read(), len(one.name) // 2)
            continue
        result = _scan_object(body, one.size, versions)
        if result.leaks or result.unread:
            leaks = tuple(replace(leak, object=one.name, object_type=one.type) for leak in result.leaks)
            path = f"{one.type} {one.name[:12]}"
            unread = tuple(replace(part, path=path + part.path) for part in result.unread)
            found.append(ScanResult(leaks=leaks, unread=unread))
    return merge_scans(found), tuple(named)


def _scan_object(body: IO[bytes], size: int, versions: _Versions) -> ScanResult:
    if not isinstance(body, io.BytesIO):
        return file_scan.scan_stream(body, "", size)
    data = body.getvalue()
    if file_scan.archive_format(data) is None and not may_hold_secret(changed_part(data, versions.find(data))):
        versions.add(data)
        return ScanResult()
    return file_scan.scan_content(data, "")


class _Versions:
    """A cache of files without secrets, by their first and last bytes: most changes are between these.

    Of another version of such a file, only the difference must be scanned.
    """

    def __init__(self) -> None:
        self._files: dict[bytes, bytes] = {}
        self._size = 0

    def find(self, data: bytes) -> bytes:
        """The last file with the same first and last bytes; empty where there is none."""
        return self._files.get(_ends(data), b"")

    def add(self, data: bytes) -> None:
        if len(data) < _SMALL:
            return
        ends = _ends(data)
        # Removed first, so that the most recently used file is evicted last.
        self._size += len(data) - len(self._files.pop(ends, b""))
        self._files[ends] = data
        while self._size > _CACHE_SIZE:
            self._size -= len(self._files.pop(next(iter(self._files))))


def _ends(data: bytes) -> bytes:
    return data[:64] + data[-64:]


def _named(root: Path, env: Mapping[str, str], named: Mapping[str, str]) -> tuple[Leak, ...]:
    """The passwords in credential files."""
    found: list[Leak] = []
    for one, body in cat_file.read_objects(str(root), env, named) if named else ():
        leaks = scan_bytes(body.read(), named[one.name])
        found += (replace(leak, object=one.name) for leak in leaks if leak.kind in credential_files.KINDS)
    return tuple(found)


def _placed(root: Path, env: Mapping[str, str], leaks: Sequence[Leak]) -> tuple[Leak, ...]:
    """Each secret once, with the path and commit that added it."""
    groups: dict[tuple[str, str], list[Leak]] = defaultdict(list)
    for leak in leaks:
        groups[leak.kind, leak.identity].append(leak)
    names = sorted({leak.object for leak in leaks if leak.object and leak.object_type == "blob"})
    places: dict[str, _Place] = {}
    for at in range(0, len(names), _NAMES):
        places |= _places(root, env, names[at : at + _NAMES])
    return tuple(_first(group, places) for group in groups.values())


class _Place(Struct, frozen=True, kw_only=True):
    """Where an object was added to the history."""

    #: larger is earlier
    age: int
    commit: str
    path: str
    #: where it was later, too
    later_paths: tuple[str, ...] = ()


def _first(group: Sequence[Leak], places: Mapping[str, _Place]) -> Leak:
    others = len({leak.object for leak in group}) - 1
    known = [leak for leak in group if leak.object in places]
    if not known:
        return replace(group[0], others=others)
    located = sorted((_locate(leak, places) for leak in known), key=lambda leak: -places[leak.object or ""].age)
    # A key that tests have too is one of theirs, wherever it was before.
    first = next((leak for leak in located if leak.is_example), located[0])
    return replace(first, others=others)


def _locate(leak: Leak, places: Mapping[str, _Place]) -> Leak:
    place = places[leak.object or ""]
    inner = leak.path if leak.path.startswith("!") else ""
    first, *later = (replace(leak, path=path + inner, commit=place.commit) for path in (place.path, *place.later_paths))
    return next((one for one in (first, *later) if one.is_example), first)


def _places(root: Path, env: Mapping[str, str], names: Sequence[str]) -> dict[str, _Place]:
    """The commit and path that added each object; objects without a commit are left out.

    Empty where git cannot find them, as in a clone without trees.
    """
    words = (
        "-c", "core.quotePath=false", "log", "--all", "--reflog", "--topo-order", "-m", "--no-renames", "--raw",
        "--no-abbrev", "--no-show-signature", "--no-color", "--no-ext-diff", "--format=format:commit %H",
    )  # fmt: skip
    try:
        listed = cat_file.git_bytes(root, env, *words, *(f"--find-object={name}" for name in names))
    except ToolError:
        return {}
    places: dict[str, _Place] = {}
    commit = ""
    for age, line in enumerate(listed.decode("utf-8", "replace").splitlines()):
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif found := _RAW.fullmatch(line):
            before = places.get(found["new"])
            later = (before.path, *before.later_paths) if before else ()
            places[found["new"]] = _Place(age=age, commit=commit, path=found["path"], later_paths=later)
    return places


def _damaged(root: Path, env: Mapping[str, str], listed: Sequence[cat_file.GitObject]) -> Iterator[UnscannedFile]:
    """The objects that git cannot read, and the branches and tags whose commit is not stored, as without alternates."""
    remedy = "git fsck shows what is damaged; fetch it again from a remote: git fetch --refetch"
    for one in listed:
        if one.type == _DAMAGED:
            reason = f"it is damaged; {remedy}"
            yield UnscannedFile(path=f"object {one.name[:12]}", reason=reason, given_up=True)
    lost = cat_file.list_tips(root, env) - {one.name for one in listed}
    if lost:
        reason = f"{format_count(len(lost), 'commit')} of branches and tags is not stored here"
        yield UnscannedFile(path="", reason=f"{reason}; {remedy}", given_up=True)


def _missing(system: System, root: Path) -> Iterator[UnscannedFile]:
    """The parts of the history that are not stored here."""
    if repository.is_shallow(system, root):
        reason = "the clone is shallow; git fetch --unshallow fetches the rest of its history"
        yield UnscannedFile(path="", reason=reason)
    if repository.is_partial(system, root):
        reason = "the clone is partial; objects that were not fetched yet are only at its remote"
        yield UnscannedFile(path="", reason=reason)
