"""The last source: no password anywhere, and a service that runs this job and can say which it is.

Told by the environment alone: nobody is asked here, and no token is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from release.adapters.oidc import provider
from release.core.models.credential import Ambient, Origin
from release.core.models.finding import Finding
from release.core.models.index import Index


def find(index: Index, env: Mapping[str, str]) -> Ambient | None:
    """The service whose word this index may take. None on a machine of one's own, and for other kinds of index."""
    service = provider.detect_provider(env) if index.trusted_publishing else None
    if service is None:
        return None
    detail = f"trusted publishing, by the identity that {service} gives this job"
    refused = provider.missing_permission(env)
    why = None if refused is None else Finding(message=refused.message, remedy=refused.remedy, cause=refused.cause)
    return Ambient(provider=service, origin=Origin(kind="trusted-publishing", detail=detail), identity=why)


def beside(index: Index, env: Mapping[str, str], where: str) -> Finding | None:
    """What there is to say where a password at `where` keeps an identity from being used; None where nothing."""
    ambient = find(index, env)
    if ambient is None or not provider.may_request_identity(env):
        return None
    return Finding(
        message=f"{where} is used, and the identity that {ambient.provider} gives this job is not",
        remedy=f"for trusted publishing, remove {where} from the job, and delete the secret",
        severity="warn",
        where=where,
        cause="tp.mixed-credentials",
    )
