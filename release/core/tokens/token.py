"""Decode API tokens: their contents, or their defect; make attenuated copies of them.

The holder of a token can add caveats to it, but cannot remove one. So a copy is made offline, and sent instead of the
token itself. Source: warehouse, `macaroons/caveats`: the index verifies a copy like the token, caveats included.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding
from release.core.models.index import Index, is_loopback
from release.core.secret import Secret
from release.core.tokens import caveats as caveat
from release.core.tokens import encoding_defects, macaroon
from release.core.tokens.caveat_damage import caveat_damage
from release.core.tokens.caveats import Caveat
from release.core.tokens.defects import BLANKS, COPY, TokenDefect
from release.core.tokens.macaroon import Macaroon, MalformedError
from release.core.tokens.scope import TokenScope, Validity, scope_of, validity_of

if TYPE_CHECKING:  # a search for tokens needs no model of credentials
    from release.core.models.credential import Credential

_SHAPE = lazy_pattern(r"pypi-([A-Za-z0-9_+/-]*)(=*)")
_BODY = lazy_pattern(r"AgE[A-Za-z0-9_+/-]+")
#: of a token, with enough behind it that it is no example
_BEGINNING = lazy_pattern(r"pypi-AgE[A-Za-z0-9_+/-]{24}")


class Token(Struct, frozen=True, kw_only=True):
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


@lru_cache(maxsize=64)  # each step of the check of a token asks for it, and many tokens are checked at a time
def decode(secret: Secret) -> Token | TokenDefect:
    """Decode a token as the index does, or find its defect.

    Surrounding blanks, the standard base64 alphabet, padding, characters after the signature, and those that the
    index's decoder skips are accepted with a warning.
    Source: warehouse, `macaroons/security_policy.py` (strip), `macaroons/services.py` (the rest).
    """
    text = secret.reveal()
    core = text.strip(BLANKS)
    shape = _SHAPE.fullmatch(core)
    if shape is None or core.count("pypi-") > 1:
        from release.core.tokens.text_defects import text_defect  # many patterns, which a sound token does not need

        return _decode_leniently(text, text_defect(text))
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
    remarks = encoding_defects.remarks(text, body=body, padding=len(shape[2]), trailing=trailing)
    return _token(found, trailing, tuple(remarks))


def holds_token(secret: Secret) -> bool | None:
    """Whether the index reads a token in a password, damaged or not; None if the tool that sends it decides.

    Tools encode characters outside of ASCII differently.
    """
    text = secret.reveal()
    return macaroon.deserialize_leniently(text.strip()) is not None if text.isascii() else None


def _decode_leniently(text: str, defect: TokenDefect) -> Token | TokenDefect:
    """The token in a text with other characters, where the index skips these; otherwise the defect."""
    found = macaroon.deserialize_leniently(text.strip()) if text.isascii() else None
    if found is None or encoding_defects.field_defect(found) is not None:
        return defect
    message = f"{defect.message}; PyPI accepts it, but other indexes and tools do not"
    return _token(found, 0, (Finding(message=message, remedy=defect.remedy, severity="warn", cause=defect.cause),))


def _token(found: Macaroon, trailing: int, remarks: tuple[Finding, ...]) -> Token | TokenDefect:
    caveats = tuple(map(caveat.parse_caveat, found.caveats))
    damage = caveat_damage(found.caveats, caveats)
    if damage is not None:
        return TokenDefect("cred.malformed", f"the token is damaged: {damage}", COPY)
    return Token(
        location=found.location,
        identifier=found.identifier.decode(),
        caveats=caveats,
        trailing=trailing,
        remarks=remarks,
    )


def attenuate(secret: Secret, *caveats: bytes) -> Secret:
    """A copy of a well-formed token with more caveats, made offline; `release.core.tokens.caveats` creates them.

    Raises `ValueError` for a damaged token.
    """
    text = secret.reveal()
    shape = _SHAPE.fullmatch(text.strip(BLANKS))
    found: Macaroon | None
    if shape is None:
        found = macaroon.deserialize_leniently(text.strip())
    else:
        found, _ = macaroon.deserialize(macaroon.decode_base64(shape[1]))
    if found is None:
        raise ValueError("no token to attenuate")
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
    return scope_of(token.caveats)


def validity(token: Token) -> Validity:
    """When the token is valid, according to all its expirations."""
    return validity_of(token.caveats)


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
