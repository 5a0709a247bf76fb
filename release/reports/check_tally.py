"""Checks by number: "12 passed, 1 warning, 1 failed". It imports little, to load fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from release.core.models.check_result import CheckState
from release.core.time_text import format_count

if TYPE_CHECKING:
    from release.core.events import CheckFinished

#: a check that fails, but does not stop a rehearsal
LATER = "later"
_BLOCKING = (CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED)
_REST = (CheckState.SKIPPED, CheckState.NOT_APPLICABLE)


def tally_key(check: CheckFinished) -> str:
    """What a check counts as: its state, or `LATER` where a rehearsal continues although a release would stop."""
    return LATER if check.outcome.state.blocks and not check.stops else str(check.outcome.state)


def tally_to_text(tally: Mapping[str, int], *, full: bool = False) -> str:
    """The number of checks by `tally_key`: "12 passed, 1 warning, 1 failed".

    What was skipped or does not apply is counted if `full`.
    """
    parts = _count(tally, (CheckState.PASSED,))
    if warnings := tally.get(CheckState.WARNED, 0):
        parts.append(format_count(warnings, "warning"))
    parts += _count(tally, (CheckState.WAIVED, *_BLOCKING))
    if later := tally.get(LATER, 0):
        parts.append(f"{later} would block a release")
    return ", ".join(parts + _count(tally, _REST if full else ()))


def _count(tally: Mapping[str, int], states: tuple[CheckState, ...]) -> list[str]:
    return [f"{number} {state}" for state in states if (number := tally.get(state, 0))]
