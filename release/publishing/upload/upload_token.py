"""Short-lived, project-scoped upload tokens, and the metadata preflight.

With trusted publishing, a token is requested right before the upload, renewed during it, revoked after it, and never
stored. Each exchange uses up an identity token, so that each one requests a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from msgspec import Struct, field

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import twine_form
from release.adapters.index import token_probes
from release.adapters.oidc import provider
from release.adapters.system.system import System
from release.core.errors import ReleaseError, UnreachableError
from release.core.events import Message, Observer, SecretObtained
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Rejection
from release.core.models.exchanged_token import IssuedToken
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity, describe_job, public_claims
from release.core.models.secret_location import TrustedPublishing
from release.core.tokens import token
from release.credentials import exchange
from release.publishing.upload.errors import RUN_AGAIN, UploadError

if TYPE_CHECKING:
    from release.diagnostics.oidc_exchange_failures import RefusedExchange

#: lifetime of an attenuated token
LIFE = timedelta(minutes=30)
#: age at which it is replaced
RENEW_AFTER = timedelta(minutes=20)
#: bytes per second of the slowest connection: the token must not expire during the upload
_SLOW = 20_000
_BAD_REQUEST = 400
#: remaining lifetime that an upload needs: the index checks the token once it has received the file
LEFT = timedelta(minutes=10)


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


def stored_credential(  # noqa: PLR0913 - a token, and what it is used for
    system: System,
    stored: Credential,
    index: Index,
    project: ProjectMetadata,
    files: Sequence[Distribution],
    *,
    attenuate: bool,
    skew: timedelta,
) -> Callable[[], Credential]:
    """Returns the stored credential for each file; with `attenuate`, a restricted copy, renewed in time."""
    if not attenuate:
        return lambda: stored
    return renewing_credential(
        lambda: attenuated_credential(stored, index, project, files, now=system.now() + skew), system.now
    )


class ExchangedCredential(Struct, kw_only=True):
    """The credential for each file of an upload: requested at the first call, renewed in time, revoked at the end."""

    system: System
    index: Index
    project: ProjectMetadata
    files: Sequence[Distribution]
    #: whether it is restricted to the project
    attenuate: bool
    #: how far the index's clock is ahead
    skew: timedelta
    notify: Observer
    #: the token that the proof of the publisher left, because the job gets one identity only
    kept: IssuedToken | None = None
    #: every token that is not revoked yet, the newest last: an upload under way may still use an earlier one
    _issued: list[IssuedToken] = field(default_factory=list)
    #: the newest token, or an attenuated copy of it
    _credential: Credential | None = None

    def __call__(self) -> Credential:
        """The credential for the next file. Raises `UploadError` where the index or the CI service refuses."""
        now = self.system.now() + self.skew
        if self._credential is None and self.kept is not None:
            self._use(self.kept, now)
        if self._credential is not None and self._issued[-1].expires - now >= LEFT:
            return self._credential
        found = self._obtain()
        if found is not None:
            return self._use(found, now)
        last = self._issued[-1] if self._issued else None
        if last is not None and self._credential is not None and last.expires > now:
            return self._credential  # the service gives no other identity: use it while it lasts
        raise self._no_other_identity(last)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.revoke()

    def revoke(self) -> None:
        """Revoke every token. Where that is not certain, it is a note, as the upload is over."""
        while self._issued:
            issued = self._issued.pop()
            if issued.expires > self.system.now() + self.skew and not exchange.revoke_token(self.index, issued):
                text = (
                    f"{self.index.name} did not confirm that the token of this upload is revoked: it expires by itself"
                )
                self.notify(Message(text=f"{text} at {issued.expires:%H:%M} UTC"))
            else:
                issued.forget()

    def _use(self, issued: IssuedToken, now: datetime) -> Credential:
        origin = TrustedPublishing()
        whole = Credential(username="__token__", username_origin=origin, password=issued.token, origin=origin)
        self._issued.append(issued)
        self._credential = whole
        if self.attenuate:
            self._credential = attenuated_credential(whole, self.index, self.project, self.files, now=now)
            self.notify(SecretObtained(secret=self._credential.password))
        return self._credential

    def _obtain(self) -> IssuedToken | None:
        """A new token; None where there is no other identity than those that were exchanged."""
        used = [one.identity.token for one in self._issued]
        try:
            found = exchange.obtain_token(
                self.system, self.index, self.project.name, request=lambda: _identity(self.system, self.index),
                notify=self.notify, used=used,
            )  # fmt: skip
        except UnreachableError as error:
            message = f"no token from {self.index.name} for this job: {error.message}"
            raise UploadError(message, remedy=error.remedy, cause=error.cause) from error
        if isinstance(found, IssuedToken):
            self.notify(Message(text=f"{self.index.name} has issued a token for {describe_job(found.identity)}"))
            return found
        if found is None:
            return None
        raise _refused(found, self.notify)

    def _no_other_identity(self, last: IssuedToken | None) -> UploadError:
        name = self.index.name
        if last is None:
            return UploadError(
                f"{name} gave no clear answer, and the CI service gives this job no second identity",
                remedy=f"run the job again: {RUN_AGAIN.removeprefix('run the command again: ')}",
            )
        remedy = f"run the job again: {RUN_AGAIN.removeprefix('run the command again: ')}"
        if last is self.kept:
            remedy = (
                f"add to the job, for the proof before the build: {provider.second_identity(last.identity.audience)}"
            )
        return UploadError(
            f"the token from {name} has expired, and {last.identity.provider} gives this job no new identity token",
            remedy=remedy,
            cause="tp.token-expired",
        )


def _identity(system: System, index: Index) -> OidcIdentity:
    try:
        found = provider.request_identity(system, provider.fetch_audience(index))
    except provider.NoIdentityError as error:
        raise UploadError(error.message, remedy=error.remedy, cause=error.cause) from error
    if found is None:
        raise ReleaseError("the CI service no longer provides an identity", remedy="run the job again")
    return found


def _refused(refused: RefusedExchange, notify: Observer) -> UploadError:
    """The error for a refusal; shows the claims of the identity first."""
    from release.diagnostics import oidc_exchange_failures

    rows = tuple(public_claims(refused.identity))
    width = max((len(name) for name, _ in rows), default=0)
    notify(Message(text=f"the claims that {refused.index.name} received:"))
    for name, value in rows:
        notify(Message(text=f"  {name:<{width}}  {value}"))
    found = oidc_exchange_failures.exchange_cause(refused)
    return UploadError(
        oidc_exchange_failures.exchange_message(refused) + (f" [{found}]" if found else ""),
        remedy=oidc_exchange_failures.exchange_remedy(refused),
        cause=found,
    )
