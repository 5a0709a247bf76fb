"""Asks all that can be known of the way to an index, tier by tier: from where, what, known, works.

Each tier is asked only where those before it are in order: a token that is broken is not read by any
server, and one that was made for another index never leaves the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from release.adapters import collect
from release.adapters.system.json_pipe import Pipe
from release.adapters.system.system import System
from release.checks import credential_checks, engine
from release.core.config import Config
from release.core.errors import UnreachableError, UsageError
from release.core.facts import Access, ProjectMetadata
from release.core.models import verdict
from release.core.models.credential import Ambient, Credential, Resolution
from release.core.models.finding import Finding, NotApplicable, Unknown
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity
from release.core.models.probe import STANDARD_MODULES, ProbeResult
from release.core.models.project_listing import Ownership, ProjectListing, files_by_release
from release.core.models.project_name import is_project_name
from release.core.models.verification import Verification
from release.core.tokens.token import decode
from release.credentials import sources

__all__ = ["Tier", "Verification", "identified", "inspect", "known", "permitted", "subject", "verify"]

#: asks more about an access, and gives it back with the answers
Tier = Callable[[System, Access], Access]

_NOTHING_WAIVED: Mapping[str, str] = MappingProxyType({})
_NOT_ASKED = NotApplicable(reason="the index was not asked")


def verify(  # noqa: PLR0913 - a question with options, all but the first three with defaults
    system: System,
    index: Index,
    project: ProjectMetadata | Unknown,
    *,
    offline: bool = False,
    credential: Credential | Resolution | None = None,
    directory: Path | None = None,
    waive: Mapping[str, str] = _NOTHING_WAIVED,
    keyring: Pipe | None = None,
    tiers: Sequence[Tier] | None = None,
) -> Verification:
    """The whole answer for one index. Every source is looked at, not only the winner.

    `credential` is looked at in place of whatever the sources have. `offline` ends it before the first
    request. `directory` is the project's; `keyring` the keyring's process, where it has been started.
    `tiers` are asked in place of `known`, `identified` and `permitted`.
    """
    if isinstance(credential, Resolution):
        resolved = credential
    elif credential is None:
        resolved = sources.resolve(
            index, system.env, system.home, directory=directory, every_source=True, keyring_child=keyring
        )
    else:
        resolved = Resolution(credential=credential)
    facts = replace(_of(resolved, system, index, project), releasing=False)
    if not offline:
        facts = _deeper(system, facts, waive, (vouched, known, identified, permitted) if tiers is None else tiers)
    outcomes = tuple(engine.run(credential_checks.CHECKS, facts, waive=waive, subject=index.name))
    return Verification(access=facts, outcomes=outcomes, verdict=verdict.derive_verdict(outcomes), offline=offline)


def subject(
    system: System, directory: Path, *, file: Path | None = None, name: str | None = None, offline: bool = False
) -> tuple[Config, ProjectMetadata | Unknown]:
    """The configuration, and the project to ask about. With a `name`, the directory need hold none.

    No program is run where the name stands in pyproject.toml, nor `offline`. Raises `ConfigError`,
    `UsageError` for what is no name.
    """
    config = collect.load_config(directory, file, needs_project=name is None)
    if name is not None:
        if not is_project_name(name):
            raise UsageError(f"no project can be called {name!r}", remedy="give the name as the index has it")
        return config, ProjectMetadata(name=name, version="")
    known = collect.collect_project(system, directory, ask_backend=False)
    if not isinstance(known, Unknown):
        return config, known
    declared = collect.load_project_name(directory)
    if declared is not None:
        return config, ProjectMetadata(name=declared, version="")
    return config, known if offline else collect.collect_project(system, directory)


def inspect(
    system: System,
    index: Index,
    project: ProjectMetadata | Unknown,
    *,
    ours: frozenset[str] = frozenset(),
    waive: Mapping[str, str] = _NOTHING_WAIVED,
) -> Access:
    """The facts for a release: what the index has is told in any case, and only then is it asked more.

    `ours`: sha256 of the files that this release has built already.
    """
    resolved = sources.resolve(index, system.env, system.home)
    facts = known(system, replace(_of(resolved, system, index, project), ours=ours))
    return _deeper(system, facts, waive, (vouched, identified, permitted))


def _of(resolved: Resolution, system: System, index: Index, project: ProjectMetadata | Unknown) -> Access:
    credential = resolved.credential
    read = isinstance(credential, Credential) and index.kind == "warehouse"
    return Access(
        index=index,
        project=project,
        credential=credential,
        remarks=resolved.remarks,
        candidates=resolved.candidates,
        token=decode(credential.password) if read and isinstance(credential, Credential) else None,
        listing=_NOT_ASKED,
        now=system.now(),
    )


def _deeper(
    system: System,
    facts: Access,
    waive: Mapping[str, str],
    tiers: Iterable[Tier],
) -> Access:
    """The facts, and those of each tier as long as nothing stands in the way."""
    for ask in tiers:
        if any(one.state.blocks for one in engine.run(credential_checks.CHECKS, facts, waive=waive)):
            break
        facts = ask(system, facts)
    return facts


# -- vouched ----------------------------------------------------------------------------------------


def vouched(system: System, facts: Access) -> Access:
    """What the service that runs this job says of it, where there is no other credential. No token is made."""
    credential = facts.credential
    if not isinstance(credential, Ambient) or credential.identity is not None or facts.index.ephemeral:
        return facts
    return replace(facts, credential=replace(credential, identity=_identity(system, facts.index)))


def _identity(system: System, index: Index) -> OidcIdentity | Finding | Unknown | None:
    from release.adapters.oidc import provider

    try:
        return provider.request_identity(system, provider.fetch_audience(index))
    except provider.NoIdentityError as error:
        return Finding(message=error.message, remedy=error.remedy, cause=error.cause)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


# -- known ------------------------------------------------------------------------------------------


def known(system: System, facts: Access) -> Access:  # noqa: ARG001 - a tier takes the machine, whatever it needs of it
    """What the index has under the project's name; read, without any credential."""
    if isinstance(facts.project, Unknown):
        return replace(facts, listing=facts.project)
    index, name = facts.index, facts.project.name
    listing = collect.collect_listing(index, name)
    if isinstance(listing, ProjectListing):
        return replace(facts, listing=listing, ownership=_ownership(index, name))
    if listing is None and index.kind == "warehouse" and not index.ephemeral:
        return replace(facts, listing=None, alike=_alike(index, name))
    return replace(facts, listing=listing)


