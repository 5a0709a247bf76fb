"""Files that were built elsewhere, to be released from here: they and the index are all that is needed."""

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
    """The distributions that are named, or lie in the directories that are. Raises `UsageError`.

    All of them are of one release: two versions in one directory are a mistake as old as `dist/`.
    """
    found = tuple(builder.load_distribution(path) for path in dict.fromkeys(_named(paths)))
    releases = {_release(file.filename) for file in found}
    if len(releases) > 1:
        shown = ", ".join(sorted(repr(file.filename) for file in found)[:4])
        raise UsageError(f"the files are of {len(releases)} releases: {shown}, …", remedy="name the files of one")
    names = [file.filename for file in found]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{doubled!r} is given twice, from two directories", remedy="name it once")
    return found


def _named(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.name.endswith(_ENDINGS) and one.is_file())
            if not inside:
                raise UsageError(f"no wheel and no sdist in {str(path)!r}", remedy="name the directory that has them")
            yield from (one.absolute() for one in inside)
        elif path.is_file() and path.name.endswith(_ENDINGS):
            yield path.absolute()
        else:
            what = "is no wheel and no sdist" if path.exists() else "is not there"
            raise UsageError(f"{str(path)!r} {what}", remedy="name wheels, sdists, or a directory that has them")


def _release(filename: str) -> tuple[str, str]:
    """Name and version that a file is of, normalised."""
    try:
        parsed = parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UsageError(f"{filename!r} is no name of a distribution: {error}", remedy="build it anew") from None
    return parsed[0], str(parsed[1])


def source_of(found: tuple[Distribution, ...], config: Config) -> Source:
    """What the files say of themselves stands for the project. Raises `ToolError` where they don't."""
    return Source(config=config, project=collect.project_of_files(found), git=None, tag=None, changelog=None)


def reject_changed(found: Sequence[Distribution], directory: Path) -> None:
    """Refuse files of which an index has other bytes already, as a journal here tells. Raises `RefusedError`."""
    hashes = {file.filename: file.sha256 for file in found}
    for journal in journals.release_journals(directory):
        for event in journal.events():
            name = event.get("file")
            if event["event"] != "accepted" or event["index"] == "sandbox" or name not in hashes:
                continue
            if event.get("sha256") != hashes[name]:
                raise RefusedError(
                    f"{name!r} is not the file that {event['index']} has: the journal has SHA-256 {event['sha256']}",
                    remedy=f"release the file from {str(journal.dist)!r}, or a new version",
                )
