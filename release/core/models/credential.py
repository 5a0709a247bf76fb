"""Credentials, and where they were found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from release.core.models.check_result import Finding, Unknown
from release.core.models.oidc_identity import OidcIdentity, OidcProvider
from release.core.models.secret_location import SecretLocation
from release.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A username and a password for one index."""

    username: str
    username_origin: SecretLocation
    password: Secret
    #: where the password is stored
    origin: SecretLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambient:
    """No password, but a service that runs this job and issues an identity for it: trusted publishing.

    The identity is exchanged for a token at the upload, not before.
    """

    provider: OidcProvider
    origin: SecretLocation
    #: the job's identity; a finding where the service issues none; None where it was not requested yet
    identity: OidcIdentity | Finding | Unknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialCandidate:
    """A password that is stored somewhere, whether or not an upload would use it."""

    origin: SecretLocation
    password: Secret
    #: "used", "shadowed" (an earlier source wins), "other-index" (a token of another index, never sent to
    #: this one), "other-tool" (twine does not read this source)
    status: Literal["used", "shadowed", "other-index", "other-tool"]
    #: the tool that reads it: "twine", "uv", …
    tool: str = "twine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What all sources together have for one index."""

    #: the one that an upload would use; None where there is none, Unknown where a source did not answer
    credential: Credential | Ambient | Unknown | None
    #: everything that was found, in the order of the sources
    candidates: tuple[CredentialCandidate, ...] = ()
    #: problems with the sources; one that blocks is the reason why there is no credential
    remarks: tuple[Finding, ...] = ()
    #: whether a token can be stored in the keyring, as far as it was read
    can_store: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSecret:
    """A secret and where it is stored."""

    #: its name in the registry of credential sources
    source: str
    location: SecretLocation
    secret: Secret = field(repr=False)
    #: the projects that are uploaded with it, as far as a fleet lists them
    projects: tuple[str, ...] = ()
    #: how to change it by hand, an instruction
    manual_change: str
    #: False where only the user can change it: a variable, the output of a command
    replaceable: bool = True
