"""Looks at every credential, many at a time, and says of each how it is.

First the programs that keep secrets are run, then the indexes are asked; the same question to the same index
is asked once, however many places hold the same token.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from release.adapters.system.system import System
from release.core.errors import UnreachableError
from release.core.facts import Access, PreviousToken, ProjectMetadata, TokenHealth
from release.core.models.credential import Credential, Resolution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.probe import ProbeResult
from release.core.models.secret_location import Command
from release.core.secret import Secret
from release.core.tokens.token import Token, decode, validity
from release.credentials import verify
from release.credentials.sources import configured_locations
from release.credentials.sources.configured_locations import StoredCredential
from release.token_health.fleet import FleetLimits
from release.token_health.health_evaluation import Evaluation, evaluate_token, unknown_evaluation
from release.token_health.health_history import TargetKey
from release.token_health.targets import Target
from release.token_health.worker_pool import OnceCache, WorkerPool

Done = TypeVar("Done")
#: what tells a question from others: the index, the token, the project
Question = tuple[Index, Secret | None, str]
ProbeDepth = Literal["permission", "identity", "off"]

#: how far two clocks may be apart
_APART = timedelta(seconds=60)
_SOON = "run it again, with more time or fewer credentials: `deadline` and `patience` in the fleet"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTokens:
    """What the history knows. Empty where there is none."""

    #: what each place had
    before: Mapping[TargetKey, PreviousToken] = field(default_factory=dict)
    #: fingerprint and identifier → since when the token is known
    first_seen: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """How to look."""

    system: System
    #: relative paths and programs start here
    directory: Path
    manners: FleetLimits = field(default_factory=FleetLimits)
    probe: ProbeDepth = "permission"
    offline: bool = False
    waive: Mapping[str, str] = field(default_factory=dict)
    past: KnownTokens = field(default_factory=KnownTokens)

    def take(self, watched: Sequence[Target]) -> Iterator[tuple[int, Target]]:
        """The same credentials, their programs run; as they come, each with its number."""
        sources = {one.source: one.username for one in watched if one.taken is None and one.source}
        jobs = [partial(self._run, source, username) for source, username in sources.items()]
        crew = self._crew(jobs, contextlib.nullcontext)
        slow = Unknown(reason="its program was not waited for", remedy=_SOON)
        had = dict.fromkeys(sources, StoredCredential(resolution=_nothing(slow)))
        yield from ((n, one) for n, one in enumerate(watched) if one.taken is not None)
        for number, result in crew.results():
            source = list(sources)[number]
            if isinstance(result, StoredCredential):
                had[source] = result
            yield from self._with(watched, source, had.pop(source))
        for source, taken in had.items():
            yield from self._with(watched, source, taken)

    def _with(
        self, watched: Sequence[Target], source: Command, taken: StoredCredential
    ) -> Iterator[tuple[int, Target]]:
        for number, one in enumerate(watched):
            if one.taken is None and one.source == source:
                yield number, replace(one, taken=taken)

    def _run(self, source: Command, username: str) -> StoredCredential:
        return configured_locations.read_location(self.system, source, username=username, directory=self.directory)

    def look(self, watched: Sequence[Target]) -> Iterator[tuple[int, Evaluation]]:
        """The number of a credential, and what is said of it, as soon as it is known.

        Those that the deadline cuts off do not come.
        """
        from release.adapters.http.http_client import shared_sessions
        from release.adapters.http.rate_limit import RateLimit

        questions = _Questions(census=self, watched=watched)
        holders = _holders(watched)
        jobs = [partial(self._one, one, questions, holders) for one in watched]
        crew = self._crew(jobs, lambda: shared_sessions(limit))
        limit = RateLimit(self.manners.rate, sleep=crew.sleep)
        for number, result in crew.results():
            yield number, result if isinstance(result, Evaluation) else _lost(watched[number], result)

    def _crew(
        self, jobs: Sequence[Callable[[], Done]], around: Callable[[], AbstractContextManager[object]]
    ) -> WorkerPool[Done]:
        how = self.manners
        return WorkerPool(jobs, workers=how.concurrency, patience=how.patience, deadline=how.deadline, around=around)

    def _one(self, one: Target, questions: _Questions, holders: Mapping[object, tuple[str, ...]]) -> Evaluation:
        taken = one.taken or StoredCredential(
            resolution=_nothing(Unknown(reason="nobody looked there", remedy="run it again"))
        )
        secret = _secret(taken)
        found = verify.verify_credential(
            questions.on_time(one.index, secret), one.index, one.project,
            offline=self.offline, credential=taken.resolution, waive=self.waive, tiers=questions.tiers(),
        )  # fmt: skip
        questions.done(one)
        health = TokenHealth(
            access=found.access, policy=one.policy, publisher=one.publisher,
            made=_made(one, found.access), known_since=self._known_since(taken, found.access),
            elsewhere=tuple(place for place in holders.get(_token(secret), ()) if place != one.place),
            before=self.past.before.get((one.index.name, one.index.upload_url, _name(one), one.place)),
        )  # fmt: skip
        result = evaluate_token(found, health, place=one.place, waive=self.waive)
        return replace(result, skew=questions.skew(one.index) or result.skew)

    def _known_since(self, taken: StoredCredential, access: Access) -> datetime | None:
        """Since when the token is known to exist: the earliest that anybody can tell."""
        if not isinstance(access.credential, Credential):
            return None
        identifier = access.token.identifier if isinstance(access.token, Token) else ""
        seen = self.past.first_seen.get((access.credential.password.fingerprint, identifier))
        return min((one for one in (seen, taken.since) if one is not None), default=None)


class _Questions:
    """What the indexes are asked, each question once in a run."""

    def __init__(self, census: Scan, watched: Sequence[Target]) -> None:
        self._census = census
        self._uses = Counter(key for one in watched for key in _questions(one))
        self._lock = threading.Lock()
        self._listings: OnceCache[Question, Access] = OnceCache()
        self._identities: OnceCache[Question, tuple[ProbeResult | Unknown | None, timedelta | None]] = OnceCache()
        self._permissions: OnceCache[Question, ProbeResult | Unknown | None] = OnceCache()
        self._skews: OnceCache[Index, timedelta] = OnceCache()
        self._known_skews: dict[Index, timedelta] = {}

    def tiers(self) -> tuple[verify.Tier, ...]:
        """What `verify` asks, as far as this run may."""
        asked = {"permission": 3, "identity": 2, "off": 1}[self._census.probe]
        return (verify.query_job_identity, *(self.known, self.identified, self.permitted)[:asked])

    def known(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.project, ProjectMetadata):
            return verify.query_project(system, facts)
        key = (facts.index, None, facts.project.name)
        found = self._listings.get(key, lambda: verify.query_project(system, facts))
        return replace(facts, listing=found.listing, ownership=found.ownership, alike=found.alike)

    def identified(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.credential, Credential):
            return facts

        def ask() -> tuple[ProbeResult | Unknown | None, timedelta | None]:
            found = verify.query_token(system, facts)
            return found.identity, found.skew

        identity, skew = self._identities.get((facts.index, facts.credential.password, ""), ask)
        return replace(facts, identity=identity, skew=skew)

    def permitted(self, system: System, facts: Access) -> Access:
        if not isinstance(facts.credential, Credential) or not isinstance(facts.project, ProjectMetadata):
            return facts
        key = (facts.index, facts.credential.password, facts.project.name)
        return replace(
            facts, permission=self._permissions.get(key, lambda: verify.query_permission(system, facts).permission)
        )

    def done(self, one: Target) -> None:
        """One more has asked: the answers that nobody else will ask for are not kept."""
        forgets = self._listings.forget, self._identities.forget, self._permissions.forget
        for key, forget in zip(_questions(one), forgets, strict=True):
            with self._lock:
                self._uses[key] -= 1
                last = not self._uses[key]
            if last:
                forget(key)

    def on_time(self, index: Index, secret: Secret | None) -> System:
        """This machine, with the index's time where it differs: what expires, expires by the index's clock.

        Asked only where a token shows when it ends.
        """
        system = self._census.system
        token = decode(secret) if secret is not None and index.kind == "warehouse" else None
        if self._census.offline or not isinstance(token, Token) or validity(token).expires_at is None:
            return system
        skew = self._skews.get(index, lambda: self._ask_skew(index))
        return replace(system, now=lambda: system.now() + skew) if skew else system

    def skew(self, index: Index) -> timedelta | None:
        """How far the index's clock is ahead, as far as it was asked for its own sake."""
        return self._known_skews.get(index)

    def _ask_skew(self, index: Index) -> timedelta:
        from release.adapters.index import simple_api

        asked = self._census.system.now()
        try:
            told = simple_api.fetch_server_time(index)
        except UnreachableError:
            return timedelta()  # whoever asks next will say so
        skew = told - asked if told else timedelta()
        if abs(skew) <= _APART:
            return timedelta()
        self._known_skews[index] = skew
        return skew


