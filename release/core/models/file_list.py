"""The files that a release must have: patterns of the configuration, or a list that the build matrix wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from release.core.errors import UsageError
from release.core.foreign_json import ForeignJsonError, parse_foreign_json
from release.core.lazy_pattern import lazy_pattern
from release.core.quoting import quote_path
from release.core.wheel_tags import expand_tags

#: the pattern of an sdist
SDIST = "sdist"
#: endings of the files that an index accepts
ENDINGS = (".whl", ".tar.gz", ".zip")
#: a line of `sha256sum`, in text or binary mode, and of `sha256sum --tag` or BSD's `sha256`
_CHECKSUM = lazy_pattern(r"([0-9a-fA-F]{32,128}) [ *](.+)")
_TAGGED = lazy_pattern(r"([A-Z0-9-]+) ?\((.+)\) = ([0-9a-fA-F]{32,128})")
#: the name of a file that is uploaded to no index, such as a signature
_OTHER_FILE = lazy_pattern(r"\.[A-Za-z][A-Za-z0-9]*$|^[A-Z0-9]+SUMS?$")
#: one tag of a wheel
_TAG = lazy_pattern(r"[a-z]+\d+-\w+-\w+")
#: hex digits of a SHA-256
_DIGITS = 64
_REMEDY = "write one file name or pattern a line, the output of `sha256sum`, or a JSON array of names"


class ListedFile(Struct, frozen=True, kw_only=True):
    """An entry of a list."""

    #: a file name, or a pattern: see `matches`
    pattern: str
    #: 64 lower-case hex digits; None where the list has none
    sha256: str | None = None

    @property
    def is_pattern(self) -> bool:
        return not self.pattern.endswith(ENDINGS) or _has_wildcards(self.pattern)


class FileList(Struct, frozen=True, kw_only=True):
    """The files that a release must have."""

    #: what messages call the list: the path of a file, or "expected in [tool.release]"
    place: str
    entries: tuple[ListedFile, ...]


def matches(pattern: str, filename: str) -> bool:
    """Whether a pattern covers a file.

    It is compared with each tag of a wheel, `PYTHON-ABI-PLATFORM`, and with the file name, as a shell does; "sdist"
    covers any sdist.
    """
    if pattern == SDIST:
        return not filename.endswith(".whl")
    lower = pattern.lower()
    return fnmatchcase(filename, pattern) or any(fnmatchcase(tag, lower) for tag in expand_tags(filename))


def expected_files(patterns: Iterable[str]) -> FileList:
    """The list of `expected` in the configuration."""
    entries = tuple(ListedFile(pattern=one) for one in dict.fromkeys(patterns))
    return FileList(place="`expected` in [tool.release]", entries=entries)


def parse_file_list(text: str, place: str) -> FileList:
    """Read a list: lines with file names or patterns, the output of `sha256sum`, or a JSON array of such texts.

    Empty lines and comments (`#`) are ignored, and so are directories before a name, and names of files that are
    neither wheels nor sdists. `place` is its path, for messages. Raises `UsageError`, which names the line.
    """
    lines = _json_lines(text, place) if text.lstrip("\ufeff \t\r\n").startswith("[") else text.splitlines()
    entries: dict[str, ListedFile] = {}
    for number, line in enumerate(lines, 1):
        if (entry := _parse_line(line.strip().lstrip("\ufeff"), f"{place}, line {number}")) is None:
            continue
        before = entries.setdefault(entry.pattern, entry)
        if before.sha256 != entry.sha256:
            raise UsageError(
                f"{place}, line {number}: {entry.pattern!r} is listed twice, with different hashes",
                remedy="list each file once",
            )
    if not entries:
        raise UsageError(f"{quote_path(place)} lists no wheel and no sdist", remedy=_REMEDY)
    return FileList(place=place, entries=tuple(entries.values()))


def _json_lines(text: str, place: str) -> Iterator[str]:
    try:
        found = parse_foreign_json(text)
    except ForeignJsonError as error:
        raise UsageError(f"{quote_path(place)} is not valid JSON: {error}", remedy=_REMEDY) from None
    for number, one in enumerate(found, 1):
        if not isinstance(one, str):
            raise UsageError(f"{place}, line {number}: must be a file name, not {one!r}", remedy=_REMEDY)
        yield one


def _parse_line(line: str, place: str) -> ListedFile | None:
    if not line or line.startswith("#"):
        return None
    sha256, name = None, line
    if found := _CHECKSUM.fullmatch(line):
        sha256, name = found[1].lower(), found[2]
    elif found := _TAGGED.fullmatch(line):
        sha256, name = found[3].lower(), found[2]
    if sha256 is not None and len(sha256) != _DIGITS:
        raise UsageError(f"{place}: {sha256[:12]}… is not a SHA-256", remedy="write the list with: sha256sum FILE…")
    name = re.split(r"[/\\]", name.strip())[-1]
    if re.search(r"\s", name) or not name:
        raise UsageError(f"{place}: {line!r} is not a file name", remedy=_REMEDY)
    if name.endswith(ENDINGS):
        return ListedFile(pattern=name, sha256=sha256)
    if sha256 is not None or (_OTHER_FILE.search(name) and not _has_wildcards(name)):
        return None
    if name == SDIST or _has_wildcards(name) or _TAG.fullmatch(name):
        return ListedFile(pattern=name)
    raise UsageError(f"{place}: {line!r} is not a wheel, an sdist or a pattern", remedy=_REMEDY)


def _has_wildcards(text: str) -> bool:
    return any(character in text for character in "*?[")
