"""Create and verify attestations (PEP 740) with sigstore and pypi-attestations, which the extra `attest` installs.

For a signature, Sigstore's certificate authority issues a certificate for an identity token, valid for ten minutes,
and the signature is recorded in a public, permanent log.

A contract test covers what is used of pypi-attestations 0.0.x: `Attestation.sign`, `.to_bundle`, `Distribution`,
the publishers and their `_as_policy`. Of sigstore 4: `ClientTrustConfig`, `SigningContext`, `IdentityToken`,
`Verifier.verify_dsse`. Observed: pypi-attestations 0.0.30, sigstore 4.5.1, 2026-11 — no request of theirs has a
time-out.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from release.adapters.http import bounded_response, response_limits
from release.adapters.http import errors as http_errors
from release.core.errors import ReleaseError
from release.core.models.attestation import PUBLISHER_KINDS, AttestationPublisher, predicate_of, publisher_from_claims
from release.core.models.distribution import Distribution
from release.core.models.index import Index, host_of, well_known
from release.core.models.oidc_identity import OidcIdentity
from release.core.secret import Secret

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig

#: the variable with the path of a trust configuration, in the format of `sigstore --trust-config`
TRUST_CONFIG_VARIABLE = "PYPI_PREFLIGHT_SIGSTORE"
#: the audience of identity tokens for Sigstore
AUDIENCE = "sigstore"
#: seconds for Sigstore to answer before the signatures, and for each signature
LIMIT = 60.0
_LATER = "retry in a few minutes, or set attest = false in [tool.release]"

Result = TypeVar("Result")


class NotSignedError(ReleaseError):
    """There is no attestation; the message follows "not signed: "."""


class InvalidAttestationError(ReleaseError):
    """An attestation is invalid; the message says why, if possible in the words of the index."""


class Sigstore(Struct, frozen=True, kw_only=True):
    """The Sigstore instance that signs and is trusted."""

    #: a client trust configuration; None: the public instance, the only one that PyPI accepts
    config: Path | None = None


def sigstore_for(index: Index, env: Mapping[str, str]) -> Sigstore:
    """The Sigstore instance for an index: for PyPI always the public one, else that of the environment."""
    named = env.get(TRUST_CONFIG_VARIABLE)
    return Sigstore(config=Path(named) if named and well_known(index.upload_url) is None else None)


def is_installed() -> bool:
    """Whether the extra `attest` is installed."""
    return find_spec("pypi_attestations") is not None


def require_sigstore() -> None:
    """Raises `UnsignedError` where the extra is not installed."""
    if not is_installed():
        remedy = "run: python -m pip install 'pypi-preflight[attest]'"
        raise NotSignedError("the extra 'attest' is not installed", remedy=remedy)


def require_publisher(identity: OidcIdentity) -> AttestationPublisher:
    """The publisher of an identity. Raises `NotSignedError` where PyPI accepts no attestations of its kind."""
    publisher = publisher_from_claims(identity.claims)
    if publisher is None or publisher.kind not in PUBLISHER_KINDS:
        raise NotSignedError(
            f"PyPI accepts attestations only of {', '.join(PUBLISHER_KINDS)}, but this job's identity was issued by "
            f"{identity.claims.get('iss')!r}",
            remedy="publish from one of them, or set attest = false in [tool.release]",
        )
    return publisher


def sign_files(
    files: Sequence[Distribution], sigstore: Sigstore, identity: OidcIdentity, *, limit: float = LIMIT
) -> dict[str, str]:
    """The verified attestations "published by this job" of the files, as JSON, by file name.

    The audience of `identity` is `AUDIENCE`. Raises `NotSignedError` where one of them cannot be created.
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
                f"the attestation that Sigstore signed for {file.filename} is invalid: {error.message}",
                remedy=error.remedy,
            ) from None
    return signed


