"""Trusted publishing: request an identity token from the CI service, and exchange it for a token of the index.

Requesting an identity changes nothing; the exchange does: see `exchange_identity`.
Sources: PyPI documentation, "Trusted publishers"; warehouse, `oidc/views.py`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from release.adapters.http.response_body import response_json
from release.adapters.system.own_child import own_child_environment
from release.core.child_environment import without_credentials
from release.core.errors import ReleaseError
from release.core.foreign_json import ForeignJsonError, parse_foreign_json
from release.core.models.index import WELL_KNOWN, Index
from release.core.models.oidc_identity import TRUSTED_PROVIDERS, OidcIdentity, OidcProvider, parse_identity
from release.core.redaction import redact
from release.core.secret import Secret

if TYPE_CHECKING:
    import requests

    from release.adapters.system.system import System

#: seconds for the service to issue an identity; `id` itself waits 30 for each request
_TIMEOUT = 100.0
_CHILD = Path(__file__).with_name("child.py")
#: variable → service, in the order of `id`. Source: id 1.6.1, `ambient.py`
_VARIABLES: tuple[tuple[str, OidcProvider], ...] = (
    ("GITHUB_ACTIONS", "GitHub"),
    ("GOOGLE_SERVICE_ACCOUNT_NAME", "Google Cloud"),
    ("BUILDKITE", "Buildkite"),
    ("GITLAB_CI", "GitLab"),
    ("CIRCLECI", "CircleCI"),
    ("SEMAPHORE", "Semaphore"),  # not known to `id`. Source: Semaphore documentation, "Environment variables"
)
#: the file with a virtual machine's product name
_MACHINE = Path("/sys/class/dmi/id/product_name")
_SHOWN = 300


class NoIdentityError(ReleaseError):
    """The service issues no identity."""


class ExchangedToken(Struct, frozen=True, kw_only=True):
    """A token that an index issued for an identity."""

    token: Secret
    #: aware, UTC, by the index's clock; None where it is not in the response
    expires: datetime | None


class ExchangeRefusal(Struct, frozen=True, kw_only=True):
    """The error response of an index."""

    status: int
    #: "invalid-publisher", …; empty where the response has no code
    code: str
    description: str


def detect_provider(env: Mapping[str, str]) -> OidcProvider | None:
    """The CI service of this job, detected as by `id`; None outside of CI."""
    for name, service in _VARIABLES:
        if env.get(name):
            return service
        if name == "GOOGLE_SERVICE_ACCOUNT_NAME":
            with suppress(OSError, UnicodeDecodeError):
                if _MACHINE.read_text(encoding="utf-8").strip() in {"Google", "Google Compute Engine"}:
                    return "Google Cloud"
    return None


def may_request_identity(env: Mapping[str, str], index: Index | None = None) -> bool:
    """Whether this job may request an identity that the index takes, as far as its environment shows.

    GitLab's variable is only known for PyPI and TestPyPI, whose audiences are their names.
    """
    match detect_provider(env):
        case "GitHub":
            return all(env.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}") for name in ("TOKEN", "URL"))
        case "GitLab" if index is not None and index in WELL_KNOWN.values():
            return bool(env.get(_gitlab_variable(index.name)))
        case found:
            return found in TRUSTED_PROVIDERS


def missing_permission(env: Mapping[str, str], index: Index | None = None) -> NoIdentityError | None:
    """Why a job on GitHub or GitLab gets no identity, as far as its environment shows; else None."""
    service = detect_provider(env)
    if may_request_identity(env, index) or service not in {"GitHub", "GitLab"}:
        return None
    if service == "GitLab":
        return _without_id_token(index.name if index else "pypi")
    # Source: GitHub's webhook payloads
    from_fork = False
    with suppress(OSError, ValueError, KeyError, TypeError):
        pull = parse_foreign_json(Path(env.get("GITHUB_EVENT_PATH", "")).read_bytes())["pull_request"]
        from_fork = pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"]
    if from_fork:
        return NoIdentityError(
            "GitHub issues no identity to this job: it belongs to a pull request from a fork",
            remedy="publish from the repository itself: on: push: tags, or on: release: published",
            cause="tp.fork-pr",
        )
    return NoIdentityError(
        "GitHub issues no identity to this job: it lacks the permission id-token: write",
        remedy="add to the job that uploads: permissions: id-token: write",
        cause="tp.id-token-permission",
    )


def request_identity(system: System, audience: str, *, for_proof: bool = False) -> OidcIdentity | None:
    """A new identity token of this job for an audience; None outside of known CI services.

    Never cached, because an index accepts an identity only once. With `for_proof`, on GitLab, the job's second
    identity, if it has one: see `proof_variable`. Raises `NoIdentityError` where the service refuses or does not
    answer, or where the response is no identity token.
    """
    from release.adapters.system.process import TimedOutError

    service = detect_provider(system.env)
    if service is None:
        return None
    refused = missing_permission(system.env)
    if refused is not None:
        raise refused
    env = system.env
    if for_proof and service == "GitLab" and (second := env.get(proof_variable(audience))):
        env = {**env, _gitlab_variable(audience): second}
    try:
        argv = [sys.executable, "-P", str(_CHILD)]
        clean = own_child_environment(without_credentials(env, "identity"))
        done = system.run(argv, env=clean, timeout=_TIMEOUT, input=audience, apart=True)
        found = parse_foreign_json(done.output.rstrip().rpartition("\n")[2])
    except TimedOutError:
        raise _refused(service, audience, f"no answer within {_TIMEOUT:g} s") from None
    except ValueError:
        raise _refused(service, audience, "invalid response") from None
    answer = found if isinstance(found, dict) else {}
    text = answer.get("token")
    if not isinstance(text, str):
        raise _refused(service, audience, str(answer.get("error", "no reason given")), bool(answer.get("permission")))
    try:
        return parse_identity(Secret(text), service, audience)
    except ValueError:
        raise _refused(service, audience, "the response is not a JWT") from None


def _refused(service: OidcProvider, audience: str, why: str, permission: bool = False) -> NoIdentityError:
    shown = redact(why).replace("\n", " ")[:_SHOWN]
    if service == "GitLab" and "_ID_TOKEN not found" in why:
        return _without_id_token(audience)
    return NoIdentityError(
        f"{service} issues no identity for {audience!r}: {shown}",
        remedy="run the job again; if it still fails, check the service's requirements for identity tokens",
        cause="tp.id-token-permission" if permission else None,
    )


def _without_id_token(audience: str) -> NoIdentityError:
    name = _gitlab_variable(audience)
    return NoIdentityError(
        f"GitLab issues no identity to this job: ${name} is not set",
        remedy=f"add to the job: id_tokens: {{{name}: {{aud: {audience}}}}}",
        cause="tp.id-token-permission",
    )


def _gitlab_variable(audience: str) -> str:
    """The variable with the identity for an audience. Source: id 1.6.1, `ambient.py`."""
    return re.sub(r"^[0-9]|[^A-Z0-9]", "_", audience.upper()) + "_ID_TOKEN"


def proof_variable(audience: str) -> str:
    """The variable with a second identity for an audience.

    GitLab gives a job one identity for each entry of `id_tokens`, and an index accepts it once: the second one proves
    the publisher before the build, the first one is left for the upload.
    """
    return f"PROOF_{_gitlab_variable(audience)}"


def second_identity(audience: str) -> str:
    """The lines of a GitLab job that give it a second identity for an audience, besides the one for the upload."""
    return f"id_tokens: {{{proof_variable(audience)}: {{aud: {audience}}}}}"


def gives_one_identity(env: Mapping[str, str], audience: str) -> bool:
    """Whether this job has a single identity for the audience, which a proof would use up."""
    return detect_provider(env) == "GitLab" and not env.get(proof_variable(audience))


def fetch_audience(index: Index) -> str:
    """The audience of identities for this index. Raises `UnreachableError`."""
    from release.adapters.http import http_client
    from release.adapters.http.errors import unusable_response

    url = f"{index.site}/_/oidc/audience"
    with http_client.session(url) as session:
        response = session.get(url, headers={"Accept": "application/json"})
        found = _object(response)
        if response.status_code == 200 and isinstance(found.get("audience"), str):  # noqa: PLR2004 - OK
            return str(found["audience"])
        status = f"{response.status_code} {response.reason or ''}".strip()
        if not 400 <= response.status_code < 429:  # noqa: PLR2004 - it may accept identities, and has failed
            without = ", without an audience for identities" if response.ok else ""
            raise unusable_response(url, f"answers {status}{without}", remedy="run the same command again")
        reason = str(found.get("message") or status)[:_SHOWN]
        raise unusable_response(
            url, f"accepts no identities: {reason}",
            remedy="use an API token until it does: set it as TWINE_PASSWORD", cause="tp.disabled",
        )  # fmt: skip


def exchange_identity(index: Index, identity: OidcIdentity) -> ExchangedToken | ExchangeRefusal:
    """Exchange an identity for a token of the index, which creates the project of a pending publisher.

    The identity cannot be used again, even if the exchange fails. Raises `UnreachableError` where there is no usable
    response.
    """
    from release.adapters.http import http_client
    from release.adapters.http.errors import unusable_response

    url = f"{index.site}/_/oidc/mint-token"
    with http_client.session(url, retries=0) as session:
        response = session.post(url, json={"token": identity.token.reveal()}, allow_redirects=False)
        found = _object(response)
        if found.get("success") is True and isinstance(found.get("token"), str):
            expires = None
            with suppress(KeyError, TypeError, ValueError, OverflowError, OSError):
                expires = datetime.fromtimestamp(float(found["expires"]), UTC)
            return ExchangedToken(token=Secret(found["token"]), expires=expires)
        match found.get("errors"):
            case [{"code": str(code), "description": str(words)}, *_]:
                words = _without(identity.token, words)
                return ExchangeRefusal(status=response.status_code, code=code, description=words)
            case _ if 400 <= response.status_code < 429:  # noqa: PLR2004 - a refusal; other errors are worth a retry
                words = _without(identity.token, str(found.get("message") or response.reason or "no reason given"))
                return ExchangeRefusal(status=response.status_code, code="", description=words[:_SHOWN])
            case _:
                pass
    status = f"{response.status_code} {response.reason or ''}".strip()
    without = ", without a token" if response.ok else ""
    raise unusable_response(url, f"answers {status}{without}", remedy="run the same command again")


def request_burning(index: Index, token: Secret) -> bool:
    """Let the index delete a token that it issued for an identity. True: it accepted the request.

    Its answer never shows whether there was such a token; an index that does not offer this answers otherwise. Raises
    `UnreachableError`. Source: warehouse pull request 20197, "Allow burning of TP tokens".
    """
    from release.adapters.http import http_client

    url = f"{index.site}/_/oidc/burn-token"
    with http_client.session(url, retries=0) as session:
        response = session.post(url, json={"token": token.reveal()}, allow_redirects=False)
        return response.status_code == 202  # noqa: PLR2004 - Accepted


def _without(token: Secret, words: str) -> str:
    """A message on one line, without the three parts of the identity, which the index may repeat."""
    for part in token.reveal().split("."):
        words = words.replace(part, "***") if part else words
    return redact(" ".join("".join(one if one.isprintable() else " " for one in words).split()))


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        found = response_json(response)
    except ForeignJsonError:
        return {}
    return found if isinstance(found, dict) else {}
