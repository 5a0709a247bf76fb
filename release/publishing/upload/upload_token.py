"""Short-lived, project-scoped upload tokens, and the metadata preflight.

With trusted publishing, a token is requested right before the upload, renewed during it, and never stored. Each
exchange uses up an identity token, so that each one requests a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import twine_form
from release.adapters import collect
from release.adapters.index import token_probes
from release.adapters.oidc import provider
from release.adapters.oidc.provider import ExchangedToken, ExchangeRefusal
from release.adapters.system.system import System
from release.core.errors import ReleaseError, UnreachableError
from release.core.events import Message, Observer, SecretObtained
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Rejection
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity, describe_job, public_claims
from release.core.models.secret_location import TrustedPublishing
from release.core.tokens import token
from release.publishing.upload.errors import RUN_AGAIN, UploadError

#: lifetime of an attenuated token
LIFE = timedelta(minutes=30)
#: age at which it is replaced
RENEW_AFTER = timedelta(minutes=20)
#: bytes per second of the slowest connection: the token must not expire during the upload
_SLOW = 20_000
_BAD_REQUEST = 400
#: the lifetime of a token for which the index gives no expiry. Source: warehouse, `oidc/views.py`
EXCHANGED_LIFE = timedelta(minutes=15)
#: remaining lifetime that an upload needs: the index checks the token once it has received the file
LEFT = timedelta(minutes=10)
#: attempts at an exchange, and seconds before the second one, which double
_ATTEMPTS, _PAUSE = 3, 2.0


def attenuated_credential(
    credential: Credential, index: Index, project: ProjectMetadata, files: Sequence[Distribution], *, now: datetime
) -> Credential:
    """The credential for one upload of `files`: a token is restricted to the project and to `LIFE`.

    If it leaks, for example from the upload process, it is soon worthless. `now` is the index's time.
    """
    if index.kind != "warehouse":
        return credential
    lifetime = LIFE + timedelta(seconds=sum(file.size for file in files) / _SLOW)
    return token.attenuate_for_upload(credential, project.name, now=now, lasts=lifetime)


def renewing_credential(make: Callable[[], Credential], now: Callable[[], datetime]) -> Callable[[], Credential]:
    """Returns the credential from `make`, and a new one once it is older than `RENEW_AFTER`."""
    made: tuple[datetime, Credential] | None = None

    def current() -> Credential:
        nonlocal made
        if made is None or now() - made[0] > RENEW_AFTER:
            made = (now(), make())
        return made[1]

    return current


def rejected_metadata(
    index: Index, credential: Credential, project: ProjectMetadata, files: Sequence[Distribution]
) -> Rejection | None:
    """The first rejection of any file's metadata, asked without uploading; identical metadata is sent once."""
    if not token_probes.may_probe(index, credential.password):
        return None
    seen = set()
    for file in files:
        with file.path.open("rb") as content:
            form = twine_form(OpenDistribution(file.filename, content), sha256=file.sha256, blake2_256="")
        if form.metadata in seen or form.objection:
            continue
        seen.add(form.metadata)
        fields = [one for one in form.fields if one[0] != "blake2_256_digest"]  # one digest is enough
        try:
            probed = token_probes.probe_metadata(index, credential.password, project=project.name, fields=fields)
        except UnreachableError:
            continue
        if probed.status == _BAD_REQUEST and not probed.passed():  # any other answer is left to the upload
            return Rejection(filename=file.filename, status=probed.status, message=probed.message())
    return None


def exchanging_credential(  # noqa: PLR0913 - files, their index, and the environment
    system: System,
    index: Index,
    project: ProjectMetadata,
    files: Sequence[Distribution],
    *,
    attenuate: bool,
    skew: timedelta,
    notify: Observer,
) -> Callable[[], Credential]:
    """Returns the credential for each file of an upload, requested at the first call and renewed in time.

    `attenuate`: restrict it to the project. `skew`: how far the index's clock is ahead. The call raises `UploadError`
    where the index or the CI service refuses.
    """
    identity: OidcIdentity | None = None
    credential: Credential | None = None  # the token, or an attenuated copy of it
    expires = datetime.min.replace(tzinfo=UTC)  # by the index's clock

    def current() -> Credential:
        nonlocal identity, credential, expires
        now = system.now() + skew
        if credential is not None and expires - now >= LEFT:
            return credential
        found = _exchange(system, index, project, notify, identity)
        if found is not None:
            identity, token = found
            origin = TrustedPublishing()
            whole = Credential(username="__token__", username_origin=origin, password=token.token, origin=origin)
            credential = whole
            if attenuate:
                credential = attenuated_credential(whole, index, project, files, now=now)
            for one in (whole, credential):
                notify(SecretObtained(secret=one.password))
            expires = token.expires or now + EXCHANGED_LIFE
            return credential
        assert identity is not None
        if credential is not None and expires > now:  # the service gives no other identity: use it while it lasts
            return credential
        raise UploadError(
            f"the token from {index.name} has expired, and {identity.provider} gives this job no new identity token",
            remedy=f"run the job again: {RUN_AGAIN.removeprefix('run the command again: ')}",
            cause="tp.token-expired",
        )

    return current


def _exchange(
    system: System, index: Index, project: ProjectMetadata, notify: Observer, last: OidcIdentity | None
) -> tuple[OidcIdentity, ExchangedToken] | None:
    """A new token and the identity given for it; None where there is no other identity than `last`.

    A request that fails is retried with a new identity token.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            identity = _identity(system, index)
            if last is not None and identity.token == last.token:
                return None
            answer = provider.exchange_identity(index, identity)
        except UnreachableError as error:
            if attempt == _ATTEMPTS:
                message = f"no token from {index.name} for this job: {error.message}"
                raise UploadError(message, remedy=error.remedy, cause=error.cause) from error
            system.sleep(_PAUSE * 2 ** (attempt - 1))
            continue
        if isinstance(answer, ExchangedToken):
            notify(Message(text=f"{index.name} has issued a token for {describe_job(identity)}"))
            return identity, answer
        raise _refused(index, project, identity, answer, notify)
    raise AssertionError("the last attempt returns or raises")


def _identity(system: System, index: Index) -> OidcIdentity:
    try:
        found = provider.request_identity(system, provider.fetch_audience(index))
    except provider.NoIdentityError as error:
        raise UploadError(error.message, remedy=error.remedy, cause=error.cause) from error
    if found is None:
        raise ReleaseError("the CI service no longer provides an identity", remedy="run the job again")
    return found


def _refused(
    index: Index, project: ProjectMetadata, identity: OidcIdentity, answer: ExchangeRefusal, notify: Observer
) -> UploadError:
    """The error for a refusal; shows the claims of the identity first."""
    from release.diagnostics import oidc_exchange_failures

    rows = tuple(public_claims(identity))
    width = max((len(name) for name, _ in rows), default=0)
    notify(Message(text=f"the claims that {index.name} received:"))
    for name, value in rows:
        notify(Message(text=f"  {name:<{width}}  {value}"))
    listing = collect.collect_listing(index, project.name)
    refused = oidc_exchange_failures.RefusedExchange(
        index=index, project=project.name, exists=None if isinstance(listing, Unknown) else listing is not None,
        identity=identity, status=answer.status, code=answer.code, description=answer.description,
    )  # fmt: skip
    found = oidc_exchange_failures.exchange_cause(refused)
    return UploadError(
        oidc_exchange_failures.exchange_message(refused) + (f" [{found}]" if found else ""),
        remedy=oidc_exchange_failures.exchange_remedy(refused),
        cause=found,
    )