def verify_attestation(  # noqa: PLR0913 - statement, publisher, file and trust
    text: str, publisher: AttestationPublisher, filename: str, sha256: str, sigstore: Sigstore, *, trusted: Any = None
) -> str:
    """The predicate of an attestation of this file by `publisher`, one of `PREDICATES`, once it is verified.

    Raises `InvalidAttestationError`; `NotSignedError` where the extra is missing. `trusted`: the trust configuration
    of `sigstore`, if it has been loaded.
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
            raise ValueError(f"expected JSON envelope, got {kind}")  # noqa: TRY301 - handled below with the others
        return predicate_of(statement, filename, sha256)
    except (Error, ValueError, library.AttestationError) as error:  # pydantic's is a ValueError
        text = " ".join(str(error).split())
        if "Build Config URI" in text:
            raise InvalidAttestationError(
                f"the certificate's Build Config URI does not match the publisher ({publisher})",
                remedy="build, sign and upload in a job of the triggered workflow, not of a reusable one",
                cause="attest.reusable",
            ) from None
        remedy = "use the files that were signed, or sign the current ones"
        raise InvalidAttestationError(text, remedy=remedy, cause="attest.invalid") from None


def _policy(publisher: AttestationPublisher) -> Any:
    """The library's requirements for the certificate of a publisher."""
    import pypi_attestations as library

    makers: dict[str, Any] = {
        "GitHub": library.GitHubPublisher, "GitLab": library.GitLabPublisher, "Google": library.GooglePublisher,
    }  # fmt: skip
    maker = makers.get(publisher.kind)
    if maker is None:
        raise ValueError(f"no attestation of a {publisher.kind} publisher can be verified")
    return maker(**dict(publisher.details))._as_policy()  # noqa: SLF001 - its public `verify` trusts only PyPI's root


def _trust(sigstore: Sigstore) -> ClientTrustConfig:
    """Keys and URLs from the file, or those of the public instance, which are updated if there is a network."""
    silence_loggers()
    from sigstore.models import ClientTrustConfig

    if sigstore.config is not None:
        return ClientTrustConfig.from_json(sigstore.config.read_text(encoding="utf-8"))
    return _public()


@cache
def _public() -> ClientTrustConfig:
    """Updated once a run."""
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

    # The attestation format has no field for the timestamps of entries in a second-generation log.
    trusted.force_tlog_version = 1
    with SigningContext.from_trust_config(trusted).signer(IdentityToken(token.reveal())) as signer:
        return {
            file.filename: library.Attestation.sign(
                signer, library.Distribution(name=file.filename, digest=file.sha256)
            ).model_dump_json()
            for file in files
        }


def _within(seconds: float, what: str, action: Callable[[], Result], token: Secret | None = None) -> Result:
    """The result of `action`, with the limits of our own client: the requests of sigstore have none."""
    results: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            with bounded_response.limited_clients(response_limits.SIGSTORE):
                results.put((action(), None))
        except Exception as error:  # noqa: BLE001 - two libraries and the network raise anything
            results.put((None, error))

    threading.Thread(target=run, name="sigstore", daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except queue.Empty:
        raise NotSignedError(f"Sigstore did not return {what} within {seconds:.0f} seconds", remedy=_LATER) from None
    if error is not None:
        raise NotSignedError(f"Sigstore failed: {_reason(error, token)}", remedy=_LATER) from None
    return result  # type: ignore[return-value] # without an error there is a result


def _reason(error: Exception, token: Secret | None) -> str:
    """The most likely reason in a chain of exceptions, without the token."""
    import requests

    for one in http_errors.exception_chain(error):
        if isinstance(one, requests.HTTPError) and one.response is not None:
            return f"{host_of(one.response.url)!r} answers {one.response.status_code} {one.response.reason}"
        if isinstance(one, requests.RequestException):
            return http_errors.request_error(str(one.request.url if one.request else ""), one).message
    text = " ".join(str(error).split()) or type(error).__name__
    return text.replace(token.reveal(), "***") if token is not None else text


def silence_loggers() -> None:
    """Discard the log messages of sigstore: without a handler, Python writes warnings to stderr."""
    for name in ("sigstore", "tuf", "pypi_attestations"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
