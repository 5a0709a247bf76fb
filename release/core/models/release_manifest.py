"""The files of a release according to its record, with size and hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.core.errors import ConfigError, UsageError
from release.core.tables import KeyPath, Reader, parse_json, read_list, read_table, string

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
        data = parse_json(text, place)
        read = read_table(data, KeyPath(file=place, noun="an object"), _MANIFEST, _MANIFEST, strict=False)
    except ConfigError as error:
        raise UsageError(
            f"{place!r} is not the record of a release: {error.message}",
            remedy="pass the record.json that a release writes to .release/VERSION/record.json",
        ) from None
    return ReleaseManifest(**read)


def _files(value: Any, at: KeyPath) -> tuple[ManifestFile, ...]:
    files = read_list(value, at, _file, "a list of files")
    if not files:
        raise at.wrong("a list of files", value)
    if len({one.filename for one in files}) != len(files):
        raise ConfigError(f"{at} contains a file twice", remedy="")
    return files


def _file(value: Any, at: KeyPath) -> ManifestFile:
    return ManifestFile(**{"size": None} | read_table(value, at, _FILE, ("filename", "sha256"), strict=False))


def _filename(value: Any, at: KeyPath) -> str:
    if set(string(value, at)) & set("/\\:\0"):
        raise at.wrong("a file name without a directory", value)
    return str(value)


def _sha256(value: Any, at: KeyPath) -> str:
    if not isinstance(value, str) or not _SHA256.match(value.lower()):
        raise at.wrong("64 hex digits", value)
    return value.lower()


def _size(value: Any, _: KeyPath) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_FILE: Mapping[str, Reader] = {"filename": _filename, "size": _size, "sha256": _sha256}
_MANIFEST: Mapping[str, Reader] = {"project": string, "version": string, "files": _files}
