"""Files that were built a second time: what differs, member and field by name."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from release.acceptance.file_rules import hashed
from release.checks.engine import Check, check
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.finding import Finding, NotApplicable, Observation

#: fields of a member that are its content, not its packing
_CONTENT = frozenset({"content", "type"})
_OTHER = "other contents"
#: differences named in one message
_SHOWN = 3
#: bytes of a gzip header that hold the time. Source: RFC 1952, 2.3
_GZIP_TIME = slice(4, 8)
#: the members of an archive, by path, and its own fields under "": field → value
_Fields = Mapping[str, Mapping[str, Any]]


@check()
def the_build_is_reproducible(built: BuiltFiles) -> Iterator[Observation]:
    """A second build gives the same bytes.

    setuptools and pdm-backend write the time of the build into an sdist whatever SOURCE_DATE_EPOCH says: then
    at least the contents are the same.
    """
    if built.again is None:
        yield NotApplicable(reason="tool.release.reproducible is not set")
    else:
        yield from _compare(built, built.again, "a second build")


@check()
def the_wheel_is_the_same_from_the_tree(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel that is built from the sdist is the one that the tree gives: the sdist lacks nothing."""
    if built.from_tree is None:
        yield NotApplicable(reason="tool.release.wheel-from-tree is not set")
    else:
        yield from _compare(built, (built.from_tree,), "a build from the tree")


def _compare(built: BuiltFiles, others: tuple[BuiltFile, ...], what: str) -> Iterator[Observation]:
    by_name = {file.filename: file for file in built.files}
    for other in others:
        one = by_name.get(other.filename)
        if one is None:
            yield _warn(other.filename, f"{what} makes {other.filename!r}, which the first did not", "name the cause")
        elif found := in_words(one, other):
            remedy = (
                "find what reads the clock, the machine or an unsorted directory while it builds"
                if found.startswith(_OTHER)
                else "nothing, if contents are what counts; else a backend that heeds SOURCE_DATE_EPOCH"
            )
            yield _warn(one.filename, f"{what} gives {found}", remedy)


def in_words(one: BuiltFile, other: BuiltFile) -> str:
    """How two files differ: in their contents, or in how those are packed, and where; empty for the same bytes."""
    found = differences(one, other)
    content = [text for is_content, text in found if is_content]
    shown = content or [text for _, text in found]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    kind = _OTHER if content else "the same contents, packed otherwise"
    return f"{kind}: {', '.join(shown[:_SHOWN])}{more}" if found else ""


def _warn(filename: str, message: str, remedy: str) -> Finding:
    source = "https://reproducible-builds.org/docs/source-date-epoch/"
    return Finding(message=message, remedy=remedy, severity="warn", where=filename, source=source)


def differences(one: BuiltFile, other: BuiltFile) -> list[tuple[bool, str]]:
    """What differs between two files: whether it is content, and member and field in words. Same bytes: nothing."""
    with one.open() as first, other.open() as second:
        if hashed(first, ["sha256"]) == hashed(second, ["sha256"]):
            return []
        read = _zip if one.filename.endswith(".whl") else _tar
        here, there = read(first), read(second)
    found = list(_fields(here, there))
    if not found:
        order = list(here) != list(there)
        found = [(False, "the order of the members" if order else "the compression")]
    return found


def _fields(here: _Fields, there: _Fields) -> Iterator[tuple[bool, str]]:
    for path in sorted(here.keys() ^ there.keys()):
        yield True, f"{path!r} is in one of them only"
    for path in sorted(here.keys() & there.keys()):
        for field, value in here[path].items():
            if value != there[path][field]:
                yield field in _CONTENT, f"{field} of {path!r}" if path else f"{field} of the archive"


def _zip(stream: BinaryIO) -> _Fields:
    with zipfile.ZipFile(stream) as archive:
        return {
            info.filename: {
                "content": hashlib.sha256(archive.read(info)).digest(),
                "time": info.date_time,
                "mode": info.external_attr >> 16,
                "system": info.create_system,
                "extra field": info.extra,
            }
            for info in archive.infolist()
        }


def _tar(stream: BinaryIO) -> _Fields:
    stream.seek(0)
    fields: dict[str, Mapping[str, Any]] = {"": {"gzip time": stream.read(10)[_GZIP_TIME]}}
    stream.seek(0)
    with gzip.GzipFile(fileobj=stream) as unpacked, tarfile.open(fileobj=unpacked) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isreg() else None
            fields[member.name] = {
                "content": hashlib.sha256(content.read()).digest() if content else member.linkname,
                "type": member.type,
                "time": member.mtime,
                "mode": member.mode,
                "owner": (member.uid, member.gid, member.uname, member.gname),
            }
    return fields


CHECKS: tuple[Check[BuiltFiles], ...] = (the_build_is_reproducible, the_wheel_is_the_same_from_the_tree)