def not_scanned(one: Target, why: str) -> Evaluation:
    """What is said of a credential where the run ended first."""
    return unknown_evaluation(
        one.index.name, one.index.upload_url, one.project, one.place, Unknown(reason=why, remedy=_SOON)
    )


def _lost(one: Target, error: object) -> Evaluation:
    """What is said where a look took too long, or broke."""
    if error is None:
        return not_scanned(one, "it took too long, and was not waited for")
    why = Unknown(reason=f"{type(error).__name__} while it was looked at", remedy="report that this look broke")
    return unknown_evaluation(one.index.name, one.index.upload_url, one.project, one.place, why)


def _made(one: Target, access: Access) -> datetime | None:
    """When the token was made: as it was written down, or from when on the token says that it is valid."""
    if one.made is not None:
        return one.made
    start = validity(access.token).not_before if isinstance(access.token, Token) else None
    return start if start is not None and start.timestamp() > 0 else None


def _holders(watched: Sequence[Target]) -> dict[object, tuple[str, ...]]:
    """Token → every place that has it."""
    found: dict[object, dict[str, None]] = {}
    for one in watched:
        secret = _secret(one.taken)
        if secret is not None and len(secret):
            found.setdefault(_token(secret), {})[one.place] = None
    return {token: tuple(held) for token, held in found.items()}


def _token(secret: Secret | None) -> object:
    """What tells two tokens apart: the index knows them by their identifiers, whatever limits a copy has."""
    told = decode(secret) if secret is not None else None
    return (told.location, told.identifier) if isinstance(told, Token) else secret


def _questions(one: Target) -> tuple[Question, Question, Question]:
    """What is asked for a credential: of its project, of its token, of both."""
    secret, name = _secret(one.taken), _name(one)
    return (one.index, None, name), (one.index, secret, ""), (one.index, secret, name)


def _secret(taken: StoredCredential | None) -> Secret | None:
    credential = taken.resolution.credential if taken else None
    return credential.password if isinstance(credential, Credential) else None


def _name(one: Target) -> str:
    return one.project.name if isinstance(one.project, ProjectMetadata) else ""


def _nothing(why: Unknown) -> Resolution:
    return Resolution(credential=why)
