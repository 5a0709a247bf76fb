"""Check all credentials concurrently.

First the commands that print secrets are run, then the indexes are queried. The same query is sent to an index once,
however many locations hold the same token.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.system.system import System
from release.checks import engine, token_health_checks
from release.core.errors import UnreachableError
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, Outcome, Unknown, Verdict, derive_verdict
from release.core.models.credential import Ambient, Credential, Resolution
from release.core.models.exchanged_token import PublisherProof
from release.core.models.index import Index
from release.core.models.results import Verification
from release.core.models.token_health import TokenReport, TokenStatus, token_state
from release.core.secret import Secret
from release.core.token_health_facts import PreviousToken, TokenHealth
from release.core.tokens.scope import TokenScope
from release.core.tokens.token import Token, decode, scope, validity
from release.credentials import verify
from release.credentials.sources import configured_locations
from release.credentials.sources.configured_locations import StoredCredential
from release.token_health.fleet import FleetLimits, Target
from release.token_health.health_history import TargetKey
from release.token_health.worker_pool import OnceCache, WorkerPool

#: identifies a query to an index: the index, the token, the project
QueryKey = tuple[Index, Secret | None, str]
ProbeDepth = Literal["permission", "identity", "off"]

#: a smaller difference between two clocks is ignored
MAX_SKEW = timedelta(seconds=60)
_RETRY = "run it again, with more time or fewer credentials: `deadline` and `patience` in the fleet"


class Scan(Struct, frozen=True, kw_only=True):
    """The settings of a scan."""

    system: System
    #: relative paths start here, and commands run here
    directory: Path
    limits: FleetLimits = field(default_factory=FleetLimits)
    probe: ProbeDepth = "permission"
    offline: bool = False
    #: whether to prove the trusted publisher of this job, as in `verify_credential`
    exchange: bool = False
    waive: Mapping[str, str] = field(default_factory=dict)
    #: the last token of each location, according to the history
    previous: Mapping[TargetKey, PreviousToken] = field(default_factory=dict)
    #: fingerprint and identifier → when the token was first seen, according to the history
    first_seen: Mapping[tuple[str, str], datetime] = field(default_factory=dict)

    def run_commands(self, targets: Sequence[Target]) -> list[Target]:
        """Run the commands of the targets, each command once. Returns all targets, with their credentials."""
        commands = {one.command: one.username for one in targets if one.stored is None and one.command}
        stored = dict.fromkeys(commands, _not_read(Unknown(reason="its command timed out", remedy=_RETRY)))
        read = partial(configured_locations.read_location, self.system, directory=self.directory)
        jobs = [partial(read, command, username=username) for command, username in commands.items()]
        in_order = list(commands)
        for number, result in WorkerPool(jobs, self.limits).results():
            if isinstance(result, StoredCredential):
                stored[in_order[number]] = result
        return [
            replace(one, stored=stored[one.command]) if one.stored is None and one.command else one for one in targets
        ]

    def check(self, targets: Sequence[Target]) -> Iterator[tuple[int, TokenReport]]:
        """Yield the number of each target, and the report on it, as soon as it is known.

        Targets that have not been checked by the deadline are not yielded. A trusted publisher is proven in the thread
        of the caller, where a signal waits until the token is revoked.
        """
        from release.adapters.http.http_client import RateLimit, shared_sessions

        queries = _IndexQueries(self, targets)
        holders = _shared_tokens(targets)
        first = {number: None for number, one in enumerate(targets) if self.exchange and _is_ambient(one.stored)}
        for number in first:
            yield number, self._check(targets[number], queries, holders, exchange=True)
        rest = [number for number in range(len(targets)) if number not in first]
        jobs = [partial(self._check, targets[number], queries, holders) for number in rest]
        pool = WorkerPool(jobs, self.limits, context=lambda: shared_sessions(limit))
        limit = RateLimit(self.limits.rate, sleep=pool.sleep)
        for position, result in pool.results():
            number = rest[position]
            match result:
                case TokenReport():
                    yield number, result
                case None:
                    yield number, report_unscanned(targets[number], "the check timed out")
                case error:
                    reason = f"{type(error).__name__} while it was checked"
                    yield number, report_unscanned(targets[number], reason, remedy="report this as a bug")

    def _check(
        self,
        target: Target,
        queries: _IndexQueries,
        holders: Mapping[object, Iterable[str]],
        *,
        exchange: bool = False,
    ) -> TokenReport:
        stored = target.stored or _not_read(Unknown(reason="its location was not read", remedy="run it again"))
        secret = _secret(stored)
        skew = queries.clock_skew(target.index, secret)
        system = replace(self.system, now=lambda: self.system.now() + skew) if skew else self.system
        verification = verify.verify_credential(
            system, target.index, target.project,
            offline=self.offline, credential=stored.resolution, waive=self.waive,
            tiers=queries.tiers(exchange=exchange), warn_before=target.policy.warn_before,
        )  # fmt: skip
        queries.release(target)
        access = verification.access
        valid_from = validity(access.token).not_before if isinstance(access.token, Token) else None
        if valid_from is not None and valid_from.timestamp() <= 0:
            valid_from = None
        health = TokenHealth(
            access=access, policy=target.policy, publisher=target.publisher,
            made=target.created or valid_from, known_since=self._known_since(stored, access),
            elsewhere=tuple(one for one in holders.get(_token_key(secret), ()) if one != target.location),
            before=self.previous.get(
                (target.index.name, target.index.upload_url, _project_name(target), target.location)
            ),
        )  # fmt: skip
        report = evaluate_token(verification, health, place=target.location, waive=self.waive)
        return replace(report, skew=skew or report.skew)

    def _known_since(self, stored: StoredCredential, access: Access) -> datetime | None:
        if not isinstance(access.credential, Credential):
            return None
        identifier = access.token.identifier if isinstance(access.token, Token) else ""
        seen = self.first_seen.get((access.credential.password.fingerprint, identifier))
        return min((one for one in (seen, stored.since) if one is not None), default=None)


class _IndexQueries:
    """Queries to the indexes, each sent once in a run."""

    def __init__(self, scan: Scan, targets: Sequence[Target]) -> None:
        self._scan = scan
        uses = Counter(key for one in targets for key in _query_keys(one))
        #: the queries that several targets need → how many still do
        self._uses = {key: count for key, count in uses.items() if count > 1}
        self._lock = threading.Lock()
        self._answers: OnceCache[QueryKey, Access] = OnceCache()
        self._skews: OnceCache[Index, timedelta] = OnceCache()

    def tiers(self, *, exchange: bool = False) -> tuple[verify.Tier, ...]:
        """Return the tiers of `verify` that this scan may use."""
        count = {"permission": 3, "identity": 2, "off": 1}[self._scan.probe]
        known = (verify.query_job_identity, *(self.query_project, self.query_token, self.query_permission)[:count])
        if not exchange:
            return known
        from release.credentials.publisher_proof import query_publisher

        return (*known[:2], query_publisher)

    def query_project(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.project, ProjectMetadata):
            return verify.query_project(system, facts)
        key = (facts.index, None, facts.project.name)
        found = self._answers.get(key, lambda: verify.query_project(system, facts))
        return replace(facts, listing=found.listing, ownership=found.ownership, similar_names=found.similar_names)

    def query_token(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.credential, Credential):
            return facts
        key = (facts.index, facts.credential.password, "")
        found = self._answers.get(key, lambda: verify.query_token(system, facts))
        return replace(facts, identity=found.identity, skew=found.skew)

    def query_permission(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.credential, Credential) or not isinstance(facts.project, ProjectMetadata):
            return facts
        key = (facts.index, facts.credential.password, facts.project.name)
        found = self._answers.get(key, lambda: verify.query_permission(system, facts))
        return replace(facts, permission=found.permission)

    def release(self, target: Target) -> None:
        """Discard the responses that no other target needs."""
        for key in _query_keys(target):
            with self._lock:
                left = self._uses.get(key, 1) - 1
                if left:
                    self._uses[key] = left
            if not left:
                self._answers.forget(key)

    def clock_skew(self, index: Index, secret: Secret | None) -> timedelta:
        """Return how far the clock of the index, by which tokens expire, is ahead; 0 if it is close enough.

        The index is only queried for its time if the token has an expiry.
        """
        token = decode(secret) if secret is not None and index.kind == "warehouse" else None
        if self._scan.offline or not isinstance(token, Token) or validity(token).expires_at is None:
            return timedelta()
        return self._skews.get(index, lambda: self._measure_skew(index))

    def _measure_skew(self, index: Index) -> timedelta:
        from release.adapters.index import simple_api

        before = self._scan.system.now()
        try:
            server_time = simple_api.fetch_server_time(index)
        except UnreachableError:
            return timedelta()  # the next query reports it
        skew = server_time - before if server_time else timedelta()
        return skew if abs(skew) > MAX_SKEW else timedelta()


def report_unscanned(target: Target, reason: str, remedy: str = _RETRY) -> TokenReport:
    """Return the report on a target that could not be checked."""
    status = TokenStatus(
        index=target.index.name, upload_url=target.index.upload_url, project=_project_name(target) or None,
        place=target.location, fingerprint="", identifier="", scope="", expires=None, word="unknown", state="unknown",
        cause="", message=reason, remedy=remedy,
    )  # fmt: skip
    return TokenReport(seen=status, outcomes=(), age=None, left=None)


def _token_key(secret: Secret | None) -> object:
    """Return what identifies a token. The index uses its identifier, which copies with other caveats share."""
    token = decode(secret) if secret is not None else None
    return (token.location, token.identifier) if isinstance(token, Token) else secret


def _shared_tokens(targets: Iterable[Target]) -> Mapping[object, Iterable[str]]:
    """The key of each token that several locations hold → these locations, in order."""
    first: dict[object, str] = {}
    shared: dict[object, dict[str, None]] = {}
    for one in targets:
        if secret := _secret(one.stored):
            key = _token_key(secret)
            if (location := first.setdefault(key, one.location)) != one.location:
                shared.setdefault(key, {location: None})[one.location] = None
    return shared


def _query_keys(target: Target) -> tuple[QueryKey, QueryKey, QueryKey]:
    """Return the keys of the queries about the project, about the token, and about both."""
    secret, name = _secret(target.stored), _project_name(target)
    return (target.index, None, name), (target.index, secret, ""), (target.index, secret, name)


def _secret(stored: StoredCredential | None) -> Secret | None:
    credential = stored.resolution.credential if stored else None
    return credential.password if isinstance(credential, Credential) else None


def _is_ambient(stored: StoredCredential | None) -> bool:
    return stored is not None and isinstance(stored.resolution.credential, Ambient)


def _project_name(target: Target) -> str:
    return target.project.name if isinstance(target.project, ProjectMetadata) else ""


def _not_read(unknown: Unknown) -> StoredCredential:
    return StoredCredential(resolution=Resolution(credential=unknown))


_UNINTERESTING = {CheckState.PASSED, CheckState.NOT_APPLICABLE, CheckState.SKIPPED}


def evaluate_token(found: Verification, health: TokenHealth, *, place: str, waive: Mapping[str, str]) -> TokenReport:
    """Evaluate the verification of a credential, and what a working token may still lack."""
    every = (
        # a wrong clock is reported once for the machine, not for each token
        *(_unknown_if_temporary(one) for one in found.outcomes if one.check != "the-clocks-agree"),
        *engine.run(token_health_checks.CHECKS, health, waive=waive, subject=found.access.index.name),
    )
    # warnings can be waived too, since they change the exit status here
    outcomes = tuple(
        replace(one, state=CheckState.WAIVED, reason=waive[one.check])
        if one.state is CheckState.WARNED and one.check in waive
        else one
        for one in every
    )
    return TokenReport(
        seen=_status(found, derive_verdict(outcomes), outcomes, health, place),
        outcomes=tuple(one for one in outcomes if one.state not in _UNINTERESTING),
        age=token_health_checks.token_age(health), left=token_health_checks.remaining_lifetime(health),
        skew=found.access.skew, confirmed=found.confirmed, proven=_proven(found.access),
    )  # fmt: skip


def _proven(access: Access) -> datetime | None:
    """When the trusted publisher of this job was proven: now, or not at all."""
    proof = access.proof
    return access.now if isinstance(proof, PublisherProof) and proof.proven else None


def _unknown_if_temporary(outcome: Outcome) -> Outcome:
    """Turn a failure into an unknown if its causes lie in the network or the server and are temporary."""
    blocking = [one for one in outcome.findings if one.severity == "block"]
    temporary = all((one.cause or "").startswith(("net.", "server.")) for one in blocking)
    if outcome.state is not CheckState.FAILED or not temporary:
        return outcome
    first = blocking[0]
    rest = tuple(one for one in outcome.findings if one.severity != "block")
    return replace(
        outcome, state=CheckState.UNKNOWN, reason=first.message, remedy=first.remedy, cause=first.cause, findings=rest
    )


@lru_cache(maxsize=1024)
def _states(states: tuple[tuple[str, CheckState], ...]) -> Mapping[str, str]:
    """Check → state as text: one value for all tokens that are alike, which most of thousands are."""
    return MappingProxyType({check: str(state) for check, state in states})


def _status(
    found: Verification, verdict: Verdict, outcomes: Sequence[Outcome], health: TokenHealth, place: str
) -> TokenStatus:
    access, credential = found.access, found.access.credential
    cause, remaining = verdict.cause or verdict.check, token_health_checks.remaining_lifetime(health)
    token = access.token if isinstance(access.token, Token) else None
    covered = scope(token) if token else TokenScope(kind="unknown")
    names = ", ".join(covered.projects or covered.ids or ())
    proven = _proven(access)
    message = verdict.message
    if proven is not None and verdict.word == "healthy":
        message = f"trusted publisher proven at {proven:%Y-%m-%d %H:%M} UTC"
    return TokenStatus(
        index=access.index.name, upload_url=access.index.upload_url, place=place,
        project=access.project.name if isinstance(access.project, ProjectMetadata) else None,
        fingerprint=credential.password.fingerprint if isinstance(credential, Credential) else "",
        identifier=token.identifier if token else "",
        scope={"account": "account", "projects": names, "publisher": "trusted publisher"}.get(covered.kind, ""),
        expires=None if remaining is None else access.now + remaining, word=verdict.word,
        state=token_state(verdict.word, cause), cause=cause,
        message=message, remedy=verdict.remedy, checks=_states(tuple((one.check, one.state) for one in outcomes)),
    )  # fmt: skip
