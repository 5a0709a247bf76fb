"""The contents of an index that its upload rules depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it loads `packaging.tags`, which takes longer than all models
    from packaging.utils import NormalizedName

#: how long PyPI accepts files for a release after its first one. Source: warehouse, since July 2026
UPLOAD_WINDOW = timedelta(days=14)
#: its message for a later file
UPLOAD_WINDOW_CLOSED = "Uploading new files to releases older than 14 days is not allowed."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file on the index."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: 64 lower-case hex digits; None if unknown (the simple API has no BLAKE2)
    blake2_256: str | None
    #: bytes
    size: int
    #: version of its release, as the release spells it
    version: str
    filetype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexContents:
    """The known contents of an index."""

    #: aware, UTC
    now: datetime
    #: the files of all releases of the project
    files: tuple[StoredFile, ...] = ()
    #: creation time of each release of the project, by canonical version; aware, UTC
    releases: Mapping[str, datetime] = field(default_factory=dict)
    #: file names that were used before and cannot be used again
    used_filenames: frozenset[str] = frozenset()
    #: BLAKE2b-256 of every file of the whole index → its name; empty if unknown
    names_by_blake2: Mapping[str, str] = field(default_factory=dict)
    #: normalized names of all projects
    names: frozenset[NormalizedName] = frozenset()
    #: normalized names that cannot be registered
    prohibited: frozenset[NormalizedName] = frozenset()
    #: bytes; the project's own limit
    file_limit: int = 100 * 1024 * 1024
    #: bytes; the limit for all files of the project in total
    project_limit: int = 10 * 1024 * 1024 * 1024
