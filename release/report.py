"""A run, for its readers: lines on a terminal, annotations in CI, one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from release.errors import Exit
from release.model.distribution import Distribution
from release.model.event import Checked, Event, Progress, Said, StepBegun, StepEnded
from release.model.finding import Finding
from release.model.outcome import Outcome, State
from release.model.upload import Answer
from release.plan import Plan, Upload, title


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a run did, and what is left to do."""

    plan: Plan
    exit: Exit
    #: what happened, in a sentence or two
    message: str
    #: what to do about it; empty where all is well
    remedy: str
    #: the one next command; empty where nothing is left
    next_command: str
    outcomes: tuple[Outcome, ...]
    files: tuple[Distribution, ...]
    #: index name → what became of each file there
    uploads: dict[str, tuple[Answer, ...]]
    #: where the journal and the files are kept; empty where nothing was kept
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line for a reader, with what it is: a display may colour it."""

    text: str
    style: str = ""
    #: a whole sentence for CI's list of annotations: (level, title, message)
    annotation: tuple[str, str, str] | None = None


_MARKS = {
    State.PASSED: ("ok", "green"),
    State.WARNED: ("warn", "yellow"),
    State.FAILED: ("FAIL", "bold red"),
    State.UNKNOWN: ("????", "bold red"),
    State.CRASHED: ("CRASH", "bold red"),
    State.SKIPPED: ("skip", "dim"),
    State.NOT_APPLICABLE: ("n/a", "dim"),
    State.WAIVED: ("waived", "yellow"),
}


def lines(event: Event) -> Iterator[Line]:
    """What an event looks like as lines of text. Progress has none: it is drawn, or left out."""
    match event:
        case StepBegun():
            yield Line(text=event.title, style="bold")
        case StepEnded(how="refused"):
            yield Line(text=f"  stopped after {event.took:.1f} s", style="bold red")
        case StepEnded(how="skipped"):
            yield Line(text=f"  nothing remains to be done: {event.note}", style="dim")
        case StepEnded():
            note = f": {event.note}" if event.note else ""
            yield Line(text=f"  done in {event.took:.1f} s{note}", style="dim")
        case Checked():
            yield from _outcome(event.outcome, stops=event.stops)
        case Said():
            yield Line(
                text=f"  | {event.text}" if event.foreign else f"  {event.text}", style="dim" if event.foreign else ""
            )
        case Progress():
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
    where = f"{finding.where}: " if finding.where else ""
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


def plan_lines(plan: Plan) -> Iterator[Line]:
    """The plan for a reader, the steps that can't be undone marked."""
    commit = f" at {plan.commit[:12]}" if plan.commit else ""
    yield Line(
        text=f"{plan.verb}: {plan.project or 'this project'} {plan.version or '(version unknown)'}{commit}",
        style="bold",
    )
    for number, step in enumerate(plan.steps, 1):
        final = "   (can't be undone)" if isinstance(step, Upload) and step in plan.irreversible else ""
        yield Line(text=f"  {number}. {title(step)}{final}")


def closing(account: Account) -> Iterator[Line]:
    """The end of a run: what happened, where the record is, the one next command."""
    style = "bold green" if account.exit == Exit.DONE else "bold red"
    yield Line(text=account.message, style=style, annotation=_annotation(account))
    if account.remedy:
        yield Line(text=f"→ {account.remedy}")
    if account.record:
        yield Line(text=f"record: {account.record}", style="dim")
    if account.next_command:
        yield Line(text=f"next: {account.next_command}")


def _annotation(account: Account) -> tuple[str, str, str] | None:
    if account.exit == Exit.DONE:
        return None
    return "error", f"release {account.plan.verb}", f"{account.message}. {account.remedy}"


def as_data(account: Account, plan: dict[str, Any]) -> dict[str, Any]:
    """The run for JSON, schema 1; `plan` as `plan.as_data` gives it."""
    return {
        "schema": 1,
        "verb": account.plan.verb,
        "exit": int(account.exit),
        "message": account.message,
        "remedy": account.remedy,
        "next": account.next_command,
        "project": account.plan.project,
        "version": account.plan.version,
        "commit": account.plan.commit,
        "checks": [outcome_data(one) for one in account.outcomes],
        "files": [{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in account.files],
        "uploads": {name: [_answer(one) for one in answers] for name, answers in account.uploads.items()},
        "record": account.record,
        "plan": plan,
    }


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    """One check for JSON."""
    return asdict(outcome) | {"state": str(outcome.state)}


def _answer(answer: Answer) -> dict[str, Any]:
    return {"answer": type(answer).__name__.lower()} | asdict(answer)
