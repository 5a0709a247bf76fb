"""The files of a release as a set: those that are expected, wheels with the same tags, and the space that they need."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from release.checks.engine import Checklist, quote, warn
from release.checks.expected_patterns import suggest_pattern
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.check_result import Finding, NotApplicable, Note, Observation
from release.core.models.file_list import FileList, ListedFile, matches
from release.core.models.index import USER_DOCS, files_of_version
from release.core.models.project_limits import PROJECT_SIZE
from release.core.quoting import quote_path
from release.core.time_text import format_count

#: about any files
CHECKS = Checklist[BuiltFiles]()
#: where the configuration names the expected files
OF_EXPECTED = Checklist[BuiltFiles]()
#: where the build has listed its files
OF_LISTED = Checklist[BuiltFiles]()
#: where an index was asked what it has
OF_SPACE = Checklist[BuiltFiles]()

_LIMITS = f"{USER_DOCS}/project-management/storage-limits#requesting-a-project-size-limit-increase"
#: tags that are named in one message
_NAMED = 2


@CHECKS.check()
def no_two_wheels_have_the_same_tags(built: BuiltFiles) -> Iterator[Observation]:
    """No two wheels of a release have a tag in common.

    An index accepts both if their build numbers or their other tags differ, and installers choose one of them.
    """
    first: dict[tuple[str, str, str], BuiltFile] = {}
    shared: dict[tuple[str, str], tuple[BuiltFile, BuiltFile, list[str]]] = {}
    for file in built.files:
        for key in _tags(file.filename):
            other = first.setdefault(key, file)
            if other.filename != file.filename and (other.sha256 is None or other.sha256 != file.sha256):
                pair = shared.setdefault((other.filename, file.filename), (other, file, []))
                pair[2].append(key[2])
    for other, file, tags in shared.values():
        more = f" and {len(tags) - _NAMED} more" if len(tags) > _NAMED else ""
        what = "tag" if len(tags) == 1 else "tags"
        yield Finding(
            message=f"{_place(other)} and {_place(file)} both have the {what} {', '.join(sorted(tags)[:_NAMED])}{more}",
            remedy="release only one of them, or give one a new version",
            severity="warn" if built.project is None else "block",
            where=file.filename,
        )


def _tags(filename: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and each tag of a wheel; nothing where its name is not valid."""
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return
    yield from ((name, str(version), str(tag)) for tag in tags)


def _place(file: BuiltFile) -> str:
    return quote_path(file.place or file.filename)


@OF_EXPECTED.check()
def the_expected_files_are_there(built: BuiltFiles) -> Iterator[Observation]:
    """The release has the files that `expected` names.

    Each pattern must cover one file of the release, here or on the index.
    """
    if built.expected is None:
        yield NotApplicable(reason="`expected` in [tool.release] is not set")
        return
    missing, hints = _missing_patterns(built, built.expected)
    for pattern, hint in hints.items():
        yield Finding(
            message=f"no file matches {pattern!r}: did you mean {hint!r}?",
            remedy=f'write "{hint}" in {built.expected.place}',
        )
    absent = [pattern for pattern in missing if pattern not in hints]
    if absent:
        yield Finding(
            message=f"no file matches {quote(absent)}, which {built.expected.place} names",
            remedy="pass the directories of these files as well, after --files; or remove what is not built from "
            "`expected`"
            if built.given
            else "release the files that CI builds: pypi-preflight publish --files DIR",
        )


def _missing_patterns(built: BuiltFiles, expected: FileList) -> tuple[list[str], dict[str, str]]:
    """The patterns that cover no file, and of those that are misspelt the right ones."""
    names = _released_names(built)
    missing = [one.pattern for one in expected.entries if not any(matches(one.pattern, name) for name in names)]
    uncovered = _uncovered(expected, names)
    return missing, {pattern: hint for pattern in missing if (hint := suggest_pattern(pattern, uncovered))}


def _released_names(built: BuiltFiles) -> list[str]:
    """The names of the files that the release has once all are uploaded."""
    version = built.project.version if built.project else ""
    there = [one.filename for _, listing in built.listings for one in files_of_version(listing, version)]
    return list(dict.fromkeys([*(file.filename for file in built.files), *there]))


def _uncovered(files: FileList, names: Collection[str]) -> list[str]:
    return [name for name in names if not any(matches(one.pattern, name) for one in files.entries)]


