"""Credentials, and where they were found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from release.core.models.ci_job import JobVariables
from release.core.models.secret_location import KeyringEntry, SecretLocation, location_to_text, project_of
from release.core.struct_fields import repr_without

if TYPE_CHECKING:
    from release.core.models.check_result import Finding, Unknown
    from release.core.models.oidc_identity import OidcIdentity, OidcProvider
    from release.core.secret import Secret


class Credential(Struct, frozen=True, kw_only=True):
    """A username and a password for one index."""

    username: str
    username_origin: SecretLocation
    password: Secret
    #: where the password is stored
    origin: SecretLocation


class Ambient(Struct, frozen=True, kw_only=True):
    """No password, but a service that runs this job and issues an identity for it: trusted publishing.

    The identity is exchanged for a token at the upload, not before.
    """

    provider: OidcProvider
    origin: SecretLocation
    #: the job's identity; a finding where the service issues none; None where it was not requested yet
    identity: OidcIdentity | Finding | Unknown | None = None
    #: what the job's variables show of it
    job: JobVariables = field(default_factory=JobVariables)


class CredentialCandidate(Struct, frozen=True, kw_only=True):
    """A password that is stored somewhere, whether or not an upload would use it."""

    origin: SecretLocation
    password: Secret
    #: "used", "shadowed" (an earlier one wins), "other-index" (a token of another index, never sent to this one),
    #: "other-tool" (only another tool reads it), "twine-only" (twine would send it, this program does not)
    status: Literal["used", "shadowed", "other-index", "other-tool", "twine-only"]
    #: the tool that reads it: "twine", "uv", …; this program reads what twine reads, and more
    tool: str = "twine"


#: the tool that reads a project's own entry of the keyring
THIS_PROGRAM = "pypi-preflight"


def used_by_twine(candidates: Iterable[CredentialCandidate]) -> CredentialCandidate | None:
    """What twine itself would send: the first that it reads, even if it is a token of another index."""
    return next((one for one in candidates if one.tool == "twine"), None)


def twine_alone_to_text(credential: Credential, candidates: Iterable[CredentialCandidate]) -> str:
    """What twine itself would use in place of a project's own token, for a reader; empty for any other credential."""
    instead = used_by_twine(candidates)
    if project_of(credential.origin) is None:
        return ""
    if instead is None:
        return "twine alone would find no credential: it does not read the entry of a single project"
    if instead.status == "twine-only" and isinstance(instead.origin, KeyringEntry):
        return f"twine alone would send the username {instead.origin.username!r}, unless TWINE_USERNAME is set"
    return f"twine alone would use {location_to_text(instead.origin)}"


class Resolution(Struct, frozen=True, kw_only=True):
    """What all sources together have for one index."""

    #: the one that an upload would use; None where there is none, Unknown where a source did not answer
    credential: Credential | Ambient | Unknown | None
    #: everything that was found, in the order of the sources
    candidates: tuple[CredentialCandidate, ...] = ()
    #: problems with the sources; one that blocks is the reason why there is no credential
    remarks: tuple[Finding, ...] = ()
    #: whether a token can be stored in the keyring, as far as it was read
    can_store: bool = True


class StoredSecret(Struct, frozen=True, kw_only=True):
    """A secret and where it is stored."""

    #: its name in the registry of credential sources
    source: str
    location: SecretLocation
    secret: Secret
    #: the projects that are uploaded with it, as far as a fleet lists them
    projects: tuple[str, ...] = ()
    #: how to change it by hand, an instruction
    manual_change: str
    #: False where only the user can change it: a variable, the output of a command
    replaceable: bool = True

    def __repr__(self) -> str:
        return repr_without(self, "secret")
