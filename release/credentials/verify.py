"""Verifies the credential of an index, tier by tier: its source, the token itself, the project, the permission.

A tier is only queried if those before it are in order: a broken token is not sent to any server, and a token of
another index never leaves this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from release.adapters import project_config
from release.adapters.system.shell_detection import detect_user_environment
from release.adapters.system.system import System
from release.checks import credential_checks, engine, trusted_publishing_checks
from release.checks.all_checks import check_names
from release.core.errors import UnreachableError, UsageError
from release.core.facts import Access, ProjectMetadata
from release.core.models import check_result
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.credential import Ambient, Credential, Resolution
from release.core.models.index import WELL_KNOWN, Index, ProjectListing, files_by_release, is_project_name
from release.core.models.probe import STANDARD_MODULES, ProbeResult
from release.core.models.results import Verification
from release.core.models.secret_location import NotStored
from release.core.models.token_health import TokenPolicy
from release.core.tokens.token import decode
from release.credentials import sources
from release.credentials.sources.base import SourceQuery

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe
    from release.core.config import Config
    from release.core.events import Observer
    from release.core.models.exchanged_token import UnrevokedToken
    from release.core.models.oidc_identity import OidcIdentity
    from release.core.models.user_environment import UserEnvironment
    from release.core.secret import Secret

_Answer = TypeVar("_Answer")
#: adds the results of one query to the facts
Tier = Callable[[System, Access], Access]

_NOTHING_WAIVED: Mapping[str, str] = MappingProxyType({})
_WARN_BEFORE = TokenPolicy().warn_before
_NAME_IT = "name the project: --project NAME"


def verify_credential(  # noqa: PLR0913 - a query with options, all but the first three with defaults
    system: System,
    index: Index,
    project: ProjectMetadata | Unknown,
    *,
    offline: bool = False,
    exchange: bool = False,
    credential: Credential | Resolution | None = None,
    directory: Path | None = None,
    waive: Mapping[str, str] = _NOTHING_WAIVED,
    keyring: Pipe | None = None,
    without_keyring: bool = False,
    tiers: Sequence[Tier] | None = None,
    warn_before: timedelta = _WARN_BEFORE,
) -> Verification:
    """Verify the credential of one index. Every source is queried, not only the one that wins.

    `credential` replaces the sources. With `offline`, no request is made; with `exchange`, the identity of this job is
    exchanged for a token, which is revoked at once: see `publisher_proof`. `directory` is the project's; `keyring` is
    the process that reads the keyring, if it has been started; `without_keyring`: it was not, because there is no
    backend. `tiers` replaces the tiers of this module.
    A token that expires within `warn_before` gets a warning.
    """
    resolved = Resolution(credential=credential) if isinstance(credential, Credential) else credential
    if resolved is None:
        resolved = sources.resolve(SourceQuery(
            index=index, env=system.env, home=system.home, directory=directory, project=_name(project),
            every_source=True, keyring_child=keyring, without_keyring=without_keyring,
        ))  # fmt: skip
    facts = replace(_access(resolved, system, index, project, directory), releasing=False, warn_before=warn_before)
    if not offline:
        known = (*_FIRST_TIERS, *_proof_tiers(exchange), *_LAST_TIERS)
        facts = _query(system, facts, waive, known if tiers is None else tiers)
    facts = _settle_proof(facts, waive, lambda: trusted_publishing_checks.unproven(facts, offline=offline))
    outcomes = tuple(engine.run(credential_checks.CHECKS, facts, waive=waive, subject=index.name))
    return Verification(access=facts, outcomes=outcomes, verdict=check_result.derive_verdict(outcomes), offline=offline)


def verify_token(  # noqa: PLR0913 - a query with options, all but the first four with defaults
    system: System,
    index: Index,
    token: Secret,
    project: ProjectMetadata | Unknown,
    *,
    name: str = "your input",
    offline: bool = False,
    tiers: Sequence[Tier] | None = None,
) -> Verification:
    """Verify a token that need not be stored anywhere; messages call its location `name`."""
    origin = NotStored(description=name)
    credential = Credential(username="__token__", username_origin=origin, password=token, origin=origin)
    return verify_credential(system, index, project, offline=offline, credential=credential, tiers=tiers)


def load_config_and_project(
    system: System, directory: Path, *, file: Path | None = None, name: str | None = None, offline: bool = False
) -> tuple[Config, ProjectMetadata | Unknown]:
    """The configuration and the project. With a `name`, the directory need not contain a project.

    The build backend is not run if the name is in pyproject.toml, nor with `offline`. Raises `ConfigError`, and
    `UsageError` where `name` is not valid.
    """
    config = project_config.load_config(
        directory, file, check_names=check_names, needs_project=name is None, instead=_NAME_IT
    )
    if name is not None:
        if not is_project_name(name):
            raise UsageError(f"{name!r} is not a valid project name", remedy="give the name as the index shows it")
        return config, ProjectMetadata(name=name, version="")
    from release.adapters import collect

    system = replace(system, passed=config.pass_environment)
    known = collect.collect_project(system, directory, ask_backend=False)
    if not isinstance(known, Unknown):
        return config, known
    declared = project_config.load_project_name(directory)
    if declared is not None:
        return config, ProjectMetadata(name=declared, version="")
    return config, known if offline else collect.collect_project(system, directory)


def collect_access(  # noqa: PLR0913 - a query with options, all but the first three with defaults
    system: System,
    index: Index,
    project: ProjectMetadata | Unknown,
    *,
    ours: frozenset[str] = frozenset(),
    waive: Mapping[str, str] = _NOTHING_WAIVED,
    credential: Credential | None = None,
    directory: Path | None = None,
    warn_before: timedelta = _WARN_BEFORE,
    exchange: bool = True,
    new_project: str | None = None,
    keep: bool = False,
    notify: Observer = lambda _: None,
    offline: bool = False,
) -> Access:
    """The facts for a release. The project is always looked up on the index, the other tiers as in `verify_credential`.

    With `offline`, no request is made.

    `ours`: sha256 of the files that this release has already built. `credential` replaces the sources. With `exchange`,
    the trusted publisher of this job is proven; `keep` and `notify` as in `publisher_proof`. `new_project`: the
    project that this release may create.
    """
    resolved = Resolution(credential=credential)
    if credential is None:
        query = SourceQuery(index=index, env=system.env, home=system.home, project=_name(project))
        resolved = sources.resolve(query)
    facts = replace(
        _access(resolved, system, index, project, directory), ours=ours, warn_before=warn_before,
        new_project=new_project,
    )  # fmt: skip
    if offline:
        return _settle_proof(facts, waive, lambda: trusted_publishing_checks.unproven(facts, offline=True))
    facts = query_project(system, facts)
    prove = _proof_tiers(exchange, notify=notify, keep=keep)
    facts = _query(system, facts, waive, (query_job_identity, *prove, *_LAST_TIERS))
    return _settle_proof(facts, waive, lambda: trusted_publishing_checks.never_exchanged(facts))


def _name(project: ProjectMetadata | Unknown) -> str | None:
    return project.name if isinstance(project, ProjectMetadata) else None


def _access(
    resolved: Resolution, system: System, index: Index, project: ProjectMetadata | Unknown, directory: Path | None
) -> Access:
    credential = resolved.credential
    token = decode(credential.password) if isinstance(credential, Credential) and index.kind == "warehouse" else None
    return Access(
        index=index,
        project=project,
        credential=credential,
        remarks=resolved.remarks,
        candidates=resolved.candidates,
        token=token,
        listing=NotApplicable(reason="the index was not contacted"),
        now=system.now(),
        user=_user(resolved, system, index, directory),
        unrevoked=_unrevoked_tokens(system, index) if isinstance(credential, Ambient) else (),
    )


def _user(resolved: Resolution, system: System, index: Index, directory: Path | None) -> UserEnvironment:
    """Where remedies are carried out. An index that the project configures needs the project's directory."""
    elsewhere = directory is not None and index.name not in WELL_KNOWN and directory != Path.cwd()
    options = ("--directory", str(directory)) if elsewhere else ()
    return replace(detect_user_environment(system.env), can_store=resolved.can_store, options=options)


