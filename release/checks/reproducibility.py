"""The built files compared with a second build, and with an index that has a file of the same name."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from release.acceptance.open_distribution import stream_digests
from release.checks.engine import Checklist, warn
from release.core.facts import BuiltFile, BuiltFiles, FilenameConflict
from release.core.models.check_result import Finding, NotApplicable, Observation

#: fields of a member that are content, not packing
_CONTENT = frozenset({"content", "type"})
#: differences listed in one message
_LISTED = 3
#: bytes of a gzip header that hold the time. Source: RFC 1952, 2.3
_GZIP_TIME = slice(4, 8)
#: the members of an archive by path, and its own fields under "": field → value
_Fields = Mapping[str, Mapping[str, Any]]

OF_BUILDS, OF_INDEXES = Checklist[BuiltFiles](), Checklist[BuiltFiles]()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDifference:
    """How two files of the same name differ."""

    #: whether their contents differ, not only how those are packed
    content: bool
    #: members and fields, each in words
    details: tuple[str, ...]

    def to_text(self) -> str:
        more = f" and {len(self.details) - _LISTED} more" if len(self.details) > _LISTED else ""
        kind = "different contents" if self.content else "the same contents, packed differently"
        return f"{kind}: {', '.join(self.details[:_LISTED])}{more}"


@OF_BUILDS.check()
def the_build_is_reproducible(built: BuiltFiles) -> Iterator[Observation]:
    """The build is reproducible.

    setuptools and pdm-backend write the time of the build into an sdist regardless of SOURCE_DATE_EPOCH: then at least
    the contents are the same.
    """
    if built.second_build is None:
        yield NotApplicable(reason="tool.release.reproducible is not set")
    else:
        yield from _compare(built, built.second_build, "a second build")


@OF_BUILDS.check()
def the_wheel_is_the_same_from_the_tree(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel built from the sdist equals the one built from the source tree.

    Otherwise the sdist is incomplete.
    """
    if built.from_tree is None:
        yield NotApplicable(reason="tool.release.wheel-from-tree is not set")
    else:
        yield from _compare(built, (built.from_tree,), "a build from the source tree")


def _compare(built: BuiltFiles, others: tuple[BuiltFile, ...], what: str) -> Iterator[Observation]:
    by_name = {file.filename: file for file in built.files}
    for other in others:
        one = by_name.get(other.filename)
        if one is None:
            message, remedy = f"{what} creates {other.filename!r}, which the first did not", "find the cause"
        elif found := compare_builds(one, other):
            message = f"{what} gives {found.to_text()}"
            remedy = (
                "find what reads the clock, the machine or an unsorted directory during the build"
                if found.content
                else "none needed if only the contents matter; otherwise use a backend that respects SOURCE_DATE_EPOCH"
            )
        else:
            continue
        yield warn(message, remedy, other.filename, source="https://reproducible-builds.org/docs/source-date-epoch/")


@OF_INDEXES.check()
def no_index_has_other_bytes(built: BuiltFiles) -> Iterator[Observation]:
    """No index has other content under these names, or this content under others.

    A file name can be used only once, even if the file is deleted; no index replaces a file. PyPI accepts content only
    once, too.
    """
    ours = {file.filename: file for file in built.files}
    for one in built.conflicts:
        if one.other_name is not None:
            yield Finding(
                message=f"{one.index.name} has the bytes of {one.filename!r} already, as {one.other_name!r}",
                remedy=f"do not upload it: {one.other_name} is there; or rebuild the wheel with other tags",
                where=one.filename,
                server_text=f"File already exists ('{one.filename}', with the same bytes).",
                cause="file.exists-different",
            )
            continue
        if isinstance(one.file, BuiltFile):
            found = compare_builds(ours[one.filename], one.file)
            difference = found.to_text() if found else "the same when read again"
        else:
            sha256 = ours[one.filename].sha256 or ""
            difference = f"its SHA-256 is {one.sha256[:12]}…, ours is {sha256[:12]}… ({one.file.reason})"
        yield Finding(
            message=f"{one.index.name} has {one.filename!r} with different content: {difference}",
            remedy=_conflict_remedy(built, one),
            where=one.filename,
            server_text=f"File already exists ('{one.filename}', with other bytes).",
            cause="file.exists-different",
        )


def _conflict_remedy(built: BuiltFiles, one: FilenameConflict) -> str:
    version = built.project.version if built.project else ""
    bump = f"bump the version (for example to {version}.post1)" if version else "bump the version"
    if not one.on_dry_run_index:
        return f"{bump}: the file name cannot be used again on {one.index.name}"
    return (
        f"{bump}; or, if only the packing differs, make the build reproducible and upload the files of that first "
        "build; or use the sandbox for the dry run: --dry-run-on sandbox"
    )


def compare_builds(one: BuiltFile, other: BuiltFile) -> BuildDifference | None:
    """How two files differ; None where they have the same bytes."""
    with one.open() as first, other.open() as second:
        if stream_digests(first, ["sha256"]) == stream_digests(second, ["sha256"]):
            return None
        read = _read_zip if one.filename.endswith(".whl") else _read_tar
        here, there = read(first), read(second)
    found = list(_differences(here, there))
    content = [text for is_content, text in found if is_content]
    details = content or [text for _, text in found]
    if not details:
        details = ["the order of the members" if list(here) != list(there) else "the compression"]
    return BuildDifference(content=bool(content), details=tuple(details))


def _differences(here: _Fields, there: _Fields) -> Iterator[tuple[bool, str]]:
    """Whether it is content, and member and field in words."""
    for path in sorted(here.keys() ^ there.keys()):
        yield True, f"{path!r} is in only one of them"
    for path in sorted(here.keys() & there.keys()):
        for field, value in here[path].items():
            if value != there[path][field]:
                yield field in _CONTENT, f"{field} of {path!r}" if path else f"{field} of the archive"


def _read_zip(stream: BinaryIO) -> _Fields:
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


def _read_tar(stream: BinaryIO) -> _Fields:
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
