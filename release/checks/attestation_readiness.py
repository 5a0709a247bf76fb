"""Part of the second checklist: whether what goes to an index can be signed."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.credential_checks import a_credential_is_found
from release.checks.engine import Check, check
from release.core.facts import Access
from release.core.models.finding import Observation


@check(needs=(a_credential_is_found,))
def the_files_can_be_signed(access: Access) -> Iterator[Observation]:
    """The files can be signed on their way to PyPI.

    Only a trusted publisher can have its files signed. Without, they are uploaded all the same, unless
    `attest = true`. Source: PEP 740.
    """
    if access.signing is not None:
        yield access.signing


CHECKS: tuple[Check[Access], ...] = (the_files_can_be_signed,)
