"""Trusted publishing's requests: for an identity, for the audience it must be made for, for a token in exchange.

The first goes to the service that runs the job, the others to the index. Asking for an identity changes
nothing anywhere. The exchange does: see `mint`.
Sources: PyPI documentation, "Trusted publishers"; warehouse, `oidc/views.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.adapters.http import http_client
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System
from release.core.errors import ReleaseError
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity, OidcProvider, parse_identity
from release.core.redaction import redact
from release.core.secret import Secret

if TYPE_CHECKING:
    import requests

#: seconds for the service to give an identity; `id` itself waits 30 for each request
_PATIENCE = 100.0
_CHILD = Path(__file__).with_name("child.py")
#: variable → service, as `id` decides it and in its order. Source: id 1.6.1, `ambient.py`
_SIGNS: tuple[tuple[str, OidcProvider], ...] = (
    ("GITHUB_ACTIONS", "GitHub"),
    ("GOOGLE_SERVICE_ACCOUNT_NAME", "Google Cloud"),
    ("BUILDKITE", "Buildkite"),
    ("GITLAB_CI", "GitLab"),
    ("CIRCLECI", "CircleCI"),
)
#: what a job at GitHub has only if it may ask
_PERMITTED = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")
#: where a virtual machine says whose it is, and whose words mean Google's cloud
_MACHINE, _GOOGLE = Path("/sys/class/dmi/id/product_name"), {"Google", "Google Compute Engine"}
_SHOWN = 300


class NoIdentityError(ReleaseError):
    """The service is there, and gives no identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedToken:
    """A token that an index gave in exchange."""

    token: Secret
    #: aware, UTC, by the index's clock; None where it does not say
    expires: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRefusal:
    """An index's refusal, in its words."""

    status: int
    #: "invalid-publisher", …; empty where the answer is none of trusted publishing's own
    code: str
    description: str


def detect_provider(env: Mapping[str, str]) -> OidcProvider | None:
    """The service that runs this job, by the signs that `id` goes by; None on a machine of one's own."""
    for name, service in _SIGNS:
        if env.get(name):
            return service
        if name == "GOOGLE_SERVICE_ACCOUNT_NAME" and _is_googles():
            return "Google Cloud"
    return None


def _is_googles() -> bool:
    try:
        return _MACHINE.read_text(encoding="utf-8").strip() in _GOOGLE
    except (OSError, UnicodeDecodeError):
        return False


def may_request_identity(env: Mapping[str, str]) -> bool:
    """Whether this job was given leave to ask for an identity, as far as that can be seen without asking."""
    found = detect_provider(env)
    return found is not None and (found != "GitHub" or all(env.get(name) for name in _PERMITTED))


def missing_permission(env: Mapping[str, str]) -> NoIdentityError | None:
    """Why a job at GitHub gets no identity, where that can be seen without asking; None where it can't."""
    if detect_provider(env) != "GitHub" or may_request_identity(env):
        return None
    if _is_from_a_fork(env):
        return NoIdentityError(
            "GitHub gives no identity to this job: it belongs to a pull request from a fork",
            remedy="publish from the repository itself: on: push: tags, or on: release: published",
            cause="tp.fork-pr",
        )
    return NoIdentityError(
        "GitHub gives no identity to this job: it lacks the permission id-token: write",
        remedy="add to the job that uploads: permissions: id-token: write (a permissions block of the job replaces "
        "the workflow's); or give the job an API token as TWINE_PASSWORD",
        cause="tp.id-token-permission",
    )


