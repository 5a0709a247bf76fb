"""The project and its files, as an index lists them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from release.core.models.project_name import normalize_name

if TYPE_CHECKING:
    from packaging.version import Version

_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar")
_OTHERS = (".whl", ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """One file of a project, as the simple API lists it (PEP 691)."""

    filename: str
    #: absolute URL of the bytes
    url: str
    #: 64 lower-case hex digits; None if the index gives no SHA-256
    sha256: str | None
    #: bytes; None if unknown
    size: int | None = None
    #: aware, UTC; None if unknown
    upload_time: datetime | None = None
    #: the reason, possibly empty, if the file is yanked; None if it is not (PEP 592)
    yanked: str | None = None
    requires_python: str | None = None
    #: absolute URL of the file's provenance; None if it has none (PEP 740)
    provenance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectListing:
    """A project on an index. An unknown project is `None`, never an empty listing."""

    #: the name as the index spells it
    name: str
    files: tuple[IndexFile, ...]
    #: "active", "archived", "quarantined", … (PEP 792)
    status: str = "active"

    def file(self, filename: str) -> IndexFile | None:
        return next((f for f in self.files if f.filename == filename), None)


def version_of(filename: str, project: str) -> Version | None:
    """The version of a file of `project`; None if its name does not contain one.

    Tolerant, as an index holds files from twenty years: sdists of any archive type, names with
    hyphens, eggs and installers. Wheels and eggs have the version as their second part, sdists as
    everything behind the name.
    """
    from packaging.version import InvalidVersion, Version

    stem, extension = _split(filename)
    parts = stem.split("-")
    ours = normalize_name(project)
    for at in range(1, len(parts)):
        if normalize_name("-".join(parts[:at])) == ours:
            text = "-".join(parts[at:]) if extension in _SDISTS else parts[at]
            with suppress(InvalidVersion):
                return Version(text)
    return None


def files_by_release(listing: ProjectListing | None) -> dict[Version, tuple[IndexFile, ...]]:
    """The files of each release, in the listing's order, without files of unknown version."""
    found: dict[Version, tuple[IndexFile, ...]] = {}
    if listing is None:
        return found
    for file in listing.files:
        version = version_of(file.filename, listing.name)
        if version is not None:
            found[version] = (*found.get(version, ()), file)
    return found


def _split(filename: str) -> tuple[str, str]:
    """Stem and extension; a file of unknown type has no extension."""
    extension = next((one for one in (*_SDISTS, *_OTHERS) if filename.endswith(one)), "")
    return filename[: len(filename) - len(extension)], extension


def files_of_version(listing: ProjectListing | None, version: str) -> tuple[IndexFile, ...]:
    """The files of a version in any spelling; none for an invalid version."""
    from packaging.version import InvalidVersion, Version

    try:
        return files_by_release(listing).get(Version(version), ())
    except InvalidVersion:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """The roles on a project. Other users may have a role through a team or an organization."""

    #: the project's name as the index spells it
    name: str
    #: ("Owner" | "Maintainer", user), as the index lists them
    roles: tuple[tuple[str, str], ...] = ()
    #: its organization; None if it has none
    organization: str | None = None
