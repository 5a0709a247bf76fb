"""What an index holds, as far as its upload rules care."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from packaging.utils import NormalizedName

#: how long PyPI takes files for a release, from its first one on. Source: warehouse, since July 2026
UPLOAD_WINDOW = timedelta(days=14)
#: what it answers to one that comes later
UPLOAD_WINDOW_CLOSED = "Uploading new files to releases older than 14 days is not allowed."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the index has."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: 64 lower-case hex digits; None where it can't be known (the simple API has no BLAKE2)
    blake2_256: str | None
    #: bytes
    size: int
    #: version of the release that it belongs to, as the release spells it
    version: str
    filetype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexContents:
    """What the index has, as far as it can be known. Empty: nothing is known to be there."""

    #: aware, UTC
    now: datetime
    #: the files of the project in question, all releases
    files: tuple[StoredFile, ...] = ()
    #: creation time of each release of the project, by canonical version; aware, UTC
    releases: Mapping[str, datetime] = field(default_factory=dict)
    #: file names that were used once and can't be used again
    used_filenames: frozenset[str] = frozenset()
    #: BLAKE2b-256 of every file of the whole index → its name; empty where it can't be asked
    names_by_blake2: Mapping[str, str] = field(default_factory=dict)
    #: normalised names of all projects
    names: frozenset[NormalizedName] = frozenset()
    #: normalised names that nobody may register
    prohibited: frozenset[NormalizedName] = frozenset()
    #: bytes; the project's own limit
    file_limit: int = 100 * 1024 * 1024
    #: bytes; of all files of the project together
    project_limit: int = 10 * 1024 * 1024 * 1024
