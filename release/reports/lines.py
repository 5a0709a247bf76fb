"""How an event reads: lines for a terminal, with annotations for CI. Loads fast, so that a look can begin at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from release.core.events import CheckFinished, Event, Message, Progress, SecretObtained, StepFinished, StepStarted
from release.core.models.check_result import CheckState, Outcome
from release.core.models.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line for a reader, with what it is: a display may colour it."""

    text: str
    style: str = ""
    #: a whole sentence for CI's list of annotations: (level, title, message)
    annotation: tuple[str, str, str] | None = None


_MARKS = {
    CheckState.PASSED: ("ok", "green"),
    CheckState.WARNED: ("warn", "yellow"),
    CheckState.FAILED: ("FAIL", "bold red"),
    CheckState.UNKNOWN: ("????", "bold red"),
    CheckState.CRASHED: ("CRASH", "bold red"),
    CheckState.SKIPPED: ("skip", "dim"),
    CheckState.NOT_APPLICABLE: ("n/a", "dim"),
    CheckState.WAIVED: ("waived", "yellow"),
}


def event_to_lines(event: Event) -> Iterator[Line]:
    """What an event looks like as lines of text. Progress has none: it is drawn, or left out; nor has a secret."""
    match event:
        case StepStarted():
            yield Line(text=event.title, style="bold")
        case StepFinished(status="refused"):
            yield Line(text=f"  stopped after {event.seconds:.1f} s", style="bold red")
        case StepFinished(status="skipped"):
            yield Line(text=f"  nothing remains to be done: {event.note}", style="dim")
        case StepFinished():
            note = f": {event.note}" if event.note else ""
            yield Line(text=f"  done in {event.seconds:.1f} s{note}", style="dim")
        case CheckFinished():
            yield from _outcome(event.outcome, stops=event.stops)
        case Message():
            yield Line(
                text=f"  | {event.text}" if event.tool_output else f"  {event.text}",
                style="dim" if event.tool_output else "",
            )
        case Progress() | SecretObtained():
            return


def _outcome(outcome: Outcome, *, stops: bool) -> Iterator[Line]:
    mark, style = _MARKS[outcome.state]
    if outcome.state.blocks and not stops:
        mark, style = "later", "yellow"
    about = f" [{outcome.subject}]" if outcome.subject else ""
    reason = f" ({outcome.reason})" if outcome.reason else ""
    annotation = None
    if outcome.state.blocks and not outcome.findings:
        annotation = ("error" if stops else "warning", outcome.title, outcome.reason or outcome.state)
    yield Line(text=f"  {mark:<7}{outcome.title}{about}{reason}", style=style, annotation=annotation)
    if outcome.state.blocks and outcome.remedy:
        yield Line(text=f"         → {outcome.remedy}")
    for finding in outcome.findings:
        yield from _finding(finding, outcome, stops=stops)


def _finding(finding: Finding, outcome: Outcome, *, stops: bool) -> Iterator[Line]:
    where = f"{finding.where}: " if finding.where and finding.where not in finding.message else ""
    cause = f" [{finding.cause}]" if finding.cause else ""
    level = "error" if finding.severity == "block" and stops else "warning"
    yield Line(
        text=f"         {where}{finding.message}{cause}",
        annotation=(level, outcome.title, f"{where}{finding.message}. {finding.remedy}"),
    )
    if finding.server_text and finding.server_text not in finding.message:
        yield Line(text=f"         the index would say: {finding.server_text}", style="dim")
    if finding.remedy:
        yield Line(text=f"         → {finding.remedy}")


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """One check for JSON."""
    return asdict(outcome) | {"state": str(outcome.state)}
