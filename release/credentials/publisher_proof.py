"""Prove before a release that an index has a trusted publisher for this job.

The identity of the job is exchanged for a token, a copy of the token for this project and two minutes is sent with an
upload that cannot succeed, and the token is revoked, on every way out. It leaves two lines in the project's security
history: token created, token revoked. Where the project does not exist, the exchange would create it with a pending
publisher: it is never done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from release.adapters import collect
from release.adapters.index import json_api, token_probes
from release.adapters.oidc import provider
from release.adapters.oidc.exchange_records import EXCHANGED_LIFE
from release.adapters.system.system import System
from release.checks import trusted_publishing_checks
from release.core.errors import UnreachableError
from release.core.events import Event, Observer
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.credential import Ambient
from release.core.models.exchanged_token import IssuedToken, PublisherProof
from release.core.models.index import Index, ProjectListing, files_by_release
from release.core.models.oidc_identity import OidcIdentity
from release.core.models.probe import ProbeResult
from release.credentials import exchange

if TYPE_CHECKING:
    from release.diagnostics.oidc_exchange_failures import RefusedExchange


def _silent(_event: Event) -> None:
    """Show nothing."""


def prove_publisher(
    system: System, index: Index, project: str, *, notify: Observer = _silent, keep: bool = False
) -> PublisherProof:
    """Prove that `index` has a publisher for this job that may upload to `project`.

    Never raises expected errors. Call it in the main thread, where a signal waits until the token is revoked. With
    `keep`, a job that gets one identity only keeps the token, for the upload of the same run.
    """
    listing = collect.collect_listing(index, project)
    try:
        first = _request(system, index)
    except (provider.NoIdentityError, UnreachableError) as error:
        return PublisherProof(problem=_problem(error))
    return _prove(system, index, project, listing, first, notify=notify, keep=keep)


def query_publisher(system: System, facts: Access, *, notify: Observer = _silent, keep: bool = False) -> Access:
    """Add the proof to the facts, where this job uses trusted publishing. A tier of `verify`."""
    credential = facts.credential
    if not isinstance(credential, Ambient) or facts.index.ephemeral or facts.proof is not None:
        return facts
    if not isinstance(facts.project, ProjectMetadata):
        reason = "the project's name is not known, so that no exchange can show whether it has a publisher"
        return replace(facts, proof=PublisherProof(problem=Unknown(reason=reason, remedy="pass --project NAME")))
    if not isinstance(credential.identity, OidcIdentity) or isinstance(facts.listing, NotApplicable):
        return facts
    proof = _prove(
        system, facts.index, facts.project.name, facts.listing, credential.identity, notify=notify, keep=keep
    )
    return replace(facts, proof=proof, permission=proof.permission)


def _prove(  # noqa: PLR0913 - a project on an index, and the environment
    system: System,
    index: Index,
    project: str,
    listing: ProjectListing | Unknown | None,
    first: OidcIdentity,
    *,
    notify: Observer,
    keep: bool,
) -> PublisherProof:
    if isinstance(listing, Unknown):
        return PublisherProof(problem=listing)
    if listing is None:
        return PublisherProof(problem=trusted_publishing_checks.pending_publisher(index, project, first))
    try:
        found = exchange.obtain_token(
            system, index, project, request=_starting_with(first, lambda: _request(system, index)), notify=notify
        )
    except (provider.NoIdentityError, UnreachableError) as error:
        return PublisherProof(problem=_problem(error))
    if found is None:
        reason = f"{index.name} gave no clear answer, and {first.provider} gives this job no second identity"
        return PublisherProof(problem=Unknown(reason=reason, remedy="run the job again"))
    if not isinstance(found, IssuedToken):
        return PublisherProof(problem=_used_before(system, found) or _refusal(found))
    keep = keep and provider.gives_one_identity(system.env, first.audience)
    revoked, permission = False, None
    try:
        permission = _probe(index, listing, found)
    finally:
        if not keep:
            revoked = exchange.revoke_token(index, found)
    return PublisherProof(
        permission=permission, issued=True, revoked=revoked, expires=found.expires, kept=found if keep else None
    )


def _starting_with(first: OidcIdentity, request: Callable[[], OidcIdentity]) -> Callable[[], OidcIdentity]:
    """Returns the identity that was requested already, then new ones."""
    ready = [first]
    return lambda: ready.pop() if ready else request()


def _request(system: System, index: Index) -> OidcIdentity:
    found = provider.request_identity(system, provider.fetch_audience(index), for_proof=True)
    if found is None:
        raise provider.NoIdentityError(
            "this is no job of a CI service with identities: there is nothing to exchange",
            remedy="run it in the CI job that uploads",
        )
    return found


def _probe(index: Index, listing: ProjectListing, issued: IssuedToken) -> ProbeResult | Unknown:
    """Ask whether the token may upload to the project. The time is the index's: it has just issued the token."""
    try:
        owners = json_api.fetch_ownership(index, listing.name)
        name = owners.name if owners else listing.name
        version = str(min(files_by_release(listing), default="0"))
        now = issued.expires - EXCHANGED_LIFE
        return token_probes.probe_permission(index, issued.token, name=name, version=version, now=now)
    except token_probes.ProbeNotAllowedError:
        reason = f"{index.name} answered the exchange with text that is none of its tokens"
        return Unknown(reason=reason, remedy=f"check which server answers at {index.site}, then run it again")
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


def _problem(error: provider.NoIdentityError | UnreachableError) -> Finding | Unknown:
    if isinstance(error, UnreachableError):
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
    return Finding(message=error.message, remedy=error.remedy, cause=error.cause)


def _refusal(refused: RefusedExchange) -> Finding:
    from release.diagnostics import oidc_exchange_failures

    return Finding(
        message=oidc_exchange_failures.exchange_message(refused),
        remedy=oidc_exchange_failures.exchange_remedy(refused),
        server_text=refused.description,
        cause=oidc_exchange_failures.exchange_cause(refused),
    )


def _used_before(system: System, refused: RefusedExchange) -> Finding | None:
    """An identity that another step of a GitLab job has exchanged already; None for any other refusal.

    The index says so only where a publisher matches.
    """
    identity = refused.identity
    if refused.code != "invalid-reuse-token" or identity.provider != "GitLab":
        return None
    alone = provider.gives_one_identity(system.env, identity.audience)
    return Finding(
        message=f"an earlier step of this job has exchanged its identity for {refused.index.name}"
        + ("; the upload needs one of its own" if alone else ", which has a publisher for it"),
        remedy=f"add to the job: {provider.second_identity(identity.audience)}"
        if alone
        else "check and publish in one command: publish runs the same checks",
        severity="block" if alone else "warn",
        server_text=refused.description,
        cause="tp.jti-reuse",
    )
