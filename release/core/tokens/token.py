"""Decode API tokens: their contents, scope and validity, or their defect; make attenuated copies of them.

The holder of a token can add caveats to it, but cannot remove one. So a copy is made offline, and sent instead of the
token itself. Source: warehouse, `macaroons/caveats`: the index verifies a copy like the token, caveats included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from release.core.models.check_result import Finding
from release.core.models.credential import Credential
from release.core.models.index import Index, is_loopback
from release.core.secret import Secret
from release.core.tokens import caveats as caveat
from release.core.tokens import encoding_defects, macaroon
from release.core.tokens.caveats import Caveat, Expiration, ProjectIds, ProjectNames, PublisherCaveat, RequestUser
from release.core.tokens.defects import BLANKS, TokenDefect
from release.core.tokens.macaroon import MalformedError

_SHAPE = re.compile(r"pypi-([A-Za-z0-9_+/-]*)(=*)")
_BODY = re.compile(r"AgE[A-Za-z0-9_+/-]+")
#: of a token, with enough behind it that it is no example
_BEGINNING = re.compile(r"pypi-AgE[A-Za-z0-9_+/-]{24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The contents of a well-formed token, without its signature."""

    #: host name of the index that issued it
    location: str
    #: a UUID by which the index finds the token; not secret, and shown on the account page
    identifier: str
    caveats: tuple[Caveat, ...]
    #: number of characters after the signature, which PyPI ignores
    trailing: int = 0
    #: warnings about its text, which PyPI accepts nevertheless: blanks around it, trailing characters, …
    remarks: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScope:
    """What a token may upload to, according to its own caveats."""

    #: "unknown": no caveat is visible; the index may store further ones
    kind: Literal["account", "projects", "publisher", "unknown"]
    #: normalized names; empty if the token names no projects, or only their identifiers
    projects: tuple[str, ...] = ()
    #: identifiers of projects, UUIDs
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a token is valid: from `not_before` until, not including, `expires_at`. Aware, UTC; None: no limit."""

    not_before: datetime | None = None
    expires_at: datetime | None = None


def decode(secret: Secret) -> Token | TokenDefect:
    """Decode a token as the index does, or find its defect.

    Surrounding blanks, the standard base64 alphabet, padding and characters after the signature are
    accepted with a warning: PyPI strips or ignores them.
    Source: warehouse, `macaroons/security_policy.py` (strip), `macaroons/services.py` (the rest).
    """
    text = secret.reveal()
    core = text.strip(BLANKS)
    shape = _SHAPE.fullmatch(core)
    if shape is None or core.count("pypi-") > 1:
        from release.core.tokens.text_defects import text_defect  # many patterns, which a sound token does not need

        return text_defect(text)
    body = shape[1]
    data = macaroon.decode_base64(body)
    try:
        found, extra = macaroon.deserialize(data)
    except MalformedError as error:
        return encoding_defects.structure_defect(body, data, error)
    trailing = len(body) - macaroon.characters(len(data) - extra)
    defect = encoding_defects.field_defect(found) or encoding_defects.length_defect(body, trailing)
    if defect is not None:
        return defect
    return Token(
        location=found.location,
        identifier=found.identifier.decode(),
        caveats=tuple(map(caveat.parse_caveat, found.caveats)),
        trailing=trailing,
        remarks=tuple(encoding_defects.remarks(text, body=body, padding=len(shape[2]), trailing=trailing)),
    )


def attenuate(secret: Secret, *caveats: bytes) -> Secret:
    """A copy of a well-formed token with more caveats, made offline; `release.core.tokens.caveats` creates them.

    Raises `ValueError` for a damaged token.
    """
    shape = _SHAPE.fullmatch(secret.reveal().strip(BLANKS))
    if shape is None:
        raise ValueError("no token to attenuate")
    found, _ = macaroon.deserialize(macaroon.decode_base64(shape[1]))
    return Secret(macaroon.to_text(found.attenuate(*caveats)))


def issuer(secret: Secret) -> str | None:
    """The host name of the index that issued a token, even if the rest is damaged; None if it cannot be read."""
    match = _BODY.search(secret.reveal())
    data = macaroon.decode_base64(match[0]) if match else b""
    location = data[3 : 3 + data[2]] if len(data) > 3 else b""  # noqa: PLR2004 - version, type, length
    return location.decode() if location and len(location) == data[2] and encoding_defects.is_host(location) else None


def contains_token(text: str, index: Index | None = None) -> bool:
    """Whether a text contains a token, whole or damaged: one of this index, or one whose issuer cannot be read."""
    found = [Secret(match[0]) for match in _BODY.finditer(text)]
    issuers = [one for one in map(issuer, found) if one is not None]
    if issuers and index is not None:
        return any(location_matches(one, index) for one in issuers)
    begins = _BEGINNING.search(text) is not None and (index is None or index.kind == "warehouse")
    return begins or bool(issuers and index is None and "pypi-" in text)


def scope(token: Token) -> TokenScope:
    """What the visible caveats of the token allow."""
    names = [set(one.names) for one in token.caveats if isinstance(one, ProjectNames)]
    ids = [set(one.ids) for one in token.caveats if isinstance(one, ProjectIds)]
    projects = tuple(sorted(set.intersection(*names))) if names else ()
    identifiers = tuple(sorted(set.intersection(*ids))) if ids else ()
    kinds = {type(one) for one in token.caveats}
    if PublisherCaveat in kinds:
        return TokenScope(kind="publisher", projects=projects, ids=identifiers)
    if names or ids:
        return TokenScope(kind="projects", projects=projects, ids=identifiers)
    return TokenScope(kind="account" if RequestUser in kinds else "unknown")


def validity(token: Token) -> Validity:
    """When the token is valid, according to all its expirations."""
    limits = [one for one in token.caveats if isinstance(one, Expiration)]
    if not limits:
        return Validity()
    return Validity(not_before=max(one.not_before for one in limits), expires_at=min(one.expires_at for one in limits))


def location_matches(location: str, index: Index) -> bool:
    """Whether a token with this location may be sent to the index; this machine has several names."""
    own = index.token_location
    return location == own or (is_loopback(location) and is_loopback(own))


#: a copy is valid from before its creation, because the index's clock may be behind
_BEFORE = timedelta(days=1)


def expired_copy(token: Secret) -> Secret:
    """A copy that was valid only for the first second of 1970: it identifies the token, but allows nothing.

    The index looks up the identifier before it checks caveats, so this is enough to ask whether it knows the
    token. Raises `ValueError` if `token` is not a token.
    """
    start = datetime.fromtimestamp(0, UTC)
    return attenuate(token, caveat.expiration(start + timedelta(seconds=1), start))


def limited_copy(token: Secret, project: str, *, now: datetime, lasts: timedelta) -> Secret:
    """A copy for one project, in any spelling, valid for `lasts` from `now`, the index's time.

    Raises `ValueError` if `token` is not a token.
    """
    return attenuate(token, caveat.project_names(project), caveat.expiration(now + lasts, now - _BEFORE))


def attenuate_for_upload(credential: Credential, project: str, *, now: datetime, lasts: timedelta) -> Credential:
    """The credential with an attenuated copy instead of its token; unchanged if it has none."""
    if not isinstance(decode(credential.password), Token):
        return credential
    return replace(credential, password=limited_copy(credential.password, project, now=now, lasts=lasts))
