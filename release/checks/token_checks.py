"""The credential that an upload would use: its source, and whether it is a token for this project and index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from release.checks import credential_remedies
from release.checks.engine import Checklist
from release.core.facts import Access
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient, Credential
from release.core.models.index import is_loopback
from release.core.models.secret_location import location_to_text
from release.core.tokens import refusals
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import Token

_USERNAME = "__token__"
#: applies where the check that reports the reason is waived
NO_TOKEN = NotApplicable(reason="there is no token to check")
_NO_TOKENS = NotApplicable(reason="an index of kind 'other' may not use API tokens")

OF_THE_SOURCE, OF_THE_CONTENT = Checklist[Access](), Checklist[Access]()


def origin_of(access: Access) -> str:
    """Where the password is stored; empty where there is none."""
    return location_to_text(access.credential.origin) if isinstance(access.credential, Credential) else ""


def new_token_remedy(access: Access) -> str:
    """The remedy for a token that is no longer, or not here, the right one."""
    credential = access.credential
    return credential_remedies.new_token(access, credential.origin if isinstance(credential, Credential) else None)


@OF_THE_SOURCE.check()
def a_credential_is_found(access: Access) -> Iterator[Observation]:
    """A credential is found.

    Searched in the order of twine: environment, .pypirc, keyring, then trusted publishing. A run never prompts for one.
    """
    if access.index.ephemeral:
        yield NotApplicable(reason="this index, and its credential, are made for the run")
    elif isinstance(access.credential, Unknown):
        yield credential_remedies.unanswered_source(access, access.credential)
        yield from _remarks(access)
    elif isinstance(access.credential, Ambient):
        return
    elif access.credential is None:
        yield from _remarks(access)
        if not any(one.severity == "block" for one in access.remarks):
            message = f"no credential for {access.index.name}: none in $TWINE_PASSWORD, ~/.pypirc and the keyring"
            yield Finding(message=message, remedy=credential_remedies.new_token(access), cause="cred.missing")
    elif not len(access.credential.password):
        origin, where = access.credential.origin, origin_of(access)
        remedy = credential_remedies.empty_password(access, origin)
        yield Finding(message=f"{where} is set, but empty", remedy=remedy, where=where, cause="cred.env-empty")


def _remarks(access: Access) -> Iterator[Finding]:
    return (credential_remedies.with_remedy(access, one) for one in access.remarks)


@OF_THE_SOURCE.check(needs=(a_credential_is_found,))
def the_credential_is_plain_to_see(access: Access) -> Iterator[Observation]:
    """The credential's source is valid and unambiguous.

    Two sources with different secrets, or a file that tools read differently, lead to uploads with the wrong one.
    """
    yield from _remarks(access)


@OF_THE_SOURCE.check(needs=(a_credential_is_found,))
def the_username_is_the_one_for_tokens(access: Access) -> Iterator[Observation]:
    """The username is `__token__`.

    Source: warehouse, `accounts/security_policy.py`: compared byte by byte, whitespace included.
    """
    if access.index.kind == "other":
        yield _NO_TOKENS
        return
    credential = access.credential
    if isinstance(credential, Ambient):
        yield NO_TOKEN
    if not isinstance(credential, Credential) or credential.username == _USERNAME:
        return
    if isinstance(access.token, TokenDefect) and access.token.cause == "cred.account-password":
        # an account's name goes with its password, and the password is what is reported
        yield NotApplicable(reason=f"{credential.username!r} goes with a password, and PyPI accepts no passwords")
        return
    name, origin = credential.username, credential.username_origin
    where = location_to_text(origin)
    yield Finding(
        message=f"the username in {where} is {name!r}, but must be {_USERNAME!r}",
        remedy=credential_remedies.username_for_tokens(access, origin),
        where=where,
        server_text=refusals.PASSWORDS_UNSUPPORTED,
        cause=_username_cause(name),
    )


def _username_cause(name: str) -> str:
    if name.strip() == _USERNAME:
        return "cred.username-whitespace"
    typed = re.sub(r"[^a-z]", "", name.lower())
    return "cred.username-typo" if typed in {"token", "tokens", "toke", "tokn", "tken"} else "cred.username-not-token"


@OF_THE_CONTENT.check(needs=(a_credential_is_found,))
def the_token_is_whole(access: Access) -> Iterator[Observation]:
    """The password is a complete, well-formed API token.

    Where it is broken, the index finds no account that it belongs to, or refuses its caveats.
    """
    origin = origin_of(access)
    match access.token:
        case None:
            yield _NO_TOKENS if access.index.kind == "other" else NO_TOKEN
        case TokenDefect(cause=cause, message=message, remedy=remedy):
            words = _authentication_refusal(access)
            remedy = _fix(access, cause, remedy)
            yield Finding(message=f"{origin}: {message}", remedy=remedy, where=origin, server_text=words, cause=cause)
        case Token(remarks=remarks):
            yield from (replace(one, where=origin, remedy=_fix(access, one.cause, one.remedy)) for one in remarks)


def _authentication_refusal(access: Access) -> str | None:
    """The index's words where it reads no token in the credential, as far as that is certain."""
    credential = access.credential
    if not isinstance(credential, Credential):
        return None
    return refusals.authentication_refusal(credential.username, credential.password)


def _fix(access: Access, cause: str | None, remedy: str) -> str:
    """The remedy for a defect of the value; `remedy` is for a value that is not stored anywhere."""
    if not isinstance(access.credential, Credential):
        return remedy
    return credential_remedies.defective_token(access, access.credential.origin, cause, remedy)


@OF_THE_CONTENT.check(needs=(the_token_is_whole,))
def the_token_is_of_this_index(access: Access) -> Iterator[Observation]:
    """The token was issued by this index.

    PyPI and TestPyPI do not accept each other's tokens, and a token is never sent to another index.
    """
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    issuer, own = access.token.location, access.index.token_location
    if issuer != own and not (is_loopback(issuer) and is_loopback(own)):
        origin = origin_of(access)
        message = f"the token in {origin} was issued by {issuer!r}, not by {own!r}"
        words = _authentication_refusal(access) or refusals.INVALID
        remedy = new_token_remedy(access)
        yield Finding(message=message, remedy=remedy, where=origin, server_text=words, cause="cred.wrong-index")
