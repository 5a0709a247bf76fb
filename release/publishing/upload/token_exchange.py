"""A token of trusted publishing: asked for at the upload and not before, renewed in a long one, kept nowhere.

Each exchange uses an identity up, so each asks for a fresh one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from release.adapters import collect
from release.adapters.oidc import provider
from release.adapters.oidc.provider import ExchangedToken, ExchangeRefusal
from release.adapters.system.system import System
from release.core.errors import ReleaseError, UnreachableError
from release.core.events import Message, Observer, SecretObtained
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity, describe_job, public_claims
from release.core.models.secret_location import TrustedPublishing
from release.publishing.upload import upload_token
from release.publishing.upload.errors import UploadError

#: how long a token lives where the index does not say. Source: warehouse, `oidc/views.py`
LIFE = timedelta(minutes=15)
#: what has to be left of it when a file is begun: the index looks at it when the file has arrived
LEFT = timedelta(minutes=10)
#: times that a failed exchange is tried, and seconds before the second one; twice as many before each other
_TIMES, _PAUSE = 3, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What one exchange gave."""

    #: what was given for it
    identity: OidcIdentity
    #: what goes with the files: the token, or a copy of it
    going: Credential
    #: when it ends, by the index's clock
    until: datetime


def exchanging_credential(  # noqa: PLR0913 - what is sent where, and the world that it happens in
    system: System,
    index: Index,
    project: ProjectMetadata,
    files: Sequence[Distribution],
    *,
    attenuate: bool,
    skew: timedelta,
    notify: Observer,
) -> Callable[[], Credential]:
    """What goes with each file of an upload: asked for each, made at the first call, made anew in time.

    `attenuate`: a copy for this project alone. `skew`: how far the index's clock is ahead. The call raises
    `UploadError` where the index, or the service that runs this job, refuses.
    """
    made: _Made | None = None

    def current() -> Credential:
        nonlocal made
        now = system.now() + skew
        if made is None or made.until - now < LEFT:
            found = _exchanged(system, index, project, notify, made)
            if isinstance(found, _Made):  # the service has no other identity for this job: as long as it lasts
                if found.until <= now:
                    raise _ran_out(index, found)
                return found.going
            identity, token = found
            whole = _credential(token)
            going = upload_token.attenuate_for_upload(whole, index, project, files, now=now) if attenuate else whole
            for one in (whole, going):
                notify(SecretObtained(secret=one.password))
            made = _Made(identity=identity, going=going, until=token.expires or now + LIFE)
        return made.going

    return current


def _ran_out(index: Index, made: _Made) -> UploadError:
    return UploadError(
        f"the token that {index.name} gave this job has run out, and {made.identity.provider} gives no other identity",
        remedy="run the job again: it asks the index what it has, by hash, and sends what is missing",
        cause="tp.token-expired",
    )


def _credential(token: ExchangedToken) -> Credential:
    origin = TrustedPublishing()
    return Credential(username="__token__", username_origin=origin, password=token.token, origin=origin)


def _exchanged(
    system: System, index: Index, project: ProjectMetadata, notify: Observer, last: _Made | None
) -> tuple[OidcIdentity, ExchangedToken] | _Made:
    """A new token, and the identity given for it; `last` where there is no other identity than that one's.

    What did not reach the index is tried again, with another identity.
    """
    for attempt in range(1, _TIMES + 1):
        try:
            identity = _identity(system, index)
            if last is not None and identity.token == last.identity.token:
                return last
            answer = provider.exchange_identity(index, identity)
        except UnreachableError as error:
            if attempt == _TIMES:
                raise UploadError(
                    f"no token from {index.name} for this job: {error.message}", remedy=error.remedy, cause=error.cause
                ) from error
            system.sleep(_PAUSE * 2 ** (attempt - 1))
            continue
        if isinstance(answer, ExchangedToken):
            notify(Message(text=f"{index.name} gives this job a token: {describe_job(identity)}"))
            return identity, answer
        raise _refused(index, project, identity, answer, notify)
    raise AssertionError("the last attempt returns or raises")


def _identity(system: System, index: Index) -> OidcIdentity:
    try:
        found = provider.request_identity(system, provider.fetch_audience(index))
    except provider.NoIdentityError as error:
        raise UploadError(error.message, remedy=error.remedy, cause=error.cause) from error
    if found is None:
        raise ReleaseError("no service runs this job any more", remedy="run it again")
    return found


def _refused(
    index: Index, project: ProjectMetadata, identity: OidcIdentity, answer: ExchangeRefusal, notify: Observer
) -> UploadError:
    """The error for a refusal, once the reader has seen what the index was told."""
    from release.diagnostics import oidc_exchange_failures

    rows = tuple(public_claims(identity))
    width = max((len(name) for name, _ in rows), default=0)
    notify(Message(text=f"what {index.name} was told of this job:"))
    for name, value in rows:
        notify(Message(text=f"  {name:<{width}}  {value}"))
    there = collect.collect_listing(index, project.name)
    refused = oidc_exchange_failures.RefusedExchange(
        index=index, project=project.name, exists=None if isinstance(there, Unknown) else there is not None,
        identity=identity, status=answer.status, code=answer.code, description=answer.description,
    )  # fmt: skip
    found = oidc_exchange_failures.exchange_cause(refused)
    shown = f" [{found}]" if found else ""
    return UploadError(
        oidc_exchange_failures.exchange_message(refused) + shown,
        remedy=oidc_exchange_failures.exchange_remedy(refused),
        cause=found,
    )