@OF_EXPECTED.check()
def every_file_is_expected(built: BuiltFiles) -> Iterator[Observation]:
    """Each file of the release matches a pattern of `expected`.

    A file that a misspelt pattern was meant for is reported with that pattern.
    """
    if built.expected is None:
        yield NotApplicable(reason="`expected` in [tool.release] is not set")
        return
    _, hints = _missing_patterns(built, built.expected)
    uncovered = _uncovered(built.expected, dict.fromkeys(file.filename for file in built.files))
    if found := [name for name in uncovered if not any(matches(hint, name) for hint in hints.values())]:
        files = f"{format_count(len(found), 'file')} that no pattern of {built.expected.place} covers"
        yield warn(f"the release has {files}: {quote(found)}", "add a pattern, or do not pass these files")


@OF_LISTED.check()
def the_files_are_those_of_the_list(built: BuiltFiles) -> Iterator[Observation]:
    """The files are those of the list that the build wrote.

    A file that is missing, that is not listed or that has another SHA-256 is not what was built.
    """
    if built.listed is None:
        yield NotApplicable(reason="no list was passed: --require-complete FILE")
        return
    place, entries = built.listed.place, built.listed.entries
    names = [file.filename for file in built.files]
    if missing := [one.pattern for one in entries if not any(_covers(one, name) for name in names)]:
        yield Finding(
            message=f"{format_count(len(missing), 'file')} of {quote_path(place)} {_is_or_are(missing)} missing: "
            f"{quote(missing)}",
            remedy="pass the directories of these files as well, after --files",
        )
    if found := [name for name in names if not any(_covers(one, name) for one in entries)]:
        yield Finding(
            message=f"{format_count(len(found), 'file')} {_is_or_are(found)} not in {quote_path(place)}: "
            f"{quote(found)}",
            remedy=f"do not pass {'this file' if len(found) == 1 else 'these files'}, or add what was built on purpose "
            f"to {quote_path(place)}",
        )
    hashes = {one.pattern: one.sha256 for one in entries if one.sha256 is not None}
    for file in built.files:
        listed = hashes.get(file.filename)
        if listed is not None and file.sha256 is not None and listed != file.sha256:
            yield Finding(
                message=f"{_place(file)} is not the file of {quote_path(place)}: its SHA-256 is {file.sha256}, "
                f"not {listed}",
                remedy="pass the file that was built with the list, or let the build write the list again",
                where=file.filename,
            )


def _covers(entry: ListedFile, filename: str) -> bool:
    return matches(entry.pattern, filename) if entry.is_pattern else entry.pattern == filename


def _is_or_are(found: Collection[str]) -> str:
    return "is" if len(found) == 1 else "are"


@OF_SPACE.check()
def the_project_has_space_for_the_files(built: BuiltFiles) -> Iterator[Observation]:
    """The files fit into the storage that an index gives a project.

    PyPI raises the limit of a project on request, and does not show it. Source: warehouse, `forklift/legacy.py`.
    """
    asked = [(index, listing) for index, listing in built.listings if index.kind == "warehouse"]
    if not asked:
        yield NotApplicable(reason="the limits of the index are not known")
    for index, listing in asked:
        there = listing.files if listing else ()
        known = sum(one.size for one in there if one.size is not None)
        unknown = sum(one.size is None for one in there)
        names = {one.filename for one in there}
        new = sum(file.size for file in built.files if file.filename not in names)
        parts = f"{_gibibytes(known)} there and {_gibibytes(new)} new"
        remedy = f"unless {index.name} has raised the limit of the project, request more: {_LIMITS}"
        if known + new > PROJECT_SIZE:
            more = f"; {format_count(unknown, 'file')} there of unknown size" if unknown else ""
            yield warn(
                f"the files of the project would take {_gibibytes(known + new)} on {index.name} ({parts}{more}), more "
                f"than the {PROJECT_SIZE // 1024**3} GiB that a project has by default",
                remedy,
                index.name,
                cause="size.project",
            )
        elif unknown:
            total = f"{format_count(unknown, 'file')} of {len(there)} there"
            yield Note(message=f"{index.name} lists no size of {total}; the others: {parts}", remedy=remedy)


def _gibibytes(size: int) -> str:
    return f"{size / 1024**3:.2f} GiB" if size < 100 * 1024**3 else f"{size / 1024**3:.0f} GiB"
