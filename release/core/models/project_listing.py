"""What an index says that it has."""

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
    #: absolute address of the bytes
    url: str
    #: 64 lower-case hex digits; None where the index gives no SHA-256
    sha256: str | None
    #: bytes; None where the index does not say
    size: int | None = None
    #: aware, UTC; None where the index does not say
    upload_time: datetime | None = None
    #: the reason, possibly empty, where it is yanked; None where it is not (PEP 592)
    yanked: str | None = None
    requires_python: str | None = None
    #: absolute address of the file's provenance; None where the index names none (PEP 740)
    provenance: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectListing:
    """A project on an index. An unknown project is `None` in its place, never an empty listing."""

    #: the name as the index spells it
    name: str
    files: tuple[IndexFile, ...]
    #: "active", "archived", "quarantined", … (PEP 792)
    status: str = "active"

    def file(self, filename: str) -> IndexFile | None:
        return next((f for f in self.files if f.filename == filename), None)


def version_of(filename: str, project: str) -> Version | None:
    """The version that a file of `project` belongs to; None where its name does not tell.

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
    """The files of each release, in the listing's order; files of no known version are left out."""
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
    """Who has a role on a project. Whoever is missing here may still have one, through a team or organization."""

    #: the project's name as the index spells it
    name: str
    #: ("Owner" | "Maintainer", user), as the index lists them
    roles: tuple[tuple[str, str], ...] = ()
    #: the organization that it belongs to; None where it belongs to none
    organization: str | None = None
