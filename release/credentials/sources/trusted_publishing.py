"""Trusted publishing: the last source for an upload, where no password was found and a service identifies the job.

Only environment variables are read: no identity is requested here, and no token exchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from release.adapters.oidc import provider
from release.adapters.oidc.job_variables import collect_job_variables
from release.adapters.system.shell_detection import detect_user_environment
from release.core import shell
from release.core.models.check_result import Finding
from release.core.models.credential import Ambient, StoredSecret
from release.core.models.oidc_identity import TRUSTED_PROVIDERS
from release.core.models.secret_location import TrustedPublishing, location_to_text
from release.core.tokens.token import contains_token
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery

if TYPE_CHECKING:
    from release.core.models.index import Index


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
        job = collect_job_variables(query.env, service)
        ambient = Ambient(provider=service, origin=TrustedPublishing(provider=service), identity=why, job=job)
        return SourceResult(ambient=ambient, remarks=tuple(_other_username(query)) if why is None else ())
    if not provider.may_request_identity(query.env, query.index):
        return None
    where, ci = location_to_text(query.used), detect_user_environment(query.env).ci
    page = f": {ci.secrets_page}" if ci and ci.secrets_page else ""
    remark = base.warning(
        f"{where} is used instead of the identity that {service} issues for this job",
        f"to use trusted publishing, remove {where} from the job and delete the secret{page}",
        where, "tp.mixed-credentials",
    )  # fmt: skip
    return SourceResult(remarks=(remark,))


def _other_username(query: SourceQuery) -> Iterator[Finding]:
    """Twine only tries trusted publishing for `__token__`. Observed: twine 7.0.0, `auth.Resolver`."""
    name = query.env.get("TWINE_USERNAME")
    if name and name != "__token__" and not contains_token(name):
        user = detect_user_environment(query.env)
        yield base.warning(
            f"$TWINE_USERNAME is {name!r}: pypi-preflight uses trusted publishing; twine alone would need a password",
            shell.unset_variables(user.shell_name, "TWINE_USERNAME"), "$TWINE_USERNAME", "cred.username-not-token",
        )  # fmt: skip


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
