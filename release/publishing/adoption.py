"""A release that is complete on its indexes, but whose journal is lost: its files replace those of a new build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.system.safe_write import write_atomically
from release.adapters.system.system import System
from release.checks.reproducibility import compare_builds
from release.core.facts import BuiltFile, FilenameConflict
from release.core.models.distribution import Distribution
from release.core.models.index import ProjectListing
from release.publishing.journal import Journal

ADOPTED = "the indexes have files of the same contents, packed differently: using those"


def adopt_released_files(
    system: System,
    files: Sequence[Distribution],
    conflicts: Sequence[FilenameConflict],
    listings: Mapping[str, ProjectListing | None],
    journal: Journal,
) -> tuple[Distribution, ...] | None:
    """The released files, if they have the contents of `files` but are packed differently. The journal records them.

    setuptools and others write the time of the build into an sdist, so that a second build of the same commit is never
    the file that was released. None unless all indexes have all files, of equal bytes. Raises `OSError`.
    """
    if not conflicts or not listings or not _is_complete(files, listings):
        return None
    ours = {one.filename: one for one in collect.collect_built(system, tuple(files), None).files}
    released: dict[str, BuiltFile] = {}
    for one in conflicts:
        if not isinstance(one.file, BuiltFile):
            return None
        difference = compare_builds(ours[one.filename], one.file)
        if difference is None or difference.content:
            return None
        released[one.filename] = one.file
    for name, file in released.items():
        with file.open() as stream:
            write_atomically(journal.dist / name, stream.read())
    adopted = tuple(builder.load_distribution(file.path) for file in files)
    record = [{"file": file.filename, "sha256": file.sha256, "size": file.size} for file in adopted]
    journal.write("built", origin="index", files=record)
    return adopted


def _is_complete(files: Sequence[Distribution], listings: Mapping[str, ProjectListing | None]) -> bool:
    """Whether all indexes list all files, each with one hash everywhere."""
    for file in files:
        found = {known.sha256 if (known := one.file(file.filename)) else None for one in listings.values() if one}
        if None in listings.values() or None in found or len(found) != 1:
            return False
    return True
