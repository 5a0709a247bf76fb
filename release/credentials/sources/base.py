"""The interface of a credential source, and what its implementations share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urlsplit

from msgspec import Struct, field

from release.core.errors import ReleaseError
from release.core.models.check_result import Finding, Unknown
from release.core.models.index import RETIRED_HOSTS, WELL_KNOWN, Index, host_of, is_loopback, well_known
from release.core.models.secret_location import ConfiguredLocation, SecretLocation, expand_home, location_to_text
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.struct_fields import repr_without

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe
    from release.adapters.system.system import System
    from release.core.models.credential import Ambient, CredentialCandidate, Resolution, StoredSecret


class SourceQuery(Struct, frozen=True, kw_only=True):
    """What a source needs to find the credential of an index."""

    index: Index
    env: Mapping[str, str]
    home: Path
    #: read in place of `~/.pypirc`
    config_file: Path | None = None
    #: the project's, where a `.pypirc` is not read
    directory: Path | None = None
    #: the name of the project that is uploaded, which may have a token of its own; None: it is not known
    project: str | None = None
    #: whether sources are queried that cannot change the result, because an earlier one has a password
    every_source: bool = False
    #: the process that reads the keyring, if it has been started; it answers one request
    keyring_child: Pipe | None = None
    #: whether it is known that the keyring has no backend
    without_keyring: bool = False
    #: from an earlier source, or the only one that twine accepts; None: any
    username: str | None = None
    #: where an earlier source has a password
    used: SecretLocation | None = None

    def __repr__(self) -> str:
        return repr_without(self, "env")


class SourceResult(Struct, frozen=True, kw_only=True):
    """What a source has for an index. Username or password may be missing: they then come from a later source."""

    #: the project's own tokens, which are used before `password`, each with the username for tokens
    own: tuple[CredentialCandidate, ...] = ()
    username: str | None = None
    username_origin: SecretLocation | None = None
    password: Secret | None = None
    #: where the password is stored
    origin: SecretLocation | None = None
    #: an identity, used where no source has a password
    ambient: Ambient | None = None
    #: credentials that only other tools read
    candidates: tuple[CredentialCandidate, ...] = ()
    #: problems with the source
    remarks: tuple[Finding, ...] = ()


class StorageQuery(Struct, frozen=True, kw_only=True):
    """What a source needs to list the secrets that it stores, and to replace one."""

    system: System
    index: Index
    #: what `resolve` found for the index
    resolved: Resolution
    #: the locations that a fleet lists, and the projects that use them
    configured: Mapping[ConfiguredLocation, tuple[str, ...]] = field(default_factory=dict)
    #: relative paths of configured files start here
    directory: Path
    #: whether the keyring may be a file that other programs can read
    insecure: bool = False

    def path(self, name: str) -> Path:
        """The absolute path of a file that is named in a location."""
        return self.directory / expand_home(name, self.system.home)


class CredentialSource(Protocol):
    """A module that finds, lists and replaces the credentials of one kind of storage.

    Values are returned as they are stored, without corrections.
    """

    def find(self, query: SourceQuery) -> SourceResult | Unknown | None:
        """What the source has for an index; None: nothing. Raises `BrokenSourceError` where it cannot be read."""

    def locate(self, query: StorageQuery) -> Iterator[StoredSecret]:
        """Every secret in the source that may be a token of the index."""

    def replace(self, stored: StoredSecret, new: Secret, query: StorageQuery) -> None:
        """Replace a stored secret in one step and read it back.

        Raises ReleaseError or OSError where that is not possible; the old secret is then still stored.
        """


class BrokenSourceError(ReleaseError):
    """A source exists and cannot be read. The message gives file and line, never the text of the line."""

    def __init__(self, message: str, *, remedy: str, cause: str, where: str) -> None:
        super().__init__(message, remedy=remedy, cause=cause)
        #: file and line
        self.where = where


def is_known_to_twine(index: Index) -> bool:
    """Whether twine always uses the name `__token__` for an index."""
    return any(index.upload_url == one.upload_url for one in WELL_KNOWN.values())


def warning(message: str, remedy: str, where: str, cause: str | None) -> Finding:
    """A finding that does not block a release."""
    return Finding(message=message, remedy=remedy, severity="warn", where=where, cause=cause)


def refuse_replacement(stored: StoredSecret, new: Secret, query: StorageQuery) -> NoReturn:  # noqa: ARG001 - the interface
    """Raise ReleaseError: only the user can change this location."""
    raise ReleaseError(f"{location_to_text(stored.location)} cannot be changed from here", remedy=stored.manual_change)


def read_bytes(path: Path) -> bytes:
    """The content of a file; empty where there is none. Raises `OSError`."""
    return path.read_bytes() if path.is_file() else b""


def replace_in_file(
    path: Path,
    stored: StoredSecret,
    new: Secret,
    *,
    current: Callable[[bytes], str | None],
    edit: Callable[[bytes, str, str], bytes | None],
) -> None:
    """Replace a secret in a file and read the file back. Raises ReleaseError and `OSError`; it is then unchanged.

    `current` finds the secret in the content; `edit` replaces it, given the content, the old and the new secret, or
    returns None where other text would change.
    """
    from release.adapters.system import safe_write

    data, where, again = read_bytes(path), location_to_text(stored.location), "run the same command again"
    found = current(data)
    if found is None or Secret(found) != stored.secret:
        raise ReleaseError(f"{where} has changed since it was read", remedy=again)
    after = edit(data, stored.secret.reveal(), new.reveal())
    if after is None:
        raise ReleaseError(f"{where} cannot be changed without changing other lines", remedy=stored.manual_change)
    safe_write.replace_private_file(path, data, after, keep_mode=True)
    if path.read_bytes() != after:
        raise ReleaseError(f"{where} does not contain what was written", remedy=again)


def is_same(url: str, upload_url: str) -> bool:
    """Whether a URL means this upload URL, possibly with a mistake that `remarks_on` reports."""
    meant = well_known(_with_scheme(url))
    if meant is not None:
        return meant.upload_url == upload_url
    return _bare(url) == _bare(upload_url)


def remarks_on(url: str, upload_url: str, where: str, remedy: str) -> Iterator[Finding]:
    """The worst mistake in a URL that means `upload_url`, if there is any, and what it means to twine alone.

    Observed: twine 7.0.0, 2026-11. `upload_url` is where this program uploads to; the URL does not change that.
    """
    shown, whole, host = without_user(url), _with_scheme(url), host_of(_with_scheme(url))
    if host in RETIRED_HOSTS:
        problem, alone, cause = "is a retired address", "would be refused there", "url.legacy-domain"
    elif whole != url:
        problem, alone, cause = "does not begin with 'https://'", "would stop at it", "url.no-scheme"
    elif url.lower().startswith("http:") and not is_loopback(host):
        exposed = "would send the token unencrypted"
        alone = "would, too, but other tools " + exposed if host == host_of(upload_url) and well_known(url) else exposed
        problem, cause = "is plain http", "url.http"
    elif shown == upload_url.rstrip("/"):
        problem, alone, cause = "has no final slash", "would be redirected, and stop", "url.no-trailing-slash"
    elif _canonical(shown) != upload_url and well_known(url):
        problem, alone, cause = "is not the upload address", "would be refused there", "url.simple-or-root"
    elif "@" in url.partition("//")[2].partition("/")[0]:
        message = f"the address {shown!r} contains a login, which pypi-preflight does not read and logs may show"
        yield warning(message, remedy, where, "url.credentials")
        return
    else:
        return
    message = f"{shown!r} {problem}: pypi-preflight uploads to {upload_url!r}; twine alone {alone}"
    yield warning(message, remedy, where, cause)


def without_user(url: str) -> str:
    """A URL without user name and password, for display."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    if not parts.netloc:
        return redact(re.sub(r"^((?:[a-z]*:?/+|https?:)?)[^/]*@", r"\1", url, flags=re.IGNORECASE))
    return redact(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())


def _canonical(url: str) -> str:
    """The URL with its host in lower case and without the default port, as a client sends it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.lower().removesuffix(":443")).geturl()


def _with_scheme(url: str) -> str:
    """The URL as it is meant, if its "https://" is missing or mistyped."""
    if re.match(r"https?://[^/]", url, re.IGNORECASE):
        return url
    return "https://" + re.sub(r"^(?:[a-z]{2,7}:/+|https?/+|https?:|:?/+)", "", url, flags=re.IGNORECASE)


def _bare(url: str) -> str:
    return without_user(_with_scheme(url)).rstrip("/").lower().removeprefix("https://").removeprefix("http://")
