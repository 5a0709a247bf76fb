"""The result of verifying a credential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from release.core.models.check_result import Outcome

if TYPE_CHECKING:
    from release.core.facts import Access
from release.core.models.check_result import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The access to an index, the checks of it, and their verdict."""

    access: Access
    outcomes: tuple[Outcome, ...]
    verdict: Verdict
    #: whether the index was deliberately not contacted
    offline: bool = False
