"""Attestations (PEP 740), made and verified: the door to sigstore and pypi-attestations, the extra `attest`.

To sign, an identity token is shown to Sigstore's certificate authority, which gives a certificate for ten
minutes; the signature goes into a public log. That log is open to everybody, and forgets nothing.

Used of pypi-attestations 0.0.x, and held by a contract test: `Attestation.sign`, `.to_bundle`, `Distribution`,
the publishers and their `_as_policy`. Of sigstore 4: `ClientTrustConfig`, `SigningContext`, `IdentityToken`,
`Verifier.verify_dsse`. Observed: pypi-attestations 0.0.30, sigstore 4.5.1, 2026-11 — no request of theirs has a
time-out.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from release.adapters.http import errors as http_errors
from release.core.errors import ReleaseError
from release.core.models.attestation import PUBLISHER_KINDS, AttestationPublisher, predicate_of, publisher_from_claims
from release.core.models.distribution import Distribution
from release.core.models.index import Index, host_of, well_known
from release.core.models.oidc_identity import OidcIdentity
from release.core.secret import Secret

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig

#: names a file that says which Sigstore is asked and trusted, as `sigstore --trust-config` takes it
TRUST_CONFIG_VARIABLE = "PYPI_PREFLIGHT_SIGSTORE"
#: what identity tokens for Sigstore are made out to
AUDIENCE = "sigstore"
#: seconds for an answer of Sigstore: of all that comes before a signature, and of each signature
LIMIT = 60.0
_INSTALL = "python -m pip install 'pypi-preflight[attest]'"
_LATER = "run it again in some minutes; or set attest = false in [tool.release]"

Result = TypeVar("Result")


class NotSignedError(ReleaseError):
    """There is no attestation; the message completes "not signed, because …"."""


class InvalidAttestationError(ReleaseError):
    """An attestation does not hold; the message says why, where the index would in its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sigstore:
    """Which Sigstore is asked for signatures, and trusted."""

    #: a client trust configuration; None: the public one, the only one that PyPI knows
    config: Path | None = None


def sigstore_for(index: Index, env: Mapping[str, str]) -> Sigstore:
    """The Sigstore behind an index: for PyPI itself the public one, whatever the environment says."""
    named = env.get(TRUST_CONFIG_VARIABLE)
    return Sigstore(config=Path(named) if named and well_known(index.upload_url) is None else None)


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("pypi_attestations") is not None


def require_sigstore() -> None:
    """Raises `UnsignedError` where the extra is not installed."""
    if not is_installed():
        raise NotSignedError("the extra 'attest' is not installed", remedy=f"run: {_INSTALL}")


def require_publisher(identity: OidcIdentity) -> AttestationPublisher:
    """The publisher that an identity speaks for. Raises `UnsignedError` where PyPI takes none of its kind."""
    publisher = publisher_from_claims(identity.claims)
    if publisher is None or publisher.kind not in PUBLISHER_KINDS:
        raise NotSignedError(
            f"PyPI takes attestations of {', '.join(PUBLISHER_KINDS)} alone, and this job's identity was issued by "
            f"{identity.claims.get('iss')!r}",
            remedy="publish from one of them, or set attest = false in [tool.release]",
        )
    return publisher


def sign_files(
    files: Sequence[Distribution], sigstore: Sigstore, identity: OidcIdentity, *, limit: float = LIMIT
) -> dict[str, str]:
    """An attestation "published by this job" for each file, as JSON text, by file name; each is verified.

    `identity` is made out to `AUDIENCE`. Raises `UnsignedError` where one can't be had: all of them or none.
    """
    require_sigstore()
    publisher, token = require_publisher(identity), identity.token
    trusted = _within(limit, "its keys", lambda: _trust(sigstore))
    signed = _within(limit * (1 + len(files)), "a signature", lambda: _signed(files, trusted, token), token)
    for file in files:
        try:
            verify_attestation(signed[file.filename], publisher, file.filename, file.sha256, sigstore, trusted=trusted)
        except InvalidAttestationError as error:
            raise NotSignedError(
                f"what Sigstore signed does not hold for {file.filename}: {error.message}", remedy=error.remedy
            ) from None
    return signed


