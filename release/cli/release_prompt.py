"""The one question before the first step that can't be undone, and the name to be typed where a project is new."""

from __future__ import annotations

import sys
from collections.abc import Callable

from release.core.errors import RefusedError
from release.core.plan import Plan
from release.reports import run_text
from release.reports.lines import Line


def agreed(  # noqa: PLR0913 - what is asked about, what was said beforehand, and where to ask
    plan: Plan,
    new_on: str | None,
    *,
    yes: bool,
    named: str | None,
    show: Callable[[Line], None],
    write: Callable[[str], None],
) -> bool:
    """Whether the user wants it. `yes` and `named` were said on the command line.

    `new_on` is an index that the project would be created on: for that its exact name is to be said, since
    what is once there in a misspelt name stays there. Raises `RefusedError` where it is another.
    """
    if not yes and not _asked(plan, show, write):
        return False
    if new_on is None:
        return True
    if named is None and sys.stdin.isatty():
        write(f"{plan.project} is new on {new_on}. Type its name to create it: ")
        named = _line()
    if named != plan.project:
        what = f"{named!r} is not its name" if named else "nobody has typed its name"
        raise RefusedError(
            f"this release would create the project {plan.project!r} on {new_on}, and {what}",
            remedy=f"if it is to be: --new-project {plan.project}",
        )
    return True


def _asked(plan: Plan, show: Callable[[Line], None], write: Callable[[str], None]) -> bool:
    for line in run_text.plan_to_lines(plan):
        show(line)
    write("Go on with what can't be undone? [y/N] ")
    return _line().lower() in {"y", "yes"}


def _line() -> str:
    try:
        return sys.stdin.readline().strip()
    except (OSError, ValueError):
        return ""
