"""Exchange the identity of this job for a token of an index, and revoke that token again.

An identity is sent once: after an unclear answer, the index may have issued a token, so a new identity is requested.
A token is sent to no index but its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from release.adapters import collect
from release.adapters.http import errors as http_errors
from release.adapters.index import json_api, token_probes
from release.adapters.oidc import provider
from release.adapters.oidc.exchange_records import EXCHANGED_LIFE, ExchangeRecord
from release.adapters.oidc.provider import ExchangedToken, ExchangeRefusal
from release.adapters.system.deferred_signals import deferred_signals
from release.adapters.system.system import System
from release.core.errors import UnreachableError
from release.core.events import Message, Observer, SecretObtained
from release.core.models.attestation import AttestationPublisher
from release.core.models.check_result import Unknown
from release.core.models.exchanged_token import IssuedToken
from release.core.models.index import Index, IndexFile, ProjectListing, version_of
from release.core.models.oidc_identity import OidcIdentity
from release.core.secret import Secret
from release.core.tokens import refusals

if TYPE_CHECKING:
    from release.diagnostics.oidc_exchange_failures import RefusedExchange

#: attempts at an exchange, and seconds before the second one, which double
_ATTEMPTS, _PAUSE = 3, 2.0
_FORBIDDEN = 403
#: causes with which the request never reached the index
_NOT_SENT = {http_errors.OFFLINE, http_errors.TLS, http_errors.PROXY}
#: attempts to revoke a token
_BURNS = 2


def obtain_token(  # noqa: PLR0913 - a project on an index, and the environment
    system: System,
    index: Index,
    project: str,
    *,
    request: Callable[[], OidcIdentity],
    notify: Observer,
    used: Collection[Secret] = (),
) -> IssuedToken | RefusedExchange | None:
    """A new token for this job; None where the service gives no other identity than those in `used`.

    `request` returns an identity, a new one at each call where the service gives one. Raises `NoIdentityError`, and
    `UnreachableError` after the last attempt.
    """
    sent = set(used)
    for attempt in range(1, _ATTEMPTS + 1):
        record: ExchangeRecord | None = None
        try:
            identity = request()
            if identity.token in sent:
                return None
            sent.add(identity.token)
            record = ExchangeRecord(system, index, project)
            return _exchange_once(system, index, project, identity, record, notify=notify)
        except UnreachableError as error:
            if record is not None:
                _note_unclear(index, error, record, notify)
            if attempt == _ATTEMPTS:
                raise
            system.sleep(_PAUSE * 2 ** (attempt - 1))
    raise AssertionError("the last attempt returns or raises")


def _exchange_once(  # noqa: PLR0913 - an exchange and its environment
    system: System, index: Index, project: str, identity: OidcIdentity, record: ExchangeRecord, *, notify: Observer
) -> IssuedToken | RefusedExchange:
    issued: IssuedToken | None = None
    try:
        with deferred_signals():  # an issued token that did not arrive could not be revoked
            answer = provider.exchange_identity(index, identity)
            if isinstance(answer, ExchangedToken):
                expires = answer.expires or system.now() + EXCHANGED_LIFE
                issued = IssuedToken(identity=identity, token=answer.token, expires=expires, forget=record.remove)
                notify(SecretObtained(secret=answer.token))
    except BaseException:
        if issued is not None:
            revoke_token(index, issued)
        raise
    if issued is not None:
        return issued
    record.remove()
    assert isinstance(answer, ExchangeRefusal)
    return describe_refusal(index, project, identity, answer)


def _note_unclear(index: Index, error: UnreachableError, record: ExchangeRecord, notify: Observer) -> None:
    """Report that a token may exist, unless the request was never sent."""
    if error.cause in _NOT_SENT:
        record.remove()
        return
    record.leave()
    minutes = EXCHANGED_LIFE // timedelta(minutes=1)
    text = f"{index.name} may have issued a token that did not arrive here: if so, it expires within {minutes} minutes"
    notify(Message(text=text))


def revoke_token(index: Index, issued: IssuedToken) -> bool:
    """Revoke a token. Whether the index confirmed, by refusing a copy of it, that it no longer knows the token.

    Never raises expected errors: a token that stays is worth nothing after 15 minutes. Its record stays then, too.
    """
    with deferred_signals():
        for _ in range(_BURNS):
            with suppress(UnreachableError, token_probes.ProbeNotAllowedError):
                if not provider.request_burning(index, issued.token):
                    return False
                probed = token_probes.probe_identity(index, issued.token)
                if probed.status == _FORBIDDEN and refusals.INVALID in probed.message():
                    issued.forget()
                    return True
        return False


def describe_refusal(index: Index, project: str, identity: OidcIdentity, answer: ExchangeRefusal) -> RefusedExchange:
    """The refusal, with what the index shows of the project: whether it exists, and who published it last."""
    from release.diagnostics.oidc_exchange_failures import RefusedExchange

    listing = collect.collect_listing(index, project)
    return RefusedExchange(
        index=index, project=project, exists=None if isinstance(listing, Unknown) else listing is not None,
        identity=identity, status=answer.status, code=answer.code, description=answer.description,
        published=_last_publisher(index, listing) if isinstance(listing, ProjectListing) else None,
    )  # fmt: skip


def _last_publisher(index: Index, listing: ProjectListing) -> AttestationPublisher | None:
    """The publisher of the newest attested file; None where there is none, or the index does not answer."""
    attested = [file for file in listing.files if file.provenance is not None]
    newest = max(attested, key=_uploaded, default=None)
    version = version_of(newest.filename, listing.name) if newest else None
    if newest is None or version is None:
        return None
    with suppress(UnreachableError):
        found = json_api.fetch_provenance(index, listing.name, str(version), newest.filename)
        return found.bundles[0][0] if found and found.bundles else None
    return None


def _uploaded(file: IndexFile) -> float:
    return file.upload_time.timestamp() if file.upload_time else 0.0