def verify_attestation(  # noqa: PLR0913 - what is said, by whom, of what; and whom we trust
    text: str, publisher: AttestationPublisher, filename: str, sha256: str, sigstore: Sigstore, *, trusted: Any = None
) -> str:
    """What an attestation says of these bytes, one of `PREDICATES`, once it is sure that `publisher` said it.

    Raises `DisbelievedError` where it does not hold, `UnsignedError` where the extra is missing. `trusted` is what
    was read for `sigstore` before.
    """
    require_sigstore()
    silence_loggers()
    import pypi_attestations as library
    from sigstore.errors import Error
    from sigstore.verify import Verifier

    trusted = trusted or _within(LIMIT, "its keys", lambda: _trust(sigstore))
    try:
        bundle = library.Attestation.model_validate_json(text).to_bundle()
        kind, statement = Verifier(trusted_root=trusted.trusted_root).verify_dsse(bundle, _policy(publisher))
        if kind != "application/vnd.in-toto+json":
            raise ValueError(f"expected JSON envelope, got {kind}")  # noqa: TRY301 - one place tells of all of them
        return predicate_of(statement, filename, sha256)
    except (Error, ValueError, library.AttestationError) as error:  # pydantic's is a ValueError
        raise _disbelieved(error, publisher) from None


def _policy(publisher: AttestationPublisher) -> Any:
    """What the library asks of a certificate, for a publisher."""
    import pypi_attestations as library

    makers: dict[str, Any] = {
        "GitHub": library.GitHubPublisher, "GitLab": library.GitLabPublisher, "Google": library.GooglePublisher,
    }  # fmt: skip
    maker = makers.get(publisher.kind)
    if maker is None:
        raise ValueError(f"no attestation of a {publisher.kind} publisher can be verified")
    return maker(**dict(publisher.details))._as_policy()  # noqa: SLF001 - with it, `verify` would trust PyPI's root alone


def _disbelieved(error: Exception, publisher: AttestationPublisher) -> InvalidAttestationError:
    words = " ".join(str(error).split())
    if "Build Config URI" in words:
        return InvalidAttestationError(
            f"the certificate's Build Config URI does not match the publisher ({publisher})",
            remedy="build, sign and upload in a job of the workflow that is triggered, not in a reusable one",
            cause="attest.reusable",
        )
    return InvalidAttestationError(
        words, remedy="use the very files that were signed, or sign those that there are", cause="attest.invalid"
    )


def _trust(sigstore: Sigstore) -> ClientTrustConfig:
    """Keys and addresses: from the file, or the public ones, which are refreshed where the network allows it."""
    silence_loggers()
    from sigstore.models import ClientTrustConfig

    if sigstore.config is not None:
        return ClientTrustConfig.from_json(sigstore.config.read_text(encoding="utf-8"))
    return _public()


@cache
def _public() -> ClientTrustConfig:
    """Refreshed once a run."""
    from sigstore.errors import TUFError
    from sigstore.models import ClientTrustConfig

    try:
        return ClientTrustConfig.production()
    except TUFError:
        return ClientTrustConfig.production(offline=True)


def _signed(files: Sequence[Distribution], trusted: ClientTrustConfig, token: Secret) -> dict[str, str]:
    import pypi_attestations as library
    from sigstore.oidc import IdentityToken
    from sigstore.sign import SigningContext

    # An attestation has no room for the timestamps that an entry of a second-generation log needs.
    trusted.force_tlog_version = 1
    with SigningContext.from_trust_config(trusted).signer(IdentityToken(token.reveal())) as signer:
        return {
            file.filename: library.Attestation.sign(
                signer, library.Distribution(name=file.filename, digest=file.sha256)
            ).model_dump_json()
            for file in files
        }


def _within(seconds: float, what: str, action: Callable[[], Result], token: Secret | None = None) -> Result:
    """What `action` gives, if it gives it in time: sigstore's own requests would wait for ever."""
    told: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            told.put((action(), None))
        except Exception as error:  # noqa: BLE001 - anything may come out of two libraries and the network
            told.put((None, error))

    threading.Thread(target=run, name="sigstore", daemon=True).start()
    try:
        result, error = told.get(timeout=seconds)
    except queue.Empty:
        raise NotSignedError(f"Sigstore did not send {what} within {seconds:.0f} seconds", remedy=_LATER) from None
    if error is not None:
        raise NotSignedError(f"Sigstore gave no answer: {_words(error, token)}", remedy=_LATER) from None
    return result  # type: ignore[return-value] # without an error there is a result


def _words(error: Exception, token: Secret | None) -> str:
    """The likeliest reason in a chain of them, with no token in it."""
    import requests

    for one in http_errors.exception_chain(error):
        if isinstance(one, requests.HTTPError) and one.response is not None:
            return f"{host_of(one.response.url)!r} answers {one.response.status_code} {one.response.reason}"
        if isinstance(one, requests.RequestException):
            return http_errors.request_error(str(one.request.url if one.request else ""), one).message
    text = " ".join(str(error).split()) or type(error).__name__
    return text.replace(token.reveal(), "***") if token is not None else text


def silence_loggers() -> None:
    """What sigstore logs goes nowhere: unheard, Python would write its warnings to stderr."""
    for name in ("sigstore", "tuf", "pypi_attestations"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
