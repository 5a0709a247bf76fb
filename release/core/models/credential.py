"""Who uploads, and how we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.finding import Finding, Unknown
from release.core.models.oidc_identity import OidcIdentity, OidcProvider
from release.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value was found, precise enough to go there and change it."""

    kind: Literal["environment", "pypirc", "keyring", "file", "command", "trusted-publishing", "sandbox", "default"]
    #: "$TWINE_PASSWORD", "~/.pypirc, line 7, [pypi] password", "keyring (SecretService), service …"
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A username and a password for one index."""

    username: str
    username_origin: Origin
    password: Secret
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambient:
    """No password, but a service that runs this job and vouches for it: trusted publishing.

    A token is made for it at the upload, and not before.
    """

    provider: OidcProvider
    origin: Origin
    #: what the service says of the job; the reason where it says nothing; None where it was not asked
    identity: OidcIdentity | Finding | Unknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A password that lies somewhere, whether or not an upload would use it."""

    origin: Origin
    password: Secret
    #: what happens to it: "used", "shadowed" (an earlier source wins), "other-index" (a token of another
    #: index, never sent to this one), "other-tool" (twine does not look there)
    standing: Literal["used", "shadowed", "other-index", "other-tool"]
    #: the tool that reads it: "twine", "uv", …
    tool: str = "twine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What all sources together have for one index."""

    #: the one that an upload would use; None where there is none, Unknown where a source did not answer
    credential: Credential | Ambient | Unknown | None
    #: everything that was found, in the order of the sources
    candidates: tuple[Candidate, ...] = ()
    #: what was odd on the way; one that blocks is the reason why there is no credential
    remarks: tuple[Finding, ...] = ()
