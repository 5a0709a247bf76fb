"""The built files compared with a second build, and with an index that has a file of the same name."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from release.acceptance.open_distribution import stream_digests
from release.checks.archive_fields import ArchiveFields, UnreadableArchiveError, read_archive
from release.checks.engine import Checklist, warn
from release.core.facts import BuiltFile, BuiltFiles, FilenameConflict
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown

#: fields of a member that are content, not packing
_CONTENT = frozenset({"content", "type"})
#: differences listed in one message
_LISTED = 3

OF_BUILDS, OF_INDEXES = Checklist[BuiltFiles](), Checklist[BuiltFiles]()


class BuildDifference(Struct, frozen=True, kw_only=True):
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
        if one.sha256 is None:
            yield _of_unknown_bytes(one, ours[one.filename])
            continue
        if isinstance(one.file, BuiltFile):
            found = compare_builds(ours[one.filename], one.file)
            difference = found.to_text() if found else "the same when read again"
        else:
            difference = one.file.reason
        yield Finding(
            message=f"{one.index.name} has {one.filename!r} with different content: its SHA-256 is {one.sha256}, "
            f"ours is {ours[one.filename].sha256}; {difference}",
            remedy=_conflict_remedy(built, one),
            where=one.filename,
            server_text=f"File already exists ('{one.filename}', with other bytes).",
            cause="file.exists-different",
        )


def _of_unknown_bytes(one: FilenameConflict, ours: BuiltFile) -> Unknown:
    return Unknown(
        reason=f"{one.index.name} has {one.filename!r}, and lists no SHA-256 for it that can be believed: whether its "
        f"bytes are ours, SHA-256 {ours.sha256}, is unknown",
        remedy=f"bump the version; or, if the file on {one.index.name} has this SHA-256, do not upload it again",
        cause="post.no-strong-hash",
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
        try:
            here, there = read_archive(first, one.filename), read_archive(second, one.filename)
        except UnreadableArchiveError as error:
            return BuildDifference(content=True, details=(f"one of them {error}",))
    found = list(_differences(here, there))
    content = [text for is_content, text in found if is_content]
    details = content or [text for _, text in found]
    if not details:
        details = ["the order of the members" if list(here) != list(there) else "the compression"]
    return BuildDifference(content=bool(content), details=tuple(details))


def _differences(here: ArchiveFields, there: ArchiveFields) -> Iterator[tuple[bool, str]]:
    """Whether it is content, and member and field in words."""
    for path in sorted(here.keys() ^ there.keys()):
        yield True, f"{path!r} is in only one of them"
    for path in sorted(here.keys() & there.keys()):
        for field, value in here[path].items():
            if value != there[path][field]:
                yield field in _CONTENT, f"{field} of {path!r}" if path else f"{field} of the archive"