def _ownership(index: Index, name: str) -> Ownership | None:
    """Whose a project is; None where the index does not tell: nothing depends on it."""
    from release.adapters.index import json_api

    try:
        return json_api.fetch_ownership(index, name)
    except UnreachableError:
        return None


def _alike(index: Index, name: str) -> tuple[str, ...] | Unknown:
    """The names on an index that look like a new one, by the index's own rule."""
    from release.acceptance import name_rules
    from release.adapters.index import simple_api

    shape = name_rules.similarity_key(name)
    try:
        return tuple(one for one in simple_api.fetch_project_names(index) if name_rules.similarity_key(one) == shape)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


# -- works ------------------------------------------------------------------------------------------


def identified(system: System, facts: Access) -> Access:
    """Whether the index knows the token, asked by an upload that can't succeed, with a copy of the token."""
    from release.adapters.index import token_probes

    credential, index = facts.credential, facts.index
    if (
        not isinstance(credential, Credential)
        or index.ephemeral
        or not token_probes.may_probe(index, credential.password)
    ):
        return facts
    asked, answer = system.now(), _answer(lambda: token_probes.probe_identity(index, credential.password))
    told = answer.server_time() if isinstance(answer, ProbeResult) else None
    return replace(facts, identity=answer, skew=told - asked if told else None)


def permitted(system: System, facts: Access) -> Access:
    """Whether the index would let the token upload to the project; asked in the same way, of a token that it knows."""
    if not isinstance(facts.credential, Credential) or not isinstance(facts.identity, ProbeResult):
        return facts
    if not facts.identity.passed():
        return facts
    return replace(facts, permission=_permission(facts, facts.credential, system.now() + (facts.skew or timedelta())))


def _permission(facts: Access, credential: Credential, now: datetime) -> ProbeResult | Unknown | None:
    """`now` is the index's time."""
    from release.adapters.index import token_probes

    index, token = facts.index, credential.password
    match facts.listing:
        case ProjectListing():
            name = facts.ownership.name if facts.ownership else facts.listing.name
            version = _oldest(facts.listing)
            return _answer(lambda: token_probes.probe_permission(index, token, name=name, version=version, now=now))
        case None:
            free = (one for one in STANDARD_MODULES if collect.collect_listing(index, one) is None)
            module = next(free, None)
            return (
                None
                if module is None
                else _answer(lambda: token_probes.probe_first_release(index, token, module=module))
            )
        case _:
            return None


def _oldest(listing: ProjectListing) -> str:
    """The version that the index has had longest; it takes no more files for most. "0" where it has none."""
    return str(min(files_by_release(listing), default="0"))


def _answer(ask: Callable[[], ProbeResult]) -> ProbeResult | Unknown:
    try:
        return ask()
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
