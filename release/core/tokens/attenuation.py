"""Copies of a token that allow less, made offline: what is sent where the token itself need not go.

Whoever holds a token can add limits to it, and nobody can take one away.
Source: warehouse, `macaroons/caveats`: the index verifies a copy like the token, limits included.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release.core.models.credential import Credential
from release.core.secret import Secret
from release.core.tokens import caveats
from release.core.tokens.token import Token, attenuate, decode

#: the index's clock decides, so a copy is valid long before it is made
_BEFORE = timedelta(days=1)
_FIRST_SECOND = datetime.fromtimestamp(0, UTC)


def expired_copy(token: Secret) -> Secret:
    """A copy that was valid for the first second of 1970: it names the token, and allows nothing at all.

    The index finds a token by its identifier before it looks at limits, so this is enough to ask whether
    it knows the token. Raises `ValueError` for what is no token.
    """
    return attenuate(token, caveats.expiration(_FIRST_SECOND + timedelta(seconds=1), _FIRST_SECOND))


def limited_copy(token: Secret, project: str, *, now: datetime, lasts: timedelta) -> Secret:
    """A copy for one project, in any spelling, that `lasts` from `now`, the index's time.

    Raises `ValueError` for what is no token.
    """
    return attenuate(token, caveats.project_names(project), caveats.expiration(now + lasts, now - _BEFORE))


def attenuate_for_upload(credential: Credential, project: str, *, now: datetime, lasts: timedelta) -> Credential:
    """The credential with a `limited` copy in place of its token; unchanged where it holds none."""
    if not isinstance(decode(credential.password), Token):
        return credential
    return Credential(
        username=credential.username,
        username_origin=credential.username_origin,
        password=limited_copy(credential.password, project, now=now, lasts=lasts),
        origin=credential.origin,
    )
