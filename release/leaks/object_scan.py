"""Scan objects of a git repository for secrets: those of a pack, or those that `git cat-file --batch` returns.

Of most versions of a file only the difference is scanned. These functions may run in processes of their own.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.git import objects as cat_file
from release.adapters.git.deltas import PackError
from release.adapters.git.packs import Pack, open_pack
from release.core.models.leak import ScanResult
from release.core.struct_fields import repr_without
from release.leaks import credential_files, file_scan
from release.leaks.scanner import difference, may_gain_secret, may_hold_secret

#: bytes of files that are cached for comparison with later versions, and of the smallest such file
_CACHE_SIZE, _SMALL = 64 << 20, 4096


class ScannedObject(Struct, frozen=True, kw_only=True):
    """What was found in one object."""

    name: str
    found: ScanResult = ScanResult()
    #: in a tree: the object and name of each credential file
    named: tuple[tuple[str, str], ...] = ()


class ObjectShare(Struct, frozen=True, kw_only=True):
    """Some objects of a repository: of a pack, or else by their names."""

    root: str
    env: Mapping[str, str]
    names: tuple[str, ...] = ()
    #: the index of the pack; and the bounds of the objects, in the order of `Pack`
    pack: Path | None = None
    first: int = 0
    last: int = 0
    #: the length of an object's name in bytes
    width: int = 20

    def __repr__(self) -> str:
        return repr_without(self, "env")


def scan_share(share: ObjectShare) -> tuple[list[ScannedObject], list[str]]:
    """Scan some objects; returns those in which anything was found, and the names of those that are left to git.

    Raises `ObjectReadError`.
    """
    left: list[str] = []
    if share.pack is None:
        return list(_from_git(share)), left
    try:
        pack = open_pack(share.pack, share.width)
    except (PackError, OSError) as error:
        raise cat_file.ObjectReadError(f"{share.pack.name} has been removed or changed: {error}") from None
    return list(_from_pack(pack, share, left)), left


def _from_git(share: ObjectShare) -> Iterator[ScannedObject]:
    versions = _Versions()
    for one, body in cat_file.read_objects(share.root, share.env, share.names):
        if one.type == "tree":
            yield from _scan_tree(one.name, body.read())
        else:
            yield from _with_object(one.name, one.type, _scan_object(body, one.size, versions))


def _from_pack(pack: Pack, share: ObjectShare, left: list[str]) -> Iterator[ScannedObject]:
    #: by number: whether an object has no secret, so that of others only what differs from it must be scanned
    clean = bytearray(len(pack.index) + 1)
    for one in pack.read(share.first, share.last):
        if isinstance(one, int):
            left.append(pack.index.name(one))
        elif one.type == "tree":
            yield from _scan_tree(pack.index.name(one.number), one.data)
        else:
            is_version = one.base >= 0 and clean[one.base]
            may_match = may_gain_secret(one.data, one.changes) if is_version else may_hold_secret(one.data)
            if may_match or file_scan.archive_format(one.data) is not None:
                found = file_scan.scan_content(one.data, "")
                yield from _with_object(pack.index.name(one.number), one.type, found)
            else:
                clean[one.number] = 1


def _scan_tree(name: str, data: bytes) -> Iterator[ScannedObject]:
    named = tuple(credential_files.named_in_tree(data, len(name) // 2))
    if named:
        yield ScannedObject(name=name, named=named)


def _with_object(name: str, kind: str, result: ScanResult) -> Iterator[ScannedObject]:
    if result.leaks or result.unread:
        leaks = tuple(replace(leak, object=name, object_type=kind) for leak in result.leaks)
        unread = tuple(replace(part, path=f"{kind} {name[:12]}{part.path}") for part in result.unread)
        yield ScannedObject(name=name, found=ScanResult(leaks=leaks, unread=unread))


def _scan_object(body: IO[bytes], size: int, versions: _Versions) -> ScanResult:
    if not isinstance(body, io.BytesIO):
        return file_scan.scan_stream(body, "", size)
    data = body.getvalue()
    changes = difference(data, versions.find(data))
    if file_scan.archive_format(data) is None and not may_gain_secret(data, changes):
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
