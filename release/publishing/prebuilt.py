"""Files that were built elsewhere: they can be released without a project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from release.adapters import collect
from release.adapters.builds import builder
from release.core.config import Config
from release.core.errors import RefusedError, UsageError
from release.core.facts import Source
from release.core.models.distribution import Distribution
from release.publishing import journal as journals

_ENDINGS = (".whl", ".tar.gz", ".zip")


def find_distributions(paths: Sequence[Path]) -> tuple[Distribution, ...]:
    """The distributions among `paths`, and in those that are directories. All must belong to one release.

    Raises `UsageError`.
    """
    found = tuple(builder.load_distribution(path) for path in dict.fromkeys(_expand(paths)))
    releases = {_parse_filename(file.filename) for file in found}
    if len(releases) > 1:
        shown = ", ".join(sorted(repr(file.filename) for file in found)[:4])
        raise UsageError(
            f"the files belong to {len(releases)} releases: {shown}, …", remedy="pass the files of one release"
        )
    names = [file.filename for file in found]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{duplicate!r} is passed twice, from two directories", remedy="pass it once")
    return found


def _expand(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.name.endswith(_ENDINGS) and one.is_file())
            if not inside:
                raise UsageError(f"{str(path)!r} has no wheel or sdist", remedy="pass the directory that has them")
            yield from (one.absolute() for one in inside)
        elif path.is_file() and path.name.endswith(_ENDINGS):
            yield path.absolute()
        else:
            what = "is not a wheel or sdist" if path.exists() else "does not exist"
            raise UsageError(f"{str(path)!r} {what}", remedy="pass wheels, sdists, or a directory that has them")


def _parse_filename(filename: str) -> tuple[str, str]:
    """Normalized name and version in a file name."""
    try:
        parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UsageError(f"{filename!r} is not a valid file name: {error}", remedy="build it again") from None
    return parsed[0], str(parsed[1])


def source_of(found: tuple[Distribution, ...], config: Config) -> Source:
    """The source facts from the metadata of the files. Raises `ToolError` where they have none."""
    return Source(config=config, project=collect.project_of_files(found), git=None, tag=None, changelog=None)


def reject_changed(found: Sequence[Distribution], directory: Path) -> None:
    """Raise `RefusedError` where, by a journal here, an index has a file of the same name with different content."""
    hashes = {file.filename: file.sha256 for file in found}
    for journal in journals.release_journals(directory):
        for event in journal.events():
            name = event.get("file")
            if event["event"] != "accepted" or event["index"] == "sandbox" or name not in hashes:
                continue
            if event.get("sha256") != hashes[name]:
                raise RefusedError(
                    f"{name!r} is not the file on {event['index']}, whose SHA-256 in the journal is {event['sha256']}",
                    remedy=f"use the file in {str(journal.dist)!r}, or release a new version",
                )
