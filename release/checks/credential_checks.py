"""The second checklist: the way to one index, before anything is built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from release.checks import index_state, token_permission, trusted_publishing_checks
from release.checks.engine import Check, check
from release.core.facts import Access
from release.core.models.credential import Ambient, Credential
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.index import is_loopback
from release.core.models.project_name import normalize_name
from release.core.models.secret_location import EnvironmentVariable, location_to_text
from release.core.tokens.caveats import UnknownCaveat
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import Token, TokenScope, scope, validity

_USERNAME = "__token__"
_EPHEMERAL = NotApplicable(reason="this index is made for the run, and so is its credential")
#: where somebody waived the check that would have said why
_NO_TOKEN = NotApplicable(reason="there is no token to look at")
_NO_TOKENS = NotApplicable(reason="an index of kind 'other' need not use API tokens")


def _where(access: Access) -> str:
    """The place of the password."""
    return location_to_text(access.credential.origin) if isinstance(access.credential, Credential) else ""


def _store(access: Access) -> str:
    return f"keyring set {access.index.upload_url} {_USERNAME}"


@check()
def a_credential_is_found(access: Access) -> Iterator[Observation]:
    """A credential is found.

    Looked for as twine does: environment, .pypirc, keyring, and trusted publishing. Nothing is asked of anybody
    during a run.
    """
    if access.index.ephemeral:
        yield _EPHEMERAL
    elif isinstance(access.credential, Unknown):
        yield access.credential
        yield from access.remarks
    elif isinstance(access.credential, Ambient):
        return
    elif access.credential is None:
        yield from access.remarks
        if not any(one.severity == "block" for one in access.remarks):
            yield Finding(
                message=f"no credential for {access.index.name}: none in $TWINE_PASSWORD, ~/.pypirc and the keyring",
                remedy=f"make an API token on {access.index.token_location}, and store it: {_store(access)}",
                cause="cred.missing",
            )
    elif not len(access.credential.password):
        yield Finding(
            message=f"{_where(access)} is set, and empty",
            remedy=_unset(access),
            where=_where(access),
            cause="cred.env-empty",
        )


def _unset(access: Access) -> str:
    origin = access.credential.origin if isinstance(access.credential, Credential) else None
    if isinstance(origin, EnvironmentVariable):
        return f"run: unset {origin.name}; in CI, correct the secret's name, or let this job have it"
    return f"put the token there, or remove the entry and run: {_store(access)}"


@check(needs=(a_credential_is_found,))
def the_credential_is_plain_to_see(access: Access) -> Iterator[Observation]:
    """The credential's source is sound, and no other contradicts it.

    Two sources with different secrets, or a file that tools read differently, end in uploads with the
    one that was not meant.
    """
    yield from access.remarks


@check(needs=(a_credential_is_found,))
def the_service_vouches_for_this_job(access: Access) -> Iterator[Observation]:
    """The service that runs this job says which job it is.

    Trusted publishing exchanges that for a token, at the upload and not before.
    """
    yield from trusted_publishing_checks.given(access)


@check(needs=(the_service_vouches_for_this_job,))
def the_job_can_be_a_publisher(access: Access) -> Iterator[Observation]:
    """The job is one that a publisher on the index can stand for.

    Whether the index has that publisher, only the exchange tells, and that is no dry run.
    """
    yield from trusted_publishing_checks.fit(access)


@check(needs=(a_credential_is_found,))
def the_username_is_the_one_for_tokens(access: Access) -> Iterator[Observation]:
    """The username is exactly `__token__`.

    Source: warehouse, `accounts/security_policy.py`: compared byte by byte, blanks included.
    """
    if access.index.kind == "other":
        yield _NO_TOKENS
        return
    credential = access.credential
    if isinstance(credential, Ambient):
        yield _NO_TOKEN
    if not isinstance(credential, Credential) or credential.username == _USERNAME:
        return
    if isinstance(access.token, TokenDefect) and access.token.cause == "cred.account-password":
        return  # a name and its password belong together: what is wrong is the password
    name = credential.username
    origin, where = credential.username_origin, location_to_text(credential.username_origin)
    set_it = f"write username = {_USERNAME}"
    if isinstance(origin, EnvironmentVariable):
        set_it = f"run: export {origin.name}={_USERNAME}"
    yield Finding(
        message=f"the username is {name!r}, and must be {_USERNAME!r}",
        remedy=f"{set_it} ({where})",
        where=where,
        server_text="Username/Password authentication is no longer supported.",
        cause=_username_cause(name),
    )


def _username_cause(name: str) -> str:
    if name.strip() == _USERNAME:
        return "cred.username-whitespace"
    typed = re.sub(r"[^a-z]", "", name.lower())
    return "cred.username-typo" if typed in {"token", "tokens", "toke", "tokn", "tken"} else "cred.username-not-token"


@check(needs=(a_credential_is_found,))
def the_token_is_whole(access: Access) -> Iterator[Observation]:
    """The password is a whole API token.

    The index says no more than "Invalid or non-existent authentication information" to a broken one.
    """
    origin = _where(access)
    match access.token:
        case None:
            yield _NO_TOKENS if access.index.kind == "other" else _NO_TOKEN
        case TokenDefect(cause=cause, message=message, remedy=remedy):
            yield Finding(
                message=f"{origin}: {message}",
                remedy=remedy,
                where=origin,
                server_text="Invalid or non-existent authentication information.",
                cause=cause,
            )
        case Token(remarks=remarks, caveats=caveats):
            yield from (replace(one, where=origin) for one in remarks)
            if any(isinstance(one, UnknownCaveat) for one in caveats):
                yield Finding(
                    message=f"the token in {origin} has a limit of a kind that is not known here",
                    remedy="make a new token if the index refuses it",
                    severity="warn",
                    where=origin,
                )


@check(needs=(the_token_is_whole,))
def the_token_is_of_this_index(access: Access) -> Iterator[Observation]:
    """The token was issued by this index.

    PyPI and TestPyPI know nothing of each other's tokens, and a token is shown to nobody else.
    """
    if not isinstance(access.token, Token):
        yield _NO_TOKEN
        return
    place, own = access.token.location, access.index.token_location
    if place != own and not (is_loopback(place) and is_loopback(own)):
        origin = _where(access)
        yield Finding(
            message=f"the token in {origin} was issued by {place!r}, not by {own!r}",
            remedy=f"make a token on {own}, and store it: {_store(access)}",
            where=origin,
            server_text="Invalid or non-existent authentication information.",
            cause="cred.wrong-index",
        )


@check(needs=(the_token_is_of_this_index,))
def the_token_is_valid_now(access: Access) -> Iterator[Observation]:
    """The token is valid now.

    Source: warehouse, `macaroons/caveats`, tag 0; its clock decides.
    """
    if not isinstance(access.token, Token):
        yield _NO_TOKEN
        return
    limits, origin = validity(access.token), _where(access)
    if limits.expires_at is not None and limits.expires_at <= access.now:
        yield Finding(
            message=f"the token in {origin} expired at {limits.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            remedy=f"make a new token on {access.index.token_location}, and store it: {_store(access)}",
            where=origin,
            server_text="Invalid API Token: token is expired",
            cause="tp.token-expired" if scope(access.token).kind == "publisher" else "cred.expired",
        )
    elif limits.not_before is not None and limits.not_before > access.now:
        yield Finding(
            message=f"the token in {origin} is not valid before {limits.not_before:%Y-%m-%d %H:%M:%S} UTC",
            remedy="wait until then; if that time has passed, set this machine's clock",
            where=origin,
            server_text="Invalid API Token: token is expired",
            cause="cred.expired",
        )


@check(needs=(the_token_is_of_this_index,))
def the_token_covers_this_project(access: Access) -> Iterator[Observation]:
    """The token is for this project, or for all of its user's.

    A token that shows no limit may have one that the index keeps; that is for the index to say.
    """
    if isinstance(access.project, Unknown):
        yield NotApplicable(reason="the project's name is not known")
        return
    if not isinstance(access.token, Token):
        yield _NO_TOKEN
        return
    found = scope(access.token)
    if found.kind != "projects":
        return
    name, origin = normalize_name(access.project.name), _where(access)
    if access.listing is None:
        yield _new_project(access, name, origin)
    elif found.projects and name not in map(normalize_name, found.projects):
        yield _other_project(access, found, name, origin)


def _new_project(access: Access, name: str, origin: str) -> Finding:
    return Finding(
        message=f"the token in {origin} is for single projects, and {name!r} is not on {access.index.name} yet",
        remedy="upload the first release with a token for the whole account, then make one for the project",
        where=origin,
        server_text=f"Invalid API Token: project-scoped token is not valid for project: '{name}'",
        cause="cred.project-scope-new-project",
    )


def _other_project(access: Access, found: TokenScope, name: str, origin: str) -> Finding:
    shown = ", ".join(map(repr, found.projects))
    return Finding(
        message=f"the token in {origin} is for {shown}, not for {name!r}",
        remedy=f"make a token for {name!r} on {access.index.token_location}, and store it: {_store(access)}",
        where=origin,
        server_text=f"Invalid API Token: project-scoped token is not valid for project: '{name}'",
        cause="cred.project-scope-mismatch",
    )


@check(needs=(the_token_is_valid_now,))
def the_index_knows_the_token(access: Access) -> Iterator[Observation]:
    """The index knows the token, and takes uploads.

    Asked with a copy of it that has expired, which can't upload anything.
    """
    yield from token_permission.identity(access)


@check(needs=(the_index_knows_the_token,))
def the_index_lets_the_token_upload(access: Access) -> Iterator[Observation]:
    """The index would let the token upload to the project, or create it.

    Asked with a copy of it for this project and two minutes, in an upload that can't succeed. Where the
    project is new, its account alone is asked about: the index sees the signature at the first upload.
    """
    yield from token_permission.permission(access)


@check(needs=(a_credential_is_found,))
def the_files_can_be_signed(access: Access) -> Iterator[Observation]:
    """Attestations can be created for the files.

    Only a trusted publisher can have its files signed. Without attestations the files are uploaded anyway, unless
    `attest = true`. Source: PEP 740.
    """
    if access.signing is not None:
        yield access.signing


#: where from, what it is, whether it is known, whether it works: each means something if those before it passed
TIERS: tuple[tuple[Check[Access], ...], ...] = (
    (
        a_credential_is_found,
        the_credential_is_plain_to_see,
        the_username_is_the_one_for_tokens,
        the_service_vouches_for_this_job,
    ),
    (
        the_token_is_whole,
        the_token_is_of_this_index,
        the_token_is_valid_now,
        the_token_covers_this_project,
        the_job_can_be_a_publisher,
    ),
    index_state.CHECKS,
    (the_index_knows_the_token, the_index_lets_the_token_upload),
)
CHECKS: tuple[Check[Access], ...] = tuple(one for tier in TIERS for one in tier)
#: of an index that the files will be signed for
OF_SIGNING: tuple[Check[Access], ...] = (the_files_can_be_signed,)
