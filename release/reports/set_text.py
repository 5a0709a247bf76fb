"""A set's run and its result as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from release.core.errors import Exit
from release.core.events import MemberFinished
from release.core.models.set_results import SetRunResult
from release.core.time_text import format_count
from release.reports.check_tally import tally_to_text
from release.reports.ending import Ending, ending_to_lines
from release.reports.lines import Line, remedy_to_lines
from release.reports.step_text import STATUS_MARKS

#: the first word of a step's title → what a member does in it, in the order of the display
_ACTIVITIES = {"build": "building", "upload": "uploading", "confirm": "confirming", "check": "checking"}
_OTHER = "preparing"


def member_to_lines(
    event: MemberFinished, states: Mapping[str, int], *, messages: Sequence[str] = (), explained: bool = False
) -> Iterator[Line]:
    """The line of a member that has finished its part of a phase: "✓ acme-core 2.0: 12 passed, 1 warning".

    `states`: the number of its checks by `tally_key`; `messages`: what its run printed, shown before a failure;
    `explained`: whether the check that failed was shown before.
    """
    mark, style = STATUS_MARKS[event.status]
    tally = tally_to_text(states)
    remedy = "" if explained else event.remedy
    if event.status == "refused" and event.note and not explained:
        text, *more = event.note.splitlines()
    else:
        notes = {"skipped": f"nothing to do: {event.note}" if event.note else "nothing to do", "stopped": "stopped"}
        text, more = notes.get(event.status) or tally or event.note or event.status, []
    yield from (Line(text=f"    {event.member}: {one}", style="dim") for one in messages)
    title, message = f"{event.member} {event.version}", f"{event.note}. {event.remedy}" if event.remedy else event.note
    annotation = ("error", title, message) if event.status == "refused" and not explained else None
    yield Line(text=f"  {mark} {title}: {text}", style=style, annotation=annotation)
    yield from (Line(text=f"      {one}") for one in more)
    if remedy:
        yield from remedy_to_lines(remedy, margin="    ")


def phase_note(ends: Sequence[str], total: int) -> str:
    """How the members of a phase ended: "7 members", "3 of 7 members done, 1 failed, 3 stopped"."""
    done = sum(one in {"done", "skipped"} for one in ends)
    if done == total:
        return format_count(total, "member")
    failed = ends.count("refused")
    stopped = total - done - failed
    parts = [f"{done} of {format_count(total, 'member')} done"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{stopped} stopped"] if stopped else []
    return ", ".join(parts)


def activity_to_text(steps: Mapping[str, str], done: int, total: int, *, width: int) -> str:
    """What goes on, in `width` columns: "building acme-http, acme-db, +3; 31 of 60 done".

    `steps`: the name of each member at work → the title of its step.
    """
    end = f"{done} of {total} done"
    by: dict[str, list[str]] = {}
    for member, step in steps.items():
        by.setdefault(_ACTIVITIES.get(step.partition(" ")[0], _OTHER), []).append(member)
    parts: list[str] = []
    for activity in (*_ACTIVITIES.values(), _OTHER):
        if activity in by:
            available = width - len("; ".join([*parts, "", end]))
            parts += [_fit_names(activity, by[activity], available)]
    return "; ".join([*filter(None, parts), end])


def _fit_names(activity: str, members: Sequence[str], width: int) -> str:
    """The activity with as many names as fit, and the number of the others; empty if not even their number fits."""
    for shown in range(len(members), -1, -1):
        left = len(members) - shown
        if shown == 0:
            text = f"{activity} {left}"
        else:
            text = f"{activity} {', '.join(members[:shown])}" + (f", +{left}" if left else "")
        if len(text) <= width:
            return text
    return ""


def set_run_to_lines(result: SetRunResult, *, width: int | None = None) -> Iterator[Line]:
    """What each index has of the members; then what happened, where the record is, and the next command.

    `width`: the columns of a terminal; None for a log.
    """
    yield from (Line(text=f"  {one}") for one in result.progress)
    ending = Ending(
        command=f"set {result.verb}", message=result.headline, remedy=result.remedy,
        passed=result.exit == Exit.DONE, record=result.record, next_command=result.next_command,
    )  # fmt: skip
    yield from ending_to_lines(ending, width=width)
