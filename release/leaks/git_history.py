"""Scan all objects of a repository for secrets, or what is staged, and locate each secret in the history.

Every stored object is scanned, even if no branch reaches it: stashes, the reflog, amended commits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from itertools import pairwise
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.git import objects as cat_file
from release.adapters.git import repository
from release.adapters.git.deltas import PackError
from release.adapters.git.git_settings import git_environment
from release.adapters.git.packs import Pack, open_pack
from release.adapters.system.parallel import MOST, parallel_map
from release.adapters.system.processors import usable_processors
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.leak import Leak, ScanResult, UnscannedFile, merge_scans
from release.core.time_text import format_count
from release.leaks import credential_files, file_scan
from release.leaks.object_scan import ObjectShare, ScannedObject, scan_share
from release.leaks.scanner import scan_bytes

#: bytes of objects that git reads, and of what packs store, from which on more processes are worth their start
_LARGE, _LARGE_PACKS = 64 << 20, 4 << 20
#: cores for each process and its git
_CORES = 2
#: Shares of what packs store: several for each process, because they take different times.
_SHARES = 16
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
    try:
        with cat_file.listing_objects(root, env) as wait:
            packs = _open_packs(root, env)
            shares = _pack_shares(root, env, packs)
            is_large = sum(pack.size for pack in packs.values()) >= _LARGE_PACKS
            with parallel_map(scan_share, shares) if is_large else nullcontext(map(scan_share, shares)) as results:
                listed = wait()
                absent = (*_missing(system, root), *_damaged(root, env, listed))
                objects = [one for one in listed if one.type != _DAMAGED]
                packed = {name for pack in packs.values() for name in pack.index.names()}
                scanned = _scanned(root, env, objects, packed, results)
        files = _named(root, env, dict(pair for one in scanned for pair in one.named))
    except cat_file.ObjectReadError as error:
        raise cat_file.git_scan_error("cat-file", str(error)) from None
    finally:
        open_pack.cache_clear()
    found = merge_scans([*(one.found for one in scanned), ScanResult(leaks=files)])
    return replace(
        found, leaks=_placed(root, env, found.leaks), unread=(*found.unread, *absent), count=len(objects),
    )  # fmt: skip


def _scanned(
    root: Path, env: Mapping[str, str], objects: Sequence[cat_file.GitObject], packed: Collection[str],
    results: Iterable[tuple[list[ScannedObject], list[str]]],
) -> list[ScannedObject]:  # fmt: skip
    """What was found in the objects, in their order: `results` are those of packs, git reads the others."""
    parts = list(results)
    left = {name for _, names in parts for name in names}
    others = [one for one in objects if one.name not in packed or one.name in left]
    with parallel_map(scan_share, _git_shares(root, env, others)) as more:
        parts += more
    scanned = {one.name: one for found, _ in parts for one in found}  # once, if it is in several packs
    places = {one.name: place for place, one in enumerate(objects) if one.name in scanned}
    return sorted(scanned.values(), key=lambda one: places.get(one.name, len(objects)))


def _open_packs(root: Path, env: Mapping[str, str]) -> dict[Path, Pack]:
    """The packs that can be read here, by the paths of their indexes; forked processes have them, too."""
    paths, width = cat_file.list_packs(root, env)
    packs = {}
    for path in paths:
        with suppress(PackError, OSError):
            packs[path] = open_pack(path, width)
    return packs


def _pack_shares(root: Path, env: Mapping[str, str], packs: Mapping[Path, Pack]) -> list[ObjectShare]:
    """Shares of the objects in packs."""
    shares, count = [], sum(len(pack.index) for pack in packs.values())
    for path, pack in packs.items():
        parts = -(-len(pack.index) * _SHARES // count)
        bounds = [len(pack.index) * part // parts for part in range(parts + 1)]
        shares += [
            ObjectShare(root=str(root), env=env, pack=path, width=pack.width, first=first, last=last)
            for first, last in pairwise(bounds)
        ]
    return shares


def _git_shares(root: Path, env: Mapping[str, str], objects: Sequence[cat_file.GitObject]) -> list[ObjectShare]:
    """Shares of about the same size, one for each process and its git. More would separate the versions of a file."""
    size = sum(one.size for one in objects)
    count = min(max(1, usable_processors() // _CORES), MOST) if size >= _LARGE else 1
    most, before = size // count + 1, 0
    shares: list[list[str]] = [[] for _ in range(count)]
    for one in objects:
        shares[before // most].append(one.name)
        before += one.size
    return [ObjectShare(root=str(root), env=env, names=tuple(names)) for names in shares if names]


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
