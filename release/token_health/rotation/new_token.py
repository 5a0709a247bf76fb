"""The new token: the scope that it needs, and whether a given one is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from release.core.errors import ReleaseError
from release.core.models.index import Index, normalize_name
from release.core.models.secret_location import KeyringEntry
from release.core.secret import Secret
from release.core.tokens.token import Token, decode, scope
from release.credentials import store, verify
from release.credentials.sources import keyring
from release.token_health.rotation.rotation_plan import RotationPlan, RotationRequest


def describe_new_token(request: RotationRequest, plan: RotationPlan) -> Iterator[str]:
    """Name and scope of the token to create, line by line."""
    if request.index.kind != "warehouse":
        yield f"create a new token on {request.index.token_location}"
        return
    single, projects = _single_project(request, plan), _projects(request, plan)
    yield f"create a new token; name: {request.name or request.index.name} {request.system.now():%Y-%m-%d}"
    if single:
        yield f"  scope: project {single}"
        return
    reason = f"{request.name} is not on {request.index.name} yet" if projects else "no project is named"
    if len(projects) > 1:
        reason = f"it is used for {', '.join(sorted(projects))}"
    yield f"  scope: the entire account ({reason})"


def page_for_new_token(request: RotationRequest, plan: RotationPlan) -> str:
    """The page that creates it; empty where it is not known."""
    return creation_page(request.index, _single_project(request, plan)) if request.index.kind == "warehouse" else ""


def creation_page(index: Index, project: str | None) -> str:
    """The page that creates a token, with the project selected.

    Source: warehouse, `manage/views`, `manage_macaroons`: it reads `selected_project`, and no parameter for the name.
    """
    query = f"?{urlencode({'selected_project': normalize_name(project)})}" if project else ""
    return f"{index.site}/manage/account/token/{query}"


def reject_new_token(request: RotationRequest, plan: RotationPlan, new: Secret) -> ReleaseError | None:
    """Why a token is not accepted; None: it is."""
    defect = store.token_defect(request.index, new)
    if defect is not None:
        return ReleaseError(f"not accepted: {defect.message}", remedy=defect.remedy, cause=defect.cause)
    token = decode(new)
    remedy = f"create a new one: {page_for_new_token(request, plan) or request.index.token_location}"
    if new.fingerprint == plan.fingerprint:
        return ReleaseError("not accepted: this is the old token", remedy=remedy)
    if plan.identifier and isinstance(token, Token) and token.identifier == plan.identifier:
        return ReleaseError("not accepted: this is a copy of the old token, and is revoked with it", remedy=remedy)
    verdict = verify.verify_token(request.system, request.index, new, request.project).verdict
    if not verdict.passed:
        return ReleaseError(f"not accepted: {verdict.message}", remedy=verdict.remedy, cause=verdict.cause)
    return None


def entry_for(request: RotationRequest, new: Secret) -> KeyringEntry | None:
    """The project's own entry of the keyring, for a token that is limited to single projects; None for any other."""
    token = decode(new)
    limited = isinstance(token, Token) and scope(token).kind == "projects"
    return keyring.project_entry(request.index, request.name) if limited and request.name else None


def is_narrower(plan: RotationPlan, new: Secret) -> bool:
    """Whether the new token covers fewer projects than the old one."""
    token = decode(new)
    return plan.scope == "account" and isinstance(token, Token) and scope(token).kind == "projects"


def _projects(request: RotationRequest, plan: RotationPlan) -> set[str]:
    """The projects that are uploaded with the old token."""
    named = {request.name} if request.name else set()
    return named | {name for stored in plan.stored for name in stored.projects}


def _single_project(request: RotationRequest, plan: RotationPlan) -> str | None:
    """The only project that the token needs to cover; one that is not on the index yet needs an account token."""
    projects = _projects(request, plan)
    return request.name if projects == {request.name} and plan.on_index else None
