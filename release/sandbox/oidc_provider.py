"""The service that runs a job and vouches for it, played on this machine: identity tokens (JWT) and who signed them.

A job asks at `/+issuer/token?audience=…` with its bearer token, as jobs at GitHub do. The claims name the true
issuers, since the index knows no others; the keys are this sandbox's, so that no token is good anywhere else.
Source: GitHub documentation, "OpenID Connect reference"; GitLab documentation, "OpenID Connect (OIDC) authentication".
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from release.core.secret import Secret
from release.sandbox.publishers import ISSUERS, OWNER_ID, CiJob
from release.sandbox.rs256 import Key

#: where a job asks for its identity
PATH = "/+issuer/token"
#: seconds by which clocks may differ. Source: warehouse, `oidc/services.py`
_LEEWAY = 30
_REF, _SHA = "refs/tags/v1.0", "0123456789abcdef0123456789abcdef01234567"
_KID = "sandbox"


class IdentityProvider:
    """A service that speaks for one job. Several sandboxes may trust the same one."""

    def __init__(self, job: CiJob | None = None) -> None:
        self.job = job or CiJob()
        #: what the job shows when it asks
        self.request_token = Secret(secrets.token_urlsafe(24))

    @cached_property
    def _key(self) -> Key:
        return Key.new()

    @cached_property
    def _other_key(self) -> Key:
        return Key.new()

    def ambient(self, site: str, now: Callable[[], datetime]) -> dict[str, str]:
        """The environment of the job; `site` is where this issuer is asked."""
        if self.job.provider == "gitlab":
            tokens = {f"{name.upper()}_ID_TOKEN": self.token(name, now()) for name in ("pypi", "testpypi")}
            return {"GITLAB_CI": "true", **tokens}
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": self.job.repository,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{site}{PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token.reveal(),
        }

    def answer(self, request: Request, now: datetime) -> Response:
        """What a job is told that asks for its identity."""
        shown = request.headers.get("Authorization", "").partition(" ")[2]
        if not hmac.compare_digest(shown.encode(), self.request_token.reveal().encode()):
            return Response('{"message": "Unauthorized"}', status=401, content_type="application/json")
        value = self.token(request.args.get("audience", ""), now)
        return Response(json.dumps({"value": value}), content_type="application/json")

    def token(self, audience: str, now: datetime) -> str:
        """A new identity token of the job."""
        seconds = int(now.timestamp())
        claims = dict(_usual(self.job)) | {
            "aud": audience, "jti": str(uuid4()), "iat": seconds, "nbf": seconds - 60,
            "exp": seconds + self.job.expires_in,
        }  # fmt: skip
        claims |= self.job.claims
        header = {"alg": "RS256", "typ": "JWT", "kid": "elsewhere" if self.job.key == "unknown" else _KID}
        body = ".".join(_encoded(json.dumps(part).encode()) for part in (header, _without_none(claims)))
        key = self._other_key if self.job.key == "forged" else self._key
        return f"{body}.{_encoded(key.sign(body.encode()))}"

    def verified(self, token: str, issuer: str, audience: str, now: datetime) -> dict[str, Any] | None:
        """The claims of a token that is in order: key, signature, times, issuer, audience; else None."""
        body, _, signature = token.rpartition(".")
        try:
            header, claims = (json.loads(decoded(part)) for part in body.split("."))
            if header.get("kid") != _KID or header.get("alg") != "RS256":
                return None
            if not self._key.signed(body.encode(), decoded(signature)):
                return None
            seconds = now.timestamp()
            timely = (
                claims["exp"] > seconds - _LEEWAY
                and claims["iat"] <= seconds + _LEEWAY
                and claims.get("nbf", 0) <= seconds + _LEEWAY
            )
        except (ValueError, AttributeError, KeyError, TypeError):
            return None
        fits = claims.get("iss") == issuer and claims.get("aud") == audience
        return claims if timely and fits else None


def decoded(part: str) -> bytes:
    """Raises ValueError for what is not base64."""
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _without_none(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


def _usual(job: CiJob) -> Iterator[tuple[str, Any]]:
    """The claims of a job on a tag that was pushed."""
    yield "iss", ISSUERS[job.provider]
    owner = job.repository.partition("/")[0]
    match job.provider:
        case "github":
            file = f"{job.repository}/.github/workflows/{job.workflow}@{_REF}"
            where = f"environment:{job.environment}" if job.environment else f"ref:{_REF}"
            yield from {
                "sub": f"repo:{job.repository}:{where}", "repository": job.repository, "repository_owner": owner,
                "repository_owner_id": OWNER_ID, "repository_id": "2002", "workflow_ref": file,
                "job_workflow_ref": file, "environment": job.environment, "event_name": "push", "ref": _REF,
                "ref_type": "tag", "sha": _SHA, "run_id": "3003", "runner_environment": "github-hosted",
            }.items()  # fmt: skip
        case "gitlab":
            yield from {
                "sub": f"project_path:{job.repository}:ref_type:tag:ref:v1.0", "project_path": job.repository,
                "ci_config_ref_uri": f"gitlab.com/{job.repository}//{job.workflow}@{_REF}",
                "environment": job.environment, "ref_path": _REF, "sha": _SHA, "pipeline_source": "push",
            }.items()  # fmt: skip
        case "google":
            yield from {"sub": "4004", "email": f"{owner}@acme.test", "email_verified": True}.items()
        case _:
            name = job.repository.partition("/")[2]
            yield from {
                "sub": f"org:{owner}:project:{name}", "organization": owner, "project": name,
                "actor_id": OWNER_ID, "actor": "alice", "builder": "pypi-publisher",
            }.items()  # fmt: skip
