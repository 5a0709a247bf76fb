"""The names of the files on the indexes that they are meant for: whoever has one with other bytes takes no second."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.engine import Check, check
from release.checks.reproducibility import in_words
from release.core.facts import BuiltFile, BuiltFiles, FilenameConflict
from release.core.models.finding import Finding, Observation


@check()
def no_index_has_other_bytes(built: BuiltFiles) -> Iterator[Observation]:
    """No index has a file of the same name with other bytes.

    A name that was used once is used for ever, even after the file was deleted; no index replaces a file.
    """
    ours = {file.filename: file for file in built.files}
    for one in built.taken:
        yield Finding(
            message=f"{one.index.name} has {one.filename!r} with other bytes: {_difference(ours[one.filename], one)}",
            remedy=_ways_out(built, one),
            where=one.filename,
            server_text=f"File already exists ('{one.filename}', with other bytes).",
            cause="file.exists-different",
        )


def _difference(ours: BuiltFile, one: FilenameConflict) -> str:
    """How they differ, member by member, where the file there could be fetched."""
    if isinstance(one.file, BuiltFile):
        return in_words(ours, one.file) or "the same, as read again"
    return f"its SHA-256 is {one.sha256[:12]}…, ours is {(ours.sha256 or '')[:12]}… ({one.file.reason})"


def _ways_out(built: BuiltFiles, one: FilenameConflict) -> str:
    version = built.project.version if built.project else ""
    new = f"take a new version (say {version}.post1)" if version else "take a new version"
    if not one.proving:
        return f"{new}: this one is used up on {one.index.name}"
    return (
        f"one of three: {new}; or, where the difference is in the packing alone, make the build reproducible and "
        "upload the very files of that first build; or rehearse on the sandbox in its place: --dry-run-on sandbox"
    )


CHECKS: tuple[Check[BuiltFiles], ...] = (no_index_has_other_bytes,)
