"""A release as its record names it: the files, by size and hash."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Never

from release.core.errors import UsageError

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestFile:
    """A file of the release, as it was when it was released."""

    filename: str
    #: bytes; None where the record does not say
    size: int | None
    #: of the bytes, 64 lower-case hex digits
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseManifest:
    """What a record says of a release."""

    project: str
    version: str
    files: tuple[ManifestFile, ...]

    def file(self, filename: str) -> ManifestFile | None:
        return next((one for one in self.files if one.filename == filename), None)


def parse_manifest(text: str, place: str) -> ReleaseManifest:
    """Read `{"project", "version", "files": [{"filename", "size", "sha256"}]}`; other keys are passed over.

    `place` is what messages call it. Raises `UsageError`, which names the key.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        _wrong(place, "it is no JSON")
    if not isinstance(data, dict):
        _wrong(place, "it is no object")
    files = data.get("files")
    if not isinstance(files, list) or not files:
        _wrong(place, "'files' is no list of files")
    found = tuple(_file(one, f"files[{number}]", place) for number, one in enumerate(files))
    names = [one.filename for one in found]
    if len(set(names)) != len(names):
        _wrong(place, "'files' names a file twice")
    return ReleaseManifest(project=_text(data, "project", place), version=_text(data, "version", place), files=found)


def _file(entry: Any, where: str, place: str) -> ManifestFile:
    if not isinstance(entry, dict):
        _wrong(place, f"{where!r} is no object")
    name, size, digest = _text(entry, "filename", place, where), entry.get("size"), entry.get("sha256")
    if set(name) & set("/\\:\0"):
        _wrong(place, f"'{where}.filename' is {name!r}, no bare file name")
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
        f"{place!r} is no record of a release: {why}",
        remedy="give the record.json that a release leaves at .release/VERSION/record.json",
    )
