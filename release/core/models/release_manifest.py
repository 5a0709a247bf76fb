"""The files of a release according to its record, with size and hash."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Never

from release.core.errors import UsageError

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """A file of the release."""

    filename: str
    #: bytes; None if unknown
    size: int | None
    #: 64 lower-case hex digits
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseManifest:
    """A release according to its record."""

    project: str
    version: str
    files: tuple[ManifestFile, ...]

    def file(self, filename: str) -> ManifestFile | None:
        return next((one for one in self.files if one.filename == filename), None)


def parse_manifest(text: str, place: str) -> ReleaseManifest:
    """Read `{"project", "version", "files": [{"filename", "size", "sha256"}]}`; other keys are ignored.

    `place` is its path, for messages. Raises `UsageError`, which names the key.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        _wrong(place, "it is not valid JSON")
    if not isinstance(data, dict):
        _wrong(place, "it is not an object")
    files = data.get("files")
    if not isinstance(files, list) or not files:
        _wrong(place, "'files' is not a list of files")
    found = tuple(_file(one, f"files[{number}]", place) for number, one in enumerate(files))
    names = [one.filename for one in found]
    if len(set(names)) != len(names):
        _wrong(place, "'files' contains a file twice")
    return ReleaseManifest(project=_text(data, "project", place), version=_text(data, "version", place), files=found)


def _file(entry: Any, where: str, place: str) -> ManifestFile:
    if not isinstance(entry, dict):
        _wrong(place, f"{where!r} is not an object")
    name, size, digest = _text(entry, "filename", place, where), entry.get("size"), entry.get("sha256")
    if set(name) & set("/\\:\0"):
        _wrong(place, f"'{where}.filename' is {name!r}, which is not a file name")
    if not isinstance(digest, str) or not _SHA256.match(digest.lower()):
        _wrong(place, f"'{where}.sha256' is {digest!r}, not 64 hex digits")
    known = isinstance(size, int) and not isinstance(size, bool)
    return ManifestFile(filename=name, size=size if known else None, sha256=digest.lower())


def _text(entry: dict[str, Any], key: str, place: str, where: str = "") -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        _wrong(place, f"{'.'.join(filter(None, (where, key)))!r} is missing")
    return value


def _wrong(place: str, why: str) -> Never:
    raise UsageError(
        f"{place!r} is not the record of a release: {why}",
        remedy="pass the record.json that a release writes to .release/VERSION/record.json",
    )