def _is_from_a_fork(env: Mapping[str, str]) -> bool:
    """Whether the event is a pull request whose branch is in another repository. Source: GitHub's webhook payloads."""
    try:
        event = json.loads(Path(env.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8"))
        pull = event["pull_request"]
        return bool(pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def request_identity(system: System, audience: str) -> OidcIdentity | None:
    """A fresh identity of this job, for this audience; None where no known service runs it.

    Each call asks anew, as an index takes an identity once. Raises `NoIdentityError` where the service
    refuses, does not answer, or gives something else.
    """
    service = detect_provider(system.env)
    if service is None:
        return None
    refused = missing_permission(system.env)
    if refused is not None:
        raise refused
    answer = _asked(system, audience, service)
    text = answer.get("token")
    if not isinstance(text, str):
        raise _refused(service, audience, str(answer.get("error", "it says nothing")), bool(answer.get("permission")))
    try:
        return parse_identity(Secret(text), service, audience)
    except ValueError:
        raise _refused(service, audience, "what it gives is no JWT") from None


def _asked(system: System, audience: str, service: OidcProvider) -> dict[str, Any]:
    argv = [sys.executable, "-P", str(_CHILD)]
    try:
        done = system.run(argv, env=system.env, timeout=_PATIENCE, input=audience, apart=True)
        found = json.loads(done.output.rstrip().rpartition("\n")[2])
    except TimedOutError:
        raise _refused(service, audience, f"no answer within {_PATIENCE:g} s") from None
    except ValueError:
        raise _refused(service, audience, "its answer can't be understood") from None
    return found if isinstance(found, dict) else {}


def _refused(service: OidcProvider, audience: str, why: str, permission: bool = False) -> NoIdentityError:
    shown = redact(why).replace("\n", " ")[:_SHOWN]
    if service == "GitLab" and "_ID_TOKEN not found" in why:
        name = f"{audience.upper()}_ID_TOKEN"
        return NoIdentityError(
            f"GitLab gives no identity to this job: there is no ${name}",
            remedy=f"add to the job: id_tokens: {{{name}: {{aud: {audience}}}}}",
            cause="tp.id-token-permission",
        )
    return NoIdentityError(
        f"{service} gives no identity for {audience!r}: {shown}",
        remedy="run the job again; if that changes nothing, check what the service needs to give out identities",
        cause="tp.id-token-permission" if permission else None,
    )


def fetch_audience(index: Index) -> str:
    """Whom an identity for this index must be made for. Raises `UnreachableError`."""
    url = f"{index.site}/_/oidc/audience"
    with http_client.session(url) as session:
        response = session.get(url, headers={"Accept": "application/json"})
        found = _object(response)
        if response.status_code == 200 and isinstance(found.get("audience"), str):  # noqa: PLR2004 - OK
            return str(found["audience"])
        said = str(found.get("message") or f"{response.status_code} {response.reason or ''}".strip())[:_SHOWN]
        raise http_client.unusable_response(
            url, f"takes no identities: {said}",
            remedy="use an API token until it does: give it to the job as TWINE_PASSWORD", cause="tp.disabled",
        )  # fmt: skip


def exchange_identity(index: Index, identity: OidcIdentity) -> ExchangedToken | ExchangeRefusal:
    """Exchange an identity for a token of the index.

    No dry run: the identity is used up whatever comes of it, and a pending publisher's project is created.
    Raises `UnreachableError` where no usable answer came; the identity may be used up then, too.
    """
    url = f"{index.site}/_/oidc/mint-token"
    with http_client.session(url, retries=0) as session:
        response = session.post(url, json={"token": identity.token.reveal()}, allow_redirects=False)
        found = _object(response)
        if found.get("success") is True and isinstance(found.get("token"), str):
            return ExchangedToken(token=Secret(found["token"]), expires=_moment(found.get("expires")))
        if refused := _refusal(found.get("errors")):
            code, words = refused
            return ExchangeRefusal(status=response.status_code, code=code, description=_without(identity.token, words))
        if 400 <= response.status_code < 429:  # noqa: PLR2004 - a refusal; busy and broken servers are asked again
            words = str(found.get("message") or response.reason or "no reason given")
            return ExchangeRefusal(
                status=response.status_code, code="", description=_without(identity.token, words)[:_SHOWN]
            )
    raise http_client.unusable_response(
        url, f"answers {response.status_code} {response.reason or ''}".strip(), remedy="run it again"
    )


def _without(token: Secret, words: str) -> str:
    """An answer that may repeat what was sent: without the identity, none of whose three parts is for readers."""
    for part in token.reveal().split("."):
        words = words.replace(part, "***") if part else words
    return redact(words)


def _refusal(errors: object) -> tuple[str, str] | None:
    """Code and description of the first error, where there is one."""
    match errors:
        case [{"code": str(code), "description": str(words)}, *_]:
            return code, words
        case _:
            return None


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(seconds), UTC)  # type: ignore[arg-type] # whatever it is, or an error
    except (TypeError, ValueError, OverflowError, OSError):
        return None
