"""The identity provider of a CI job, simulated on this machine: identity tokens (JWT) and their verification.

A job requests a token at `/+issuer/token?audience=…` with its bearer token, as jobs on GitHub do. The claims name the
real issuers, since the index knows no others; the keys belong to this sandbox, so that no token is valid elsewhere.
Source: GitHub documentation, "OpenID Connect reference"; GitLab documentation, "OpenID Connect (OIDC) authentication".
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from release.core.secret import Secret
from release.sandbox.publishers import ISSUERS, OTHER_ISSUERS, OWNER_ID, CiJob
from release.sandbox.responses import json_message

#: where a job requests its identity token
PATH = "/+issuer/token"
#: seconds by which clocks may differ. Source: warehouse, `oidc/services.py`
_LEEWAY = 30
_REF, _SHA = "refs/tags/v1.0", "0123456789abcdef0123456789abcdef01234567"
_KEY_ID = "sandbox"
#: not RS256, as real providers use: tokens are verified by the provider that issued them, which needs no public key
_ALGORITHM = "HS256"


class IdentityProvider:
    """The identity provider of one job. Several sandboxes may trust the same one."""

    def __init__(self, job: CiJob | None = None) -> None:
        self.job = job or CiJob()
        #: what the job sends to request an identity token
        self.request_token = Secret(secrets.token_urlsafe(24))
        self._key = secrets.token_bytes(32)

    def ambient(self, site: str, now: Callable[[], datetime]) -> dict[str, str]:
        """Return the environment variables of the job; `site` is where it reaches this provider."""
        if self.job.provider == "gitlab":
            tokens = {f"{name.upper()}_ID_TOKEN": self.token(name, now()) for name in ("pypi", "testpypi")}
            return {"GITLAB_CI": "true", "CI_SERVER_URL": issuer_of(self.job), **tokens}
        if self.job.provider in OTHER_ISSUERS:
            return {self.job.provider.upper(): "true"}
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": self.job.repository,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{site}{PATH}?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": self.request_token.reveal(),
        }

    def token_response(self, request: Request, now: datetime) -> Response:
        """Answer a job that requests an identity token."""
        sent = request.headers.get("Authorization", "").partition(" ")[2]
        if not hmac.compare_digest(sent.encode(), self.request_token.reveal().encode()):
            return json_message(401, "Unauthorized")
        value = self.token(request.args.get("audience", ""), now)
        return Response(json.dumps({"value": value}), content_type="application/json")

    def token(self, audience: str, now: datetime) -> str:
        """Issue an identity token for the job."""
        seconds = int(now.timestamp())
        claims = usual_claims(self.job) | {
            "iss": issuer_of(self.job), "aud": audience, "jti": str(uuid4()), "iat": seconds,
            "nbf": seconds - 60, "exp": seconds + self.job.expires_in,
        }  # fmt: skip
        claims |= self.job.claims
        header = {"alg": _ALGORITHM, "typ": "JWT", "kid": "elsewhere" if self.job.key == "unknown" else _KEY_ID}
        present = {name: value for name, value in claims.items() if value is not None}
        body = ".".join(_encode_part(json.dumps(part).encode()) for part in (header, present))
        key = secrets.token_bytes(32) if self.job.key == "forged" else self._key
        return f"{body}.{_encode_part(hmac.digest(key, body.encode(), 'sha256'))}"

    def verify(self, token: str, issuer: str, audience: str, now: datetime) -> dict[str, Any] | None:
        """Return the claims if key, signature, times, issuer and audience are valid; else None."""
        body, _, signature = token.rpartition(".")
        try:
            header, claims = (json.loads(decode_part(part)) for part in body.split("."))
            if header.get("kid") != _KEY_ID or header.get("alg") != _ALGORITHM:
                return None
            if not hmac.compare_digest(hmac.digest(self._key, body.encode(), "sha256"), decode_part(signature)):
                return None
            seconds = now.timestamp()
            is_current = (
                int(claims["exp"]) > seconds - _LEEWAY
                and int(claims["iat"]) <= seconds + _LEEWAY
                and int(claims.get("nbf", 0)) <= seconds + _LEEWAY
            )
            are_texts = all(isinstance(claims.get(name, ""), str) for name in ("sub", "jti"))
        except (ValueError, AttributeError, KeyError, TypeError):
            return None
        matches = claims.get("iss") == issuer and claims.get("aud") == audience
        return claims if is_current and are_texts and matches else None


def issuer_of(job: CiJob) -> str:
    """The issuer that the identity tokens of a job name."""
    return job.issuer_url or {**ISSUERS, **OTHER_ISSUERS}[job.provider]


def decode_part(part: str) -> bytes:
    """Decode a part of a JWT. Raises ValueError if it is not base64."""
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _encode_part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def usual_claims(job: CiJob) -> dict[str, Any]:
    """Return the claims of a job on a tag that was pushed."""
    owner, _, name = job.repository.partition("/")
    match job.provider:
        case "github":
            file = f"{job.repository}/.github/workflows/{job.workflow}@{_REF}"
            context = f"environment:{job.environment}" if job.environment else f"ref:{_REF}"
            return {
                "sub": f"repo:{job.repository}:{context}", "repository": job.repository, "repository_owner": owner,
                "repository_owner_id": OWNER_ID, "repository_id": "2002", "workflow_ref": file,
                "job_workflow_ref": file, "environment": job.environment, "event_name": "push", "ref": _REF,
                "ref_type": "tag", "sha": _SHA, "run_id": "3003", "runner_environment": "github-hosted",
            }  # fmt: skip
        case "gitlab":
            host = issuer_of(job).partition("://")[2]
            return {
                "sub": f"project_path:{job.repository}:ref_type:tag:ref:v1.0", "project_path": job.repository,
                "ci_config_ref_uri": f"{host}/{job.repository}//{job.workflow}@{_REF}",
                "environment": job.environment, "ref_path": _REF, "sha": _SHA, "pipeline_source": "push",
            }  # fmt: skip
        case "google":
            return {"sub": "4004", "email": f"{owner}@acme.test", "email_verified": True}
        case "circleci" | "buildkite" | "semaphore":
            return {"sub": f"organization:{owner}:pipeline:{name}:ref:{_REF}"}
        case _:
            return {
                "sub": f"org:{owner}:project:{name}", "organization": owner, "project": name,
                "actor_id": OWNER_ID, "actor": "alice", "builder": "pypi-publisher",
            }  # fmt: skip
