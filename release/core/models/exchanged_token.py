"""Whether an index has a trusted publisher for this job, as an exchange of the job's identity shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from release.core.models.probe import ProbeResult
from release.core.struct_fields import equal_without, hash_without, repr_without

if TYPE_CHECKING:
    from release.core.models.check_result import Finding, Unknown
    from release.core.models.oidc_identity import OidcIdentity
    from release.core.secret import Secret


class IssuedToken(Struct, frozen=True, kw_only=True):
    """A token that an index has issued for an identity, and that is not revoked yet."""

    identity: OidcIdentity
    token: Secret
    #: aware, UTC, by the index's clock
    expires: datetime
    #: removes the record that the token exists; called once it is revoked
    forget: Callable[[], None]

    def __repr__(self) -> str:
        return repr_without(self, "forget")

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "forget")

    def __hash__(self) -> int:
        return hash_without(self, "forget")


class UnrevokedToken(Struct, frozen=True, kw_only=True):
    """A token that an earlier run requested, and that was possibly never revoked. The token itself is not stored."""

    #: the name of the index
    index: str
    project: str
    #: aware, UTC
    requested: datetime
    #: aware, UTC
    expires: datetime


class PublisherProof(Struct, frozen=True, kw_only=True):
    """The result of one exchange, or why there was none."""

    #: why no token was issued: a refusal, or what prevented the exchange
    problem: Finding | Unknown | None = None
    #: what the index answers to an upload to the project that cannot succeed
    permission: ProbeResult | Unknown | None = None
    #: whether the index issued a token
    issued: bool = False
    #: whether the index no longer knows the token; False where that is not certain
    revoked: bool = False
    #: when the token expires; aware, UTC; None if none was issued
    expires: datetime | None = None
    #: the token, where the upload of this run needs it, because the job gets no second identity
    kept: IssuedToken | None = None

    def __repr__(self) -> str:
        return repr_without(self, "kept")

    @property
    def proven(self) -> bool:
        """Whether the index has issued a token for this job that may upload to the project."""
        return self.problem is None and isinstance(self.permission, ProbeResult) and self.permission.passed()
