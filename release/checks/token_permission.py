"""Whether the index lets the token upload: what it answered to the probes, and what that means.

Answers are told apart by how they begin, since the index has moved its questions before; words that
nobody knows are unknown, and block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from release.core.facts import Access, ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.probe import ProbeResult, Quota
from release.core.models.project_listing import ProjectListing
from release.core.models.project_name import normalize_name
from release.core.models.secret_location import location_to_text
from release.core.tokens.token import Token, scope

if TYPE_CHECKING:
    from release.diagnostics import Diagnosis, Match

#: sections of the catalog that an answer about a token can come from; words about files and metadata
#: come from questions that the probes do not reach
_ABOUT_ACCESS = ("cred.", "account.", "org.", "project.", "tp.", "server.", "url.", "net.")
_NOT_ASKED = NotApplicable(reason="the index was not asked")
#: HTTP status: from here on no success; from there on it tells of the server, not of the request
_REFUSED, _SERVER_FAILED = 300, 500


def identity(access: Access) -> Iterator[Observation]:
    """Whether the index knows the token."""
    if access.identity is None:
        yield _NOT_ASKED
    else:
        yield from _answered(access, access.identity)


def permission(access: Access) -> Iterator[Observation]:
    """Whether the index would let it upload."""
    if access.permission is None:
        yield (
            NotApplicable(reason="the project's name is not known")
            if isinstance(access.project, Unknown)
            else _NOT_ASKED
        )
    else:
        yield from _answered(access, access.permission)


def _answered(access: Access, probed: ProbeResult | Unknown) -> Iterator[Observation]:
    if isinstance(probed, Unknown):
        yield probed
    elif not probed.passed():
        match = _known(probed)
        yield _finding(access, probed, match) if match else _unknown(access, probed)


def _known(probed: ProbeResult) -> Match | None:
    """The failure that the words show, the likeliest root first."""
    if not _REFUSED <= probed.status < _SERVER_FAILED:
        return None
    from release.diagnostics import recognise

    found = recognise(probed.words(), status=probed.status)
    return next((one for one in found if one.cause.startswith(_ABOUT_ACCESS)), None)


def _unknown(access: Access, probed: ProbeResult) -> Unknown:
    index, words = access.index, probed.words()
    cause = None
    if probed.status >= _SERVER_FAILED:
        cause = "server.outage"
        remedy = _diagnosis(cause).remedy_for({"upload_url": index.upload_url})
    elif probed.status < _REFUSED:
        remedy = f"check that {index.upload_url} is where an index of PyPI's kind takes uploads"
    else:
        remedy = "do what these words ask for; if they ask for nothing, run it again in some minutes"
    said = f": {words!r}" if words else ", and says nothing"
    return Unknown(reason=f"{index.name} answers {probed.status}{said}", remedy=remedy, cause=cause)


def _finding(access: Access, probed: ProbeResult, match: Match) -> Finding:
    cause = _cause(access, match.cause)
    known = {**match.values, "upload_url": access.index.upload_url}
    if isinstance(access.project, ProjectMetadata):
        known["project"] = access.project.name
    if isinstance(access.token, Token):
        known["identifier"] = access.token.identifier
    return Finding(
        message=_what(access, probed, cause, known.get("user", "")),
        remedy=_remedy(access, probed, cause) or _diagnosis(cause).remedy_for(known),
        where=_where(access) or None,
        server_text=probed.words(),
        cause=cause,
    )


def _diagnosis(cause: str) -> Diagnosis:
    from release.diagnostics import CATALOG

    return CATALOG[cause]


def _cause(access: Access, likeliest: str) -> str:
    """The cause, where several share the words and what is known here tells them apart.

    Whatever can be wrong with a token's text has been looked at before the index was asked.
    """
    minted = isinstance(access.token, Token) and scope(access.token).kind == "publisher"
    match likeliest:
        case "cred.missing":
            return "tp.token-expired" if minted else "cred.revoked"
        case "cred.expired" if minted:
            return "tp.token-expired"
        case "account.no-role" | "tp.pending-name-mismatch" if _archived(access):
            return "project.archived"
        case _:
            return likeliest


def _archived(access: Access) -> bool:
    return isinstance(access.listing, ProjectListing) and access.listing.status.startswith("archived")


def _what(access: Access, probed: ProbeResult, cause: str, user: str) -> str:
    index, token = access.index.name, f"the token in {_where(access)}"
    project = access.project.name if isinstance(access.project, ProjectMetadata) else "?"
    identifier = access.token.identifier if isinstance(access.token, Token) else "?"
    match cause:
        case "cred.revoked":
            return (
                f"{index} does not know {token}, identifier {identifier}: it was deleted, by hand or because it was "
                "published somewhere, or its account is disabled"
            )
        case "cred.project-scope-mismatch" if _made_anew(access, probed):
            return f"{token} is for a project {project!r} that was deleted on {index}; this one was made after it"
        case "account.no-role":
            return f"{token} is in order, and its user {user!r} has no role on {project!r}{_owners(access)}"
        case "server.new-project-quota":
            return f"{index} lets this account, or this address, create no more projects for now{_left(probed)}"
        case "server.login-limit" if probed.reply.retry_after is not None:
            return f"{index} holds this address back for {probed.reply.retry_after:.0f} s"
        case _:
            of = f", of user {user!r}" if user else ""
            return f"{index} refuses {token}{of}: {_diagnosis(cause).title}"


def _remedy(access: Access, probed: ProbeResult, cause: str) -> str:
    """The order for what the catalog does not tell apart; empty where its own will do."""
    if cause == "cred.project-scope-mismatch" and _made_anew(access, probed):
        return f"make a new token for the project on {access.index.token_location}, and store it in place of this one"
    return ""


def _made_anew(access: Access, probed: ProbeResult) -> bool:
    """Whether a token's project is this one by name and another by identifier.

    The index gives a reason for each limit, and verifies its own copy of them too: 4 where neither name
    nor identifier fits, 2 where the identifier alone does not. Where the token shows names, they tell.
    """
    names = scope(access.token).projects if isinstance(access.token, Token) else ()
    if names and isinstance(access.project, ProjectMetadata):
        return normalize_name(access.project.name) in map(normalize_name, names)
    return probed.reply.words().count("project-scoped token is not valid") <= 2  # noqa: PLR2004 - see above


def _owners(access: Access) -> str:
    users = [user for _, user in access.ownership.roles] if access.ownership else []
    return f"; {', '.join(map(repr, users))} have" if len(users) > 1 else f"; {users[0]!r} has" if users else ""


def _left(probed: ProbeResult) -> str:
    """What the index's own headers tell of its limits."""
    spent = [one for one in probed.quotas() if not one.remaining]
    return "".join(f"; {shown(one)}" for one in spent)


def shown(quota: Quota) -> str:
    """A limit in words: "project.create.user: 0 of 20 left, more in 58 min"."""
    of = f" of {quota.limit}" if quota.limit is not None else ""
    return f"{quota.name}: {quota.remaining}{of} left, more in {-(-quota.reset // 60)} min"


def _where(access: Access) -> str:
    return location_to_text(access.credential.origin) if isinstance(access.credential, Credential) else ""
