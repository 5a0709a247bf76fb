"""The new token: which one is wanted, and whether what came will do."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.errors import ReleaseError
from release.core.secret import Secret
from release.core.tokens.token import Token, decode, scope
from release.credentials import store
from release.token_health.rotation.discovery import Asked, Found, works
from release.token_health.rotation.rotation_plan import page_to_make


def suggestion(asked: Asked, found: Found) -> Iterator[str]:
    """Name and scope of the token to make."""
    if asked.index.kind != "warehouse":
        yield f"make a new token on {asked.index.token_location}"
        return
    single = _single(asked, found)
    yield f"make a new token; name: {asked.name or asked.index.name} {asked.system.now():%Y-%m-%d}"
    yield f"  scope: project {single}" if single else f"  scope: the entire account ({_why_account(asked, found)})"


def page(asked: Asked, found: Found) -> str:
    """Where it is made; empty where nobody knows."""
    return page_to_make(asked.index, _single(asked, found)) if asked.index.kind == "warehouse" else ""


def refusal(asked: Asked, found: Found, new: Secret) -> ReleaseError | None:
    """Why a token will not do; None where it will."""
    broken = store.damage(asked.index, new)
    if broken is not None:
        return ReleaseError(f"not taken: {broken.message}", remedy=broken.remedy, cause=broken.cause)
    token, again = decode(new), f"make a new one: {page(asked, found) or asked.index.token_location}"
    if new.fingerprint == found.fingerprint:
        return ReleaseError("not taken: this is the old token", remedy=again)
    if found.identifier and isinstance(token, Token) and token.identifier == found.identifier:
        return ReleaseError("not taken: this is a copy of the old token, and ends with it", remedy=again)
    verdict = works(asked, new, asked.project).verdict
    if not verdict.passed:
        return ReleaseError(f"not taken: {verdict.message}", remedy=verdict.remedy, cause=verdict.cause)
    return None


def narrower(found: Found, new: Secret) -> bool:
    """Whether the new token is for fewer projects than the old one was."""
    token = decode(new)
    return found.scope == "account" and isinstance(token, Token) and scope(token).kind == "projects"


def _served(asked: Asked, found: Found) -> set[str]:
    """The projects that the places of the old token are for."""
    named = {asked.name} if asked.name else set()
    return named | {one for holding in found.holdings for one in holding.projects}


def _single(asked: Asked, found: Found) -> str | None:
    """The one project that the token need be for; one that is not on the index yet needs more."""
    served = _served(asked, found)
    return asked.name if served == {asked.name} and found.listing is not None else None


def _why_account(asked: Asked, found: Found) -> str:
    served = _served(asked, found)
    if len(served) > 1:
        return f"its places are for {', '.join(sorted(served))}"
    return f"{asked.name} is not on {asked.index.name} yet" if served else "no project is named"
