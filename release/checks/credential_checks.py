"""The second checklist: access to one index, before anything is built."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks import index_state, token_checks, token_permission, trusted_publishing_checks
from release.checks.engine import Check, check
from release.core.facts import Access
from release.core.models.check_result import Observation


@check(needs=(token_checks.a_credential_is_found,))
def the_files_can_be_signed(access: Access) -> Iterator[Observation]:
    """Attestations can be created for the files.

    Only a trusted publisher can have its files signed. Without attestations the files are uploaded anyway, unless
    `attest = true`. Source: PEP 740.
    """
    if access.signing is not None:
        yield access.signing


#: source, content, what the index shows, whether it works: a tier is meaningful if those before it passed
TIERS: tuple[tuple[Check[Access], ...], ...] = (
    (
        token_checks.a_credential_is_found,
        token_checks.the_credential_is_plain_to_see,
        token_checks.the_username_is_the_one_for_tokens,
        trusted_publishing_checks.the_service_vouches_for_this_job,
    ),
    (
        token_checks.the_token_is_whole,
        token_checks.the_token_is_of_this_index,
        token_checks.the_token_is_valid_now,
        token_checks.the_token_covers_this_project,
        trusted_publishing_checks.the_job_can_be_a_publisher,
    ),
    index_state.CHECKS,
    token_permission.CHECKS,
)
CHECKS: tuple[Check[Access], ...] = tuple(one for tier in TIERS for one in tier)
#: of an index for which the files will be signed
OF_SIGNING: tuple[Check[Access], ...] = (the_files_can_be_signed,)
