"""Package indexes: PyPI, TestPyPI and others, and the projects and files that they contain.

This is the only module with the addresses of PyPI and TestPyPI.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

from msgspec import Struct, field

from release.core.lazy_pattern import lazy_pattern
from release.core.models.file_hashes import ListedHashes
from release.core.models.project_limits import FILE_SIZE, PROJECT_SIZE

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
    from packaging.version import Version

# `packaging.utils` validates and normalizes names, too, but it imports `packaging.tags`, which takes longer to load
# than all other modules that verify a credential.
# Source: PEP 503 "Normalized Names"; core metadata specification, "Name".
_NAME = lazy_pattern(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)


def is_project_name(text: str) -> bool:
    """Whether a text is a valid project name."""
    return _NAME.match(text) is not None


@lru_cache(maxsize=4096)
def normalize_name(name: str) -> NormalizedName:
    """The normalized form of a name."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())


def name_from_filename(filename: str) -> NormalizedName | None:
    """The project in the name of a wheel or an sdist; None if there is none."""
    name = filename.partition("-")[0] if filename.endswith(".whl") else filename.rpartition("-")[0]
    return normalize_name(name) if name else None


class Index(Struct, frozen=True, kw_only=True):
    """A package index as an uploader and an installer see it."""

    #: the name in the configuration, in `.pypirc` and in `--index`
    name: str
    #: the address for uploads; ends with a slash
    upload_url: str
    #: root of the simple API (PEP 503, PEP 691); ends with a slash
    simple_url: str
    #: "warehouse" runs PyPI's own code (or our sandbox); "other" is any other server
    kind: Literal["warehouse", "other"] = "warehouse"
    #: created for this run only, so that uploads to it are not releases
    ephemeral: bool = False
    #: where a staged release is opened; None: the index publishes each file as it accepts it, as all of today do
    stages_url: str | None = None

    @property
    def json_url(self) -> str:
        """Root of the JSON API, `…/pypi/`; only an index of kind "warehouse" has one."""
        return self.simple_url.removesuffix("simple/") + "pypi/"

    @property
    def site(self) -> str:
        """Scheme and host of the index's pages, without a trailing slash."""
        return self.simple_url.removesuffix("/").removesuffix("/simple")

    @property
    def trusted_publishing(self) -> bool:
        """Whether the index may exchange an identity for a token: only PyPI's own code supports this."""
        return self.kind == "warehouse"

    @property
    def token_location(self) -> str:
        """The location that this index writes into its tokens: the host name of its site.

        Source: warehouse, `macaroons/services.py` (the location is the request's domain).
        """
        return host_of(self.upload_url if self.upload_url != PYPI.upload_url else PYPI.simple_url)

    @property
    def loopback(self) -> bool:
        return is_loopback(host_of(self.upload_url))


def host_of(url: str) -> str:
    """The host name of a URL, lower case, without port; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PYPI = Index(name="pypi", upload_url="https://upload.pypi.org/legacy/", simple_url="https://pypi.org/simple/")
TESTPYPI = Index(
    name="testpypi", upload_url="https://test.pypi.org/legacy/", simple_url="https://test.pypi.org/simple/"
)

#: user documentation that responses of indexes of kind "warehouse" refer to
USER_DOCS = "https://docs.pypi.org"

#: the indexes that need no configuration
WELL_KNOWN = {index.name: index for index in (PYPI, TESTPYPI)}

#: former host names of the two, which no longer accept uploads
RETIRED_HOSTS = {"pypi.python.org": PYPI, "testpypi.python.org": TESTPYPI, "upload.pypi.io": PYPI}


def well_known(url: str) -> Index | None:
    """PyPI or TestPyPI, if the host of a URL is one of theirs; the rest of the URL may be wrong."""
    host = host_of(url)
    for index in WELL_KNOWN.values():
        if host in {host_of(index.upload_url), host_of(index.simple_url)}:
            return index
    return RETIRED_HOSTS.get(host)


_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar")
_OTHERS = (".whl", ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg")


class IndexFile(Struct, frozen=True, kw_only=True):
    """One file of a project, as the simple API lists it (PEP 691)."""

    filename: str
    #: absolute URL of the bytes
    url: str
    #: 64 lower-case hex digits; None if the index gives no SHA-256 that can be believed
    sha256: str | None
    #: as in `ListedHashes.others`
    other_hashes: tuple[tuple[str, str], ...] = ()
    #: bytes; None if unknown
    size: int | None = None
    #: aware, UTC; None if unknown
    upload_time: datetime | None = None
    #: the reason, possibly empty, if the file is yanked; None if it is not (PEP 592)
    yanked: str | None = None
    requires_python: str | None = None
    #: absolute URL of the file's provenance; None if it has none (PEP 740)
    provenance: str | None = None

    @property
    def hashes(self) -> ListedHashes:
        return ListedHashes(sha256=self.sha256, others=self.other_hashes)


class ProjectListing(Struct, frozen=True, kw_only=True):
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
    from packaging.version import Version

    extension = next((one for one in (*_SDISTS, *_OTHERS) if filename.endswith(one)), "")
    parts = filename.removesuffix(extension).split("-")
    ours = normalize_name(project)
    for at in range(1, len(parts)):
        if normalize_name("-".join(parts[:at])) == ours:
            text = "-".join(parts[at:]) if extension in _SDISTS else parts[at]
            with suppress(ValueError):  # also for a number of more than 4,300 digits
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


def files_of_version(listing: ProjectListing | None, version: str) -> tuple[IndexFile, ...]:
    """The files of a version in any spelling; none for an invalid version."""
    from packaging.version import InvalidVersion, Version

    try:
        return files_by_release(listing).get(Version(version), ())
    except InvalidVersion:
        return ()


class Ownership(Struct, frozen=True, kw_only=True):
    """The roles on a project. Other users may have a role through a team or an organization."""

    #: the project's name as the index spells it
    name: str
    #: ("Owner" | "Maintainer", user), as the index lists them
    roles: tuple[tuple[str, str], ...] = ()
    #: its organization; None if it has none
    organization: str | None = None


#: how long PyPI accepts files for a release after its first one. Source: warehouse, since July 2026
UPLOAD_WINDOW = timedelta(days=14)
#: its message for a later file
UPLOAD_WINDOW_CLOSED = "Uploading new files to releases older than 14 days is not allowed."


class StoredFile(Struct, frozen=True, kw_only=True):
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


class IndexContents(Struct, frozen=True, kw_only=True):
    """The known contents of an index."""

    #: aware, UTC
    now: datetime
    #: the files of all releases of the project; with `size`, only those that an upload may clash with
    files: tuple[StoredFile, ...] = ()
    #: bytes of all files of the project; None: those of `files`
    size: int | None = None
    #: files of other projects that have the name of the uploaded one; empty if unknown
    elsewhere: tuple[StoredFile, ...] = ()
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
    file_limit: int = FILE_SIZE
    #: bytes; the limit for all files of the project in total
    project_limit: int = PROJECT_SIZE
