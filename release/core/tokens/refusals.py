"""What an index answers to a credential, as far as the credential alone decides it; in the words of PyPI.

Nothing is claimed where the answer depends on what only the index knows. Reasons that the index repeats stand once.
Source: warehouse, `accounts/security_policy.py`, `macaroons/security_policy.py`, `macaroons/caveats/__init__.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from release.core.models.index import normalize_name
from release.core.secret import Secret
from release.core.tokens.caveats import (
    Caveat,
    Expiration,
    InvalidCaveat,
    ProjectIds,
    ProjectNames,
    PublisherCaveat,
    RequestUser,
)
from release.core.tokens.token import Token, holds_token, scope

PASSWORDS_UNSUPPORTED = "Username/Password authentication is no longer supported."
INVALID = "Invalid or non-existent authentication information."
_INVALID_TOKEN = "Invalid API Token: "  # noqa: S105 - a message
_OTHER_USER = "current user does not match user restriction in token"
_OTHER_PUBLISHER = "current OIDC publisher does not match publisher restriction in token"
_NO_USER = "token with user restriction without a user"
_NO_PUBLISHER = "OIDC scoped token used outside of an OIDC identified request"


def authentication_refusal(username: str, password: Secret) -> str | None:
    """The answer to a credential in which the index reads no token; None if it reads one, or if that is not certain.

    The tool decides how characters outside of ASCII are sent.
    """
    if username != "__token__":
        return PASSWORDS_UNSUPPORTED
    return INVALID if holds_token(password) is False else None


def caveat_refusal(token: Token, project: str | None, now: datetime) -> str | None:
    """The answer to an upload with a token that the index knows, for its caveats; None if they may all be met.

    `project`: the name as it is uploaded; None if it is not known. The index stops at a caveat that is not JSON, and
    gives the reasons before it, if any.
    """
    unreadable = [one for one in token.caveats if isinstance(one, InvalidCaveat) and one.refusal == "unknown error"]
    end = token.caveats.index(unreadable[0]) if unreadable else len(token.caveats)
    reasons, found = list(_reasons(token, token.caveats[:end], project, now)), scope(token)
    if unreadable and not reasons:
        reasons = ["unknown error"]
    if None in reasons or not reasons or (found.ids and not found.ids_issued):
        return None
    return _INVALID_TOKEN + ", ".join(dict.fromkeys(str(one) for one in reasons))


def _reasons(token: Token, caveats: Sequence[Caveat], project: str | None, now: datetime) -> Iterator[str | None]:
    """The index's reason for each caveat that is not met; None: it has one, but the project is not known."""
    identity, no_ids = _issued_for(token), scope(token).ids == ()
    for one in caveats:
        match one:
            case InvalidCaveat(refusal=refusal):
                yield refusal
            case Expiration(expires_at=end, not_before=start) if not start <= now < end:
                yield "token is expired"
            case ProjectNames(names=names) if not names or (project and normalize_name(project) not in names):
                yield _other_project(project)
            case ProjectIds() if no_ids:
                yield _other_project(project)
            case RequestUser() | PublisherCaveat():
                yield from _other_identity(one, identity)
            case _:
                pass


def _issued_for(token: Token) -> RequestUser | PublisherCaveat | None:
    """The first identity in a token, which is the one that it was issued for; None if it shows none.

    A token that begins with a project's name was issued for a user who is not in it.
    """
    identities = (one for one in token.caveats if isinstance(one, RequestUser | PublisherCaveat))
    return None if token.caveats and isinstance(token.caveats[0], ProjectNames) else next(identities, None)


def _other_project(project: str | None) -> str | None:
    return f"project-scoped token is not valid for project: {project!r}" if project else None


def _other_identity(
    one: RequestUser | PublisherCaveat, identity: RequestUser | PublisherCaveat | None
) -> Iterator[str]:
    match one, identity:
        case RequestUser(user_id=None), PublisherCaveat():
            yield "caveat must be an array"  # the legacy form has no meaning without a user
        case RequestUser(), PublisherCaveat():
            yield _NO_USER
        case RequestUser(user_id=str() as user), RequestUser(user_id=str() as owner) if user != owner:
            yield _OTHER_USER
        case PublisherCaveat(), RequestUser() | None:
            yield _NO_PUBLISHER
        case PublisherCaveat(publisher_id=publisher), PublisherCaveat(publisher_id=own) if publisher != own:
            yield _OTHER_PUBLISHER
        case _:
            pass
