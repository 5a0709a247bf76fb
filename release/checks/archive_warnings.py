"""What an index takes though it is unwise: warnings about RECORD, damaged members, the description."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from release.acceptance.archive_limits import Broken
from release.acceptance.archive_rules import dist_info, zip_of
from release.acceptance.form_fields import first
from release.acceptance.rule import Upload
from release.acceptance.wheel_record import UndecodableError, differences, recorded
from release.acceptance.zip_reader import ZipContents
from release.core.models.finding import Finding

RECORD = "record-lists-what-is-in-the-wheel"
READABLE = "every-member-can-be-read"
TITLES = "every-title-is-a-title"

#: a title with a line below that is too short to make it one; docutils takes both for ordinary text below four
#: characters, and warns from there on, which the index refuses. Source: docutils, `parsers/rst/states.py`
_SHORT_TITLE = re.compile(r"(?:\A|\n[ \t]*\n)(?P<title>\S[^\n]{3,})\n(?P<line>=|([=~^*#+\"'-])\3{1,2})[ \t]*(?:\n|\Z)")
#: names shown in one message
_SHOWN = 3

Oddity = tuple[str, Finding]


def oddities(upload: Upload) -> Iterator[Oddity]:
    """Warnings about a file, each with the name of its check."""
    archive = zip_of(upload) if upload.filename.endswith((".whl", ".zip")) else None
    if isinstance(archive, ZipContents):
        yield from _record(upload, archive)
        yield from _damaged(upload)
    yield from _titles(upload)


def warn(check: str, upload: Upload, message: str, remedy: str, source: str | None = None) -> Oddity:
    finding = Finding(message=message, remedy=remedy, severity="warn", where=upload.filename, source=source)
    return check, finding


def some(names: Sequence[str]) -> str:
    """The first of many names, quoted, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more


def _record(upload: Upload, archive: ZipContents) -> Iterator[Oddity]:
    directory = dist_info(upload.filename)
    data = archive.read(f"{directory}/RECORD")
    if directory is None or data is None or isinstance(data, Broken):
        return
    try:
        listed = recorded(data)
    except UndecodableError:
        return
    unlisted, missing = differences(listed or frozenset(), archive.names, directory)
    what = [f"does not list {some(unlisted)}"] * bool(unlisted) + [f"lists {some(missing)} in vain"] * bool(missing)
    if listed is not None and what:
        yield warn(
            RECORD,
            upload,
            f"RECORD {' and '.join(what)}; the index sends a mail about it and means to refuse it",
            "write RECORD anew: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
            "https://packaging.python.org/en/latest/specifications/recording-installed-packages/",
        )


def _damaged(upload: Upload) -> Iterator[Oddity]:
    if damaged := upload.memo.get("damaged", ()):
        names = some([name for name, _ in damaged])
        yield warn(READABLE, upload, f"{names} can't be unpacked: {damaged[0][1]}", "build it again: python -m build")


def _titles(upload: Upload) -> Iterator[Oddity]:
    kind = first(upload, "description_content_type")
    found = _SHORT_TITLE.search(first(upload, "description")) if not kind or "x-rst" in kind else None
    if found:
        yield warn(
            TITLES,
            upload,
            f"the line {found['line']!r} is too short to make a title of {found['title']!r}: both are shown as text",
            "underline the title in its full length",
            "https://docutils.sourceforge.io/docs/ref/rst/restructuredtext.html#sections",
        )
