"""Distribution files: built, inspected and uploaded ones, and those that the record of a release lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from release.core.errors import ConfigError, UsageError
from release.core.lazy_pattern import lazy_pattern
from release.core.quoting import quote_path
from release.core.struct_fields import repr_without
from release.core.tables import KeyPath, Reader, parse_json, read_list, read_table, string

if TYPE_CHECKING:
    from packaging.version import Version

    from release.core.models.check_result import Finding, Unknown
    from release.core.models.index import ProjectListing


class Distribution(Struct, frozen=True, kw_only=True):
    """An sdist or a wheel on this machine."""

    path: Path
    #: SHA-256 of the bytes, 64 lower-case hex digits
    sha256: str
    #: bytes
    size: int
    #: attestations that are uploaded with it (PEP 740), each a JSON text
    attestations: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return repr_without(self, "attestations")

    @property
    def filename(self) -> str:
        return self.path.name

    @property
    def kind(self) -> Literal["sdist", "bdist_wheel"]:
        """The file type in the upload form."""
        return "bdist_wheel" if self.filename.endswith(".whl") else "sdist"


class TwineRefusal(Struct, frozen=True, kw_only=True):
    """What the installed twine says of a file that it refuses."""

    message: str
    #: whether it is an exception of Python's libraries, not a message of twine
    crashed: bool = False


#: asks the installed twine about a file; None where it would send the file, Unknown where it cannot be asked
AskTwine = Callable[[], "TwineRefusal | Unknown | None"]

#: called while an archive is read: path of the member, a piece of its bytes, whether more of it follow
MemberVisitor = Callable[[str, bytes, bool], None]


def parse_version(text: str) -> Version | str:
    """The version, or the text itself if it is not valid; two of them can be compared."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return text


class InspectedFile(Struct, frozen=True, kw_only=True, dict=True):
    """What the inspection of a file found."""

    filename: str
    #: public name of a check, finding
    findings: tuple[tuple[str, Finding], ...]
    #: of the bytes, 64 lower-case hex digits; empty if they cannot be read
    sha256: str = ""
    #: in the form that twine would send; empty if there is no metadata
    name: str = ""
    version: str = ""
    #: of a wheel; empty if it has none
    entry_points: bytes = b""
    #: the files in the archive, in order: path, bytes
    members: tuple[tuple[str, int], ...] = ()
    #: the core metadata as it is in the archive
    metadata: bytes = b""

    def __repr__(self) -> str:
        return repr_without(self, "entry_points", "members", "metadata")

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl")

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The core metadata as in `packaging.metadata.RawMetadata`."""
        from packaging.metadata import parse_email

        raw, _ = parse_email(self.metadata)
        return {**raw}


class InspectionCache(Struct):
    """Inspections that several checks need; None until the first of them asks."""

    files: tuple[InspectedFile, ...] | None = None
    previous: tuple[InspectedFile, ...] | None = None
    #: the wheel compared with git, in the form of that check
    comparison: object = None


#: why there is no clear response. "status": an HTTP status that a retry may change; "cut off": a response that exceeds
#: a limit of size or time; "stopped": this program was interrupted; the others are named as in
#: `adapters.http.errors.error_kind`
FailureKind = Literal[
    "status",
    "unexpected reply",
    "timeout",
    "connection",
    "dns",
    "tls",
    "proxy",
    "garbage",
    "worker died",
    "cut off",
    "stopped",
]


class Receipt(Struct, frozen=True, kw_only=True):
    """The index has the file, with the same SHA-256."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: whether the index had it before this run sent anything
    already_there: bool = False


class Rejection(Struct, frozen=True, kw_only=True):
    """The index refuses the file, or would refuse it."""

    filename: str
    #: HTTP status
    status: int
    #: the server's message, without the status
    message: str
    #: id of the known failure in the catalog, if it is known without the server's message
    cause: str | None = None


class UnclearResponse(Struct, frozen=True, kw_only=True):
    """It is unknown whether the index accepted the file: compare its listing by hash."""

    filename: str
    kind: FailureKind
    #: HTTP status if `kind` is "status", else None
    status: int | None = None
    #: the message of the library or the server, redacted
    detail: str
    #: seconds that the server asks to wait before the next attempt; None if it does not
    retry_after: float | None = None
    #: how much of the request's body was sent by then: the index can only have the file if all of it was
    sent: Literal["nothing", "some", "all"] = "all"

    @property
    def summary(self) -> str:
        """What happened, in one or two words: "status 502", "timeout"."""
        return f"status {self.status}" if self.kind == "status" else self.kind


UploadResult = Receipt | Rejection | UnclearResponse


def result_from_listing(
    distribution: Distribution, listing: ProjectListing | None, *, sent: bool = False
) -> Receipt | Rejection | None:
    """Compare a file with the index's listing by hash; None if it is not listed.

    `sent`: whether this run has sent the file. A file that is listed without a SHA-256 counts as different.
    """
    there = listing.file(distribution.filename) if listing else None
    if there is None:
        return None
    if there.sha256 == distribution.sha256:
        return Receipt(filename=distribution.filename, sha256=distribution.sha256, already_there=not sent)
    if there.sha256 is None:
        return Rejection(
            filename=distribution.filename,
            status=400,
            message="File already exists, and the index lists no SHA-256 for it that can be believed; SHA-256 "
            f"{distribution.sha256} here",
            cause="post.no-strong-hash",
        )
    theirs = f"SHA-256 {there.sha256}"
    return Rejection(
        filename=distribution.filename,
        status=400,  # as PyPI refuses a file name that it has already
        message=f"File already exists, with different content: {theirs} there, SHA-256 {distribution.sha256} here",
        cause="file.exists-different",
    )


_SHA256 = lazy_pattern(r"[0-9a-f]{64}\Z")


class ManifestFile(Struct, frozen=True, kw_only=True):
    """A file of the release."""

    filename: str
    #: bytes; None if unknown
    size: int | None
    #: 64 lower-case hex digits
    sha256: str


class ReleaseManifest(Struct, frozen=True, kw_only=True):
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
            f"{quote_path(place)} is not the record of a release: {error.message}",
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
