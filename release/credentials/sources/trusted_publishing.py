"""Trusted publishing: the last source for an upload, where no password was found and a service identifies the job.

Only environment variables are read: no identity is requested here, and no token exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator

from release.adapters.oidc import provider
from release.core.models.check_result import Finding
from release.core.models.credential import Ambient, StoredSecret
from release.core.models.index import Index
from release.core.models.oidc_identity import TRUSTED_PROVIDERS
from release.core.models.secret_location import TrustedPublishing, location_to_text
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery


def find(query: SourceQuery) -> SourceResult | None:
    """The service whose identity the index may accept; where a password is used instead, a remark that says so."""
    service = provider.detect_provider(query.env) if query.index.trusted_publishing else None
    if service is None:
        return None
    if query.used is None:
        refused = provider.missing_permission(query.env, query.index)
        why = None if refused is None else Finding(message=refused.message, remedy=refused.remedy, cause=refused.cause)
        if service not in TRUSTED_PROVIDERS:
            why = _unsupported(query.index, service)
        return SourceResult(ambient=Ambient(provider=service, origin=TrustedPublishing(provider=service), identity=why))
    if not provider.may_request_identity(query.env, query.index):
        return None
    where = location_to_text(query.used)
    remark = base.warning(
        f"{where} is used instead of the identity that {service} issues for this job",
        f"to use trusted publishing, remove {where} from the job and delete the secret",
        where, "tp.mixed-credentials",
    )  # fmt: skip
    return SourceResult(remarks=(remark,))


def _unsupported(index: Index, service: str) -> Finding:
    """Known without an identity: `the_job_can_be_a_publisher` reports the same for the identity itself."""
    return Finding(
        message=f"no credential for {index.name}, which does not support trusted publishers on {service}",
        remedy=f"set an API token as TWINE_PASSWORD in the job, from {index.site}/manage/account/token/",
        cause="tp.unknown-issuer",
    )


def locate(query: StorageQuery) -> Iterator[StoredSecret]:  # noqa: ARG001 - the interface
    """Nothing: an identity is not stored."""
    return iter(())


#: not possible: nothing is stored
replace = base.refuse_replacement