def _query(system: System, facts: Access, waive: Mapping[str, str], tiers: Iterable[Tier]) -> Access:
    """Query one tier after the other, until a check blocks."""
    checked: Access | None = None
    for tier in tiers:
        if facts is not checked and any(
            one.state.blocks for one in engine.run(credential_checks.CHECKS, facts, waive=waive)
        ):
            break
        checked, facts = facts, tier(system, facts)
    return facts


def _proof_tiers(exchange: bool, **options: Any) -> tuple[Tier, ...]:
    """The tier that proves the trusted publisher, if it is to be proven; `options` are those of the tier."""
    if not exchange:
        return ()
    from release.credentials.publisher_proof import query_publisher

    return (partial(query_publisher, **options),)


def _unrevoked_tokens(system: System, index: Index) -> tuple[UnrevokedToken, ...]:
    from release.adapters.oidc.exchange_records import unrevoked_tokens

    return unrevoked_tokens(system, index)


def _settle_proof(facts: Access, waive: Mapping[str, str], otherwise: Callable[[], Finding | Unknown]) -> Access:
    """Without an exchange, the publisher of this job is unproven, unless something else is wrong already."""
    credential = facts.credential
    if not isinstance(credential, Ambient) or facts.proof is not None or facts.index.ephemeral:
        return facts
    if any(one.state.blocks for one in engine.run(credential_checks.CHECKS, facts, waive=waive)):
        return facts
    return replace(facts, proof=otherwise())


