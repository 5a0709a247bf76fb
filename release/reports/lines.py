"""Events and results as lines for a terminal, with annotations for CI, and formats of values in text.

It imports little, to load fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from release.core.events import CheckFinished, Event, Message, StepStarted
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.quoting import escape_unprintable
from release.core.time_text import format_count


class Line(Struct, frozen=True, kw_only=True):
    """One line of output."""

    text: str
    #: a style of rich
    style: str = ""
    #: for CI's list of annotations: (level, title, message), where the message is a whole sentence
    annotation: tuple[str, str, str] | None = None


_MARKS = {
    CheckState.PASSED: ("ok", "green"), CheckState.WARNED: ("warn", "yellow"), CheckState.FAILED: ("FAIL", "bold red"),
    CheckState.UNKNOWN: ("????", "bold red"), CheckState.CRASHED: ("CRASH", "bold red"),
    CheckState.SKIPPED: ("skip", "dim"), CheckState.NOT_APPLICABLE: ("n/a", "dim"),
    CheckState.WAIVED: ("waived", "yellow"),
}  # fmt: skip

#: findings that are alike and are shown one by one; names that are listed for the others
_FEW, _LISTED = 3, 5
#: the states of checks that are shown; the others are counted
SHOWN = frozenset(
    {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED, CheckState.WAIVED}
)  # fmt: skip
#: columns before the text of a finding
_MARGIN = " " * 9


def event_to_lines(event: Event, *, verbose: bool = False) -> Iterator[Line]:
    """The lines of an event, with `verbose` those of passed checks and other details as well.

    Progress has none: it is drawn or omitted; a secret has none either. The end of a step needs what was counted.
    """
    match event:
        case CheckFinished():
            yield from outcome_to_lines(event.outcome, stops=event.stops, verbose=verbose)
        case StepStarted() if verbose:
            yield Line(text=event.title, style="bold")
        case Message(tool_output=True) if verbose:
            yield Line(text=f"  | {event.text}", style="dim")
        case Message(tool_output=False, detail=detail) if verbose or not detail:
            yield Line(text=f"  {event.text}")


def outcome_to_lines(
    outcome: Outcome, *, stops: bool = True, verbose: bool = False, prefix: str = ""
) -> Iterator[Line]:
    """The problems that a check has found, each with its cause first and its remedy last.

    `stops`: whether a blocking outcome stops the run; a rehearsal continues. `prefix`: what precedes each problem.
    A check without a problem has a line only if `verbose`.
    """
    state = outcome.state
    if state not in SHOWN:
        if verbose:
            yield state_to_line(outcome)
        return
    if not outcome.findings or (state.blocks and outcome.reason):
        yield from _reason_to_lines(outcome, stops=stops, prefix=prefix)
    for finding, *others in _group_findings(outcome.findings):
        yield from _finding_to_lines(finding, outcome, stops=stops, prefix=prefix)
        if others:
            names = ", ".join(str(one.where) for one in others[: _LISTED if len(others) > _LISTED + 1 else None])
            more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED + 1 else ""
            yield Line(text=f"{_MARGIN}the same in {len(others)} other files: {names}{more}")


def state_to_line(outcome: Outcome, *, with_subject: bool = True) -> Line:
    """The state of a check and what must be true, in one line: "ok     The tree is clean"."""
    mark, style = _MARKS[outcome.state]
    subject = f" [{outcome.subject}]" if outcome.subject and with_subject else ""
    name = f" [{outcome.check}]" if outcome.state in SHOWN else ""
    reason = f" ({outcome.reason})" if outcome.reason else ""
    return Line(text=f"  {mark:<7}{outcome.title}{subject}{name}{reason}", style=style)


def _reason_to_lines(outcome: Outcome, *, stops: bool, prefix: str) -> Iterator[Line]:
    """Why a check is unknown, crashed or waived where no finding says it."""
    reason = outcome.reason or str(outcome.state)
    level = "error" if stops else "warning"
    annotation = (level, f"{prefix}{outcome.title} [{outcome.check}]", reason) if outcome.state.blocks else None
    text = f"{prefix}{_about(outcome, reason)}"
    yield from _problem_to_lines(_mark(outcome.state, stops), text, _names(outcome, outcome.cause), annotation)
    if outcome.state.blocks and outcome.remedy:
        yield from remedy_to_lines(outcome.remedy, margin=_MARGIN)


def _mark(state: CheckState, stops: bool) -> tuple[str, str]:
    return ("later", "yellow") if state.blocks and not stops else _MARKS[state]


def _about(outcome: Outcome, message: str) -> str:
    """The message with what it is about, unless it names that itself."""
    return f"{outcome.subject}: {message}" if outcome.subject and outcome.subject not in message else message


def _names(outcome: Outcome, cause: str | None) -> str:
    return f"[{', '.join(filter(None, (outcome.check, cause)))}]"


def _problem_to_lines(
    mark: tuple[str, str], text: str, names: str, annotation: tuple[str, str, str] | None
) -> Iterator[Line]:
    """The first lines of a problem: mark, text, the names of the check and of the cause."""
    first, *more = text.splitlines() or [""]
    yield Line(text=f"  {mark[0]:<7}{first} {names}", style=mark[1], annotation=annotation)
    yield from (Line(text=f"{_MARGIN}{line}") for line in more)


def _group_findings(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """The findings; those that differ only in the file that they name are together where there are many."""
    groups: dict[Finding, list[Finding]] = {}
    for one in findings:
        texts = (one.message, one.remedy, one.server_text or "")
        message, remedy, said = (text.replace(one.where, "\0") if one.where else text for text in texts)
        key = replace(one, message=message, remedy=remedy, server_text=said, where=None)
        groups.setdefault(key, []).append(one)
    grouped = {id(one): group for group in groups.values() if len(group) > _FEW for one in group}
    for one in findings:
        group = grouped.get(id(one), [one])
        if group[0] is one:
            yield group


def _finding_to_lines(finding: Finding, outcome: Outcome, *, stops: bool, prefix: str) -> Iterator[Line]:
    where = f"{finding.where}: " if finding.where and finding.where not in finding.message else ""
    text = f"{where}{finding.message}"
    state = CheckState.FAILED if finding.severity == "block" else CheckState.WARNED
    state = CheckState.WAIVED if outcome.state is CheckState.WAIVED else state
    level = "error" if state.blocks and stops else "warning"
    names = _names(outcome, finding.cause) + (f" ({outcome.reason})" if state is CheckState.WAIVED else "")
    yield from _problem_to_lines(
        _mark(state, stops), f"{prefix}{_about(outcome, text)}", names,
        (level, f"{prefix}{outcome.title} [{outcome.check}]", f"{text}. {finding.remedy}"),
    )  # fmt: skip
    if finding.server_text and finding.server_text not in finding.message:
        yield Line(text=f"{_MARGIN}the index would say: {finding.server_text}", style="dim")
    if finding.remedy and state is not CheckState.WAIVED:
        yield from remedy_to_lines(finding.remedy, margin=_MARGIN)


def remedy_to_lines(remedy: str, *, margin: str = "") -> Iterator[Line]:
    """A remedy; the lines of configuration in it are shown as they are pasted, except for their margin."""
    first, *more = remedy.splitlines()
    yield Line(text=f"{margin}→ {first}")
    yield from (Line(text=f"{margin}  {line}") for line in more)


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome for JSON. The option of a finding is in its remedy."""
    document: dict[str, Any] = to_builtins(outcome)
    for finding in document["findings"]:
        del finding["option"]
    return document


def format_iso_time(moment: datetime | None) -> str | None:
    """A time for JSON."""
    return moment.isoformat() if moment else None


def printable(text: str) -> str:
    r"""The text with non-printable characters escaped (`\x1b`): text from an archive may contain terminal commands."""
    return escape_unprintable(text)


def format_size(count: int) -> str:
    """A number of bytes as `1 byte`, `12 bytes`, `3 kB` or `4.5 MB`."""
    if count < 1000:  # noqa: PLR2004 - kilo
        return format_count(count, "byte")
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 - mega
