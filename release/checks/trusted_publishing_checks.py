"""Trusted publishing, before the upload: whether the CI service identifies this job, and whether it can be a publisher.

Whether the index has a matching publisher is known only after the token exchange, which comes with the upload and is
not a dry run. What no publisher could ever match is reported here.
Source: warehouse, `oidc/models/github.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.engine import Checklist
from release.checks.token_checks import a_credential_is_found
from release.core.facts import Access
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.credential import Ambient
from release.core.models.oidc_identity import OidcIdentity, describe_job

_NOT_USED = NotApplicable(reason="trusted publishing is not used")
_NOT_REQUESTED = NotApplicable(reason="the identity token was not requested")

CHECKS = Checklist[Access]()


@CHECKS.check(needs=(a_credential_is_found,))
def the_service_vouches_for_this_job(access: Access) -> Iterator[Observation]:
    """The CI service provides an identity token for this job.

    Trusted publishing exchanges it for an upload token, at the upload and not before.
    """
    if not isinstance(access.credential, Ambient):
        yield _NOT_USED
        return
    match access.credential.identity:
        case None:
            yield _NOT_REQUESTED
        case Finding() | Unknown() as problem:
            yield problem
        case OidcIdentity():
            return


def ambient_to_text(ambient: Ambient) -> str:
    """What an upload would authenticate with, in one line."""
    who = describe_job(ambient.identity) if isinstance(ambient.identity, OidcIdentity) else ambient.provider
    return f"trusted publishing, {who}"