def _or_unknown(request: Callable[[], _Answer]) -> _Answer | Unknown:
    try:
        return request()
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)


# -- the tiers --------------------------------------------------------------------------------------


def query_job_identity(system: System, facts: Access) -> Access:
    """The identity of this job, where there is no other credential. No token is exchanged for it."""
    from release.adapters.oidc import provider

    credential, index = facts.credential, facts.index
    if not isinstance(credential, Ambient) or credential.identity is not None or index.ephemeral:
        return facts
    identity: OidcIdentity | Finding | Unknown | None
    try:
        audience = provider.fetch_audience
        identity = _or_unknown(lambda: provider.request_identity(system, audience(index), for_proof=True))
    except provider.NoIdentityError as error:
        identity = Finding(message=error.message, remedy=error.remedy, cause=error.cause)
    return replace(facts, credential=replace(credential, identity=identity))


def query_project(system: System, facts: Access) -> Access:  # noqa: ARG001 - the signature of a tier
    """What the index has under the project's name, requested without a credential."""
    if isinstance(facts.project, Unknown):
        return replace(facts, listing=facts.project)
    from release.adapters import collect

    index, name = facts.index, facts.project.name
    listing = collect.collect_listing(index, name)
    if isinstance(listing, ProjectListing):
        from release.adapters.index import json_api

        owners = _or_unknown(lambda: json_api.fetch_ownership(index, name))
        # Where the index does not report them, none: no check depends on them.
        return replace(facts, listing=listing, ownership=None if isinstance(owners, Unknown) else owners)
    if listing is None and index.kind == "warehouse" and not index.ephemeral:
        from release.acceptance.form_rules import similarity_key
        from release.adapters.index import simple_api

        # The names that are too similar to a new one, by the index's own rule.
        key, names = similarity_key(name), _or_unknown(lambda: simple_api.fetch_project_names(index))
        alike = names if isinstance(names, Unknown) else tuple(one for one in names if similarity_key(one) == key)
        return replace(facts, listing=None, similar_names=alike)
    return replace(facts, listing=listing)


def query_token(system: System, facts: Access) -> Access:
    """Whether the index knows the token: the response to an upload that cannot succeed, with a copy of the token."""
    from release.adapters.index import token_probes

    credential, index = facts.credential, facts.index
    if not isinstance(credential, Credential) or index.ephemeral:
        return facts
    if not token_probes.may_probe(index, credential.password):
        return facts
    now, result = system.now(), _or_unknown(lambda: token_probes.probe_identity(index, credential.password))
    server_time = result.server_time() if isinstance(result, ProbeResult) else None
    return replace(facts, identity=result, skew=server_time - now if server_time else None)


def query_permission(system: System, facts: Access) -> Access:
    """Whether the token may upload to the project, probed in the same way, if the index knows the token."""
    credential, identity = facts.credential, facts.identity
    if not isinstance(credential, Credential) or not isinstance(identity, ProbeResult) or not identity.passed():
        return facts
    return replace(facts, permission=_permission(facts, credential, system.now() + (facts.skew or timedelta())))


def _permission(facts: Access, credential: Credential, now: datetime) -> ProbeResult | Unknown | None:
    """`now` is the index's time."""
    from release.adapters import collect
    from release.adapters.index import token_probes

    index, token = facts.index, credential.password
    match facts.listing:
        case ProjectListing():
            name = facts.ownership.name if facts.ownership else facts.listing.name
            # The oldest version on the index, most of which accept no further files.
            version = str(min(files_by_release(facts.listing), default="0"))
            return _or_unknown(lambda: token_probes.probe_permission(index, token, name=name, version=version, now=now))
        case None:
            module = next((one for one in STANDARD_MODULES if collect.collect_listing(index, one) is None), None)
            if module is None:
                return None
            return _or_unknown(lambda: token_probes.probe_first_release(index, token, module=module))
        case _:
            return None


_FIRST_TIERS: tuple[Tier, ...] = (query_job_identity, query_project)
_LAST_TIERS: tuple[Tier, ...] = (query_token, query_permission)
