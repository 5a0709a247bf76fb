"""The credential that an upload would use: its source, and whether it is a token for this project and index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from release.checks import credential_remedies
from release.checks.engine import Checklist, quote, warn
from release.core.facts import Access
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient, Credential
from release.core.models.index import is_loopback, normalize_name
from release.core.models.secret_location import location_to_text
from release.core.tokens.caveats import UnknownCaveat
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import Token, scope, validity

_USERNAME = "__token__"
#: applies where the check that reports the reason is waived
NO_TOKEN = NotApplicable(reason="there is no token to check")
_NO_TOKENS = NotApplicable(reason="an index of kind 'other' may not use API tokens")
_INVALID = "Invalid or non-existent authentication information."

OF_THE_SOURCE, OF_THE_CONTENT = Checklist[Access](), Checklist[Access]()


def origin_of(access: Access) -> str:
    """Where the password is stored; empty where there is none."""
    return location_to_text(access.credential.origin) if isinstance(access.credential, Credential) else ""


def _replace_token(access: Access) -> str:
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
        return  # an account's name goes with its password, and the password is what is reported
    name, origin = credential.username, credential.username_origin
    where = location_to_text(origin)
    yield Finding(
        message=f"the username in {where} is {name!r}, but must be {_USERNAME!r}",
        remedy=credential_remedies.username_for_tokens(access, origin),
        where=where,
        server_text="Username/Password authentication is no longer supported.",
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

    For a broken token the index only answers "Invalid or non-existent authentication information".
    """
    origin = origin_of(access)
    match access.token:
        case None:
            yield _NO_TOKENS if access.index.kind == "other" else NO_TOKEN
        case TokenDefect(cause=cause, message=message, remedy=remedy):
            yield Finding(
                message=f"{origin}: {message}", remedy=_fix(access, cause, remedy), where=origin, server_text=_INVALID,
                cause=cause,
            )  # fmt: skip
        case Token(remarks=remarks, caveats=caveats):
            yield from (replace(one, where=origin, remedy=_fix(access, one.cause, one.remedy)) for one in remarks)
            if any(isinstance(one, UnknownCaveat) for one in caveats):
                yield warn(
                    f"the token in {origin} has a caveat of an unknown kind",
                    _replace_token(access),
                    origin,
                )


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
        yield Finding(
            message=message, remedy=_replace_token(access), where=origin, server_text=_INVALID,
            cause="cred.wrong-index",
        )  # fmt: skip


@OF_THE_CONTENT.check(needs=(the_token_is_of_this_index,))
def the_token_is_valid_now(access: Access) -> Iterator[Observation]:
    """The token is valid now.

    Source: warehouse, `macaroons/caveats`, tag 0; the index's clock decides.
    """
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    limits, origin = validity(access.token), origin_of(access)
    if limits.expires_at is not None and limits.expires_at <= access.now:
        message = f"the token in {origin} expired at {limits.expires_at:%Y-%m-%d %H:%M:%S} UTC"
        remedy = _replace_token(access)
        cause = "tp.token-expired" if scope(access.token).kind == "publisher" else "cred.expired"
    elif limits.not_before is not None and limits.not_before > access.now:
        message = f"the token in {origin} is not valid before {limits.not_before:%Y-%m-%d %H:%M:%S} UTC"
        remedy, cause = "wait until then; if that time has passed, set this machine's clock", "cred.expired"
    else:
        return
    yield Finding(
        message=message, remedy=remedy, where=origin, server_text="Invalid API Token: token is expired", cause=cause
    )


@OF_THE_CONTENT.check(needs=(the_token_is_of_this_index,))
def the_token_covers_this_project(access: Access) -> Iterator[Observation]:
    """The token's scope covers this project.

    A token that shows no limit may have one that only the index knows.
    """
    if isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project name is not known")
        return
    if not isinstance(access.token, Token):
        yield NO_TOKEN
        return
    found = scope(access.token)
    name = normalize_name(access.project.name)
    if found.kind == "projects" and access.listing is None:
        message = f"is limited to single projects, but {name!r} is not on {access.index.name} yet"
        remedy, cause = _replace_token(access), "cred.project-scope-new-project"
    elif found.kind == "projects" and found.projects and name not in map(normalize_name, found.projects):
        message = f"is for {quote(found.projects)}, not for {name!r}"
        credential = access.credential
        origin = credential.origin if isinstance(credential, Credential) else None
        remedy, cause = credential_remedies.token_for_project(access, origin), "cred.project-scope-mismatch"
    else:
        return
    yield Finding(
        message=f"the token in {origin_of(access)} {message}",
        remedy=remedy,
        where=origin_of(access),
        server_text=f"Invalid API Token: project-scoped token is not valid for project: '{name}'",
        cause=cause,
    )
