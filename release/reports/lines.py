"""Events and results as lines for a terminal, with annotations for CI, and formats of values in text.

It imports little, to load fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from release.core.events import CheckFinished, Event, Message, Progress, SecretObtained, StepFinished, StepStarted
from release.core.models.check_result import CheckState, Finding, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
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
#: the states that show the name of the check, to be written into the configuration
_NAMED = {CheckState.WARNED, CheckState.FAILED, CheckState.UNKNOWN, CheckState.CRASHED, CheckState.WAIVED}


def event_to_lines(event: Event) -> Iterator[Line]:
    """The lines of an event. Progress has none: it is drawn or omitted; a secret has none either."""
    match event:
        case StepStarted():
            yield Line(text=event.title, style="bold")
        case StepFinished(status="refused"):
            yield Line(text=f"  failed after {event.seconds:.1f} s", style="bold red")
        case StepFinished(status="skipped"):
            yield Line(text=f"  nothing to do: {event.note}", style="dim")
        case StepFinished():
            note = f": {event.note}" if event.note else ""
            yield Line(text=f"  done in {event.seconds:.1f} s{note}", style="dim")
        case CheckFinished():
            yield from outcome_to_lines(event.outcome, stops=event.stops)
        case Message(tool_output=True):
            yield Line(text=f"  | {event.text}", style="dim")
        case Message():
            yield Line(text=f"  {event.text}")
        case Progress() | SecretObtained():
            return


def outcome_to_lines(outcome: Outcome, *, stops: bool = True, with_subject: bool = True) -> Iterator[Line]:
    """A check and its findings. `stops`: whether a blocking outcome stops the run; a rehearsal continues."""
    mark, style = _MARKS[outcome.state]
    if outcome.state.blocks and not stops:
        mark, style = "later", "yellow"
    subject = f" [{outcome.subject}]" if outcome.subject and with_subject else ""
    name = f" [{outcome.check}]" if outcome.state in _NAMED else ""
    reason = f" ({outcome.reason})" if outcome.reason else ""
    annotation = None
    if outcome.state.blocks and not outcome.findings:
        annotation = ("error" if stops else "warning", f"{outcome.title}{name}", outcome.reason or outcome.state)
    yield Line(text=f"  {mark:<7}{outcome.title}{subject}{name}{reason}", style=style, annotation=annotation)
    if outcome.state.blocks and outcome.remedy:
        yield from remedy_to_lines(outcome.remedy)
    for finding, *others in _group_findings(outcome.findings):
        yield from _finding_to_lines(finding, outcome, stops=stops)
        if others:
            names = ", ".join(str(one.where) for one in others[: _LISTED if len(others) > _LISTED + 1 else None])
            more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED + 1 else ""
            yield Line(text=f"         the same in {len(others)} other files: {names}{more}")


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


def _finding_to_lines(finding: Finding, outcome: Outcome, *, stops: bool) -> Iterator[Line]:
    where = f"{finding.where}: " if finding.where and finding.where not in finding.message else ""
    cause = f" [{finding.cause}]" if finding.cause else ""
    level = "error" if finding.severity == "block" and stops else "warning"
    yield Line(
        text=f"         {where}{finding.message}{cause}",
        annotation=(level, f"{outcome.title} [{outcome.check}]", f"{where}{finding.message}. {finding.remedy}"),
    )
    if finding.server_text and finding.server_text not in finding.message:
        yield Line(text=f"         the index would say: {finding.server_text}", style="dim")
    if finding.remedy:
        yield from remedy_to_lines(finding.remedy, margin="         ")


def remedy_to_lines(remedy: str, *, margin: str = "") -> Iterator[Line]:
    """A remedy; the lines of configuration in it are shown as they are pasted, except for their margin."""
    first, *more = remedy.splitlines()
    yield Line(text=f"{margin}→ {first}")
    yield from (Line(text=f"{margin}  {line}") for line in more)


def result_to_lines(command: str, message: str, remedy: str, *, passed: bool) -> Iterator[Line]:
    """The result of a command, and what to do about it."""
    annotation = None if passed else ("error", f"release {command}", f"{message}. {remedy}" if remedy else message)
    yield Line(text=message, style="bold green" if passed else "bold red", annotation=annotation)
    if remedy:
        yield from remedy_to_lines(remedy)


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome) | {"state": str(outcome.state)}


def format_iso_time(moment: datetime | None) -> str | None:
    """A time for JSON."""
    return moment.isoformat() if moment else None


def printable(text: str) -> str:
    r"""The text with non-printable characters escaped (`\x1b`): text from an archive may contain terminal commands."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def format_size(count: int) -> str:
    """A number of bytes as `12 bytes`, `3 kB` or `4.5 MB`."""
    if count < 1000:  # noqa: PLR2004 - kilo
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 - mega
