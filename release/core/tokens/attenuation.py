"""Attenuated copies of a token, made offline and sent instead of the token itself.

The holder of a token can add caveats to it, but cannot remove one.
Source: warehouse, `macaroons/caveats`: the index verifies a copy like the token, caveats included.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release.core.models.credential import Credential
from release.core.secret import Secret
from release.core.tokens import caveats
from release.core.tokens.token import Token, attenuate, decode

#: a copy is valid from before its creation, because the index's clock may be behind
_BEFORE = timedelta(days=1)
_FIRST_SECOND = datetime.fromtimestamp(0, UTC)


def expired_copy(token: Secret) -> Secret:
    """A copy that was valid only for the first second of 1970: it identifies the token, but allows nothing.

    The index looks up the identifier before it checks caveats, so this is enough to ask whether it knows the
    token. Raises `ValueError` if `token` is not a token.
    """
    return attenuate(token, caveats.expiration(_FIRST_SECOND + timedelta(seconds=1), _FIRST_SECOND))


def limited_copy(token: Secret, project: str, *, now: datetime, lasts: timedelta) -> Secret:
    """A copy for one project, in any spelling, valid for `lasts` from `now`, the index's time.

    Raises `ValueError` if `token` is not a token.
    """
    return attenuate(token, caveats.project_names(project), caveats.expiration(now + lasts, now - _BEFORE))


def attenuate_for_upload(credential: Credential, project: str, *, now: datetime, lasts: timedelta) -> Credential:
    """The credential with an attenuated copy instead of its token; unchanged if it has none."""
    if not isinstance(decode(credential.password), Token):
        return credential
    return Credential(
        username=credential.username,
        username_origin=credential.username_origin,
        password=limited_copy(credential.password, project, now=now, lasts=lasts),
        origin=credential.origin,
    )
