"""A run, for its readers: the plan before it, the account after it, one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from release.core.errors import Exit
from release.core.models.run_result import RunResult
from release.core.models.upload_result import Receipt, Rejection, UnclearResponse, UploadResult
from release.core.plan import Plan, Upload
from release.reports.lines import Line, outcome_to_json


def plan_to_lines(plan: Plan) -> Iterator[Line]:
    """The plan for a reader, the steps that can't be undone marked."""
    commit = f" at {plan.commit[:12]}" if plan.commit else ""
    yield Line(
        text=f"{plan.verb}: {plan.project or 'this project'} {plan.version or '(version unknown)'}{commit}",
        style="bold",
    )
    for number, step in enumerate(plan.steps, 1):
        final = "   (can't be undone)" if isinstance(step, Upload) and step in plan.irreversible else ""
        yield Line(text=f"  {number}. {step.title}{final}")


def run_to_lines(account: RunResult) -> Iterator[Line]:
    """The end of a run: what happened, where the record is, the one next command."""
    style = "bold green" if account.exit == Exit.DONE else "bold red"
    yield Line(text=account.message, style=style, annotation=_annotation(account))
    if account.remedy:
        yield Line(text=f"→ {account.remedy}")
    if account.record:
        yield Line(text=f"record: {account.record}", style="dim")
    if account.next_command:
        yield Line(text=f"next: {account.next_command}")


def _annotation(account: RunResult) -> tuple[str, str, str] | None:
    if account.exit == Exit.DONE:
        return None
    return "error", f"release {account.plan.verb}", f"{account.message}. {account.remedy}"


def run_to_json(account: RunResult, plan: dict[str, Any]) -> dict[str, Any]:
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
        "checks": [outcome_to_json(one) for one in account.outcomes],
        "files": [{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in account.files],
        "uploads": {name: [answer_to_json(one) for one in answers] for name, answers in account.uploads.items()},
        "record": account.record,
        "plan": plan,
    }


def answer_to_json(answer: UploadResult) -> dict[str, Any]:
    """What became of one file, for JSON."""
    match answer:
        case Receipt():
            return {"answer": "receipt"} | asdict(answer)
        case Rejection(filename=filename, status=status, message=message):
            return {"answer": "rejection", "filename": filename, "status": status, "text": message}
        case UnclearResponse():
            fields = {name: getattr(answer, name) for name in ("detail", "retry_after", "sent")}
            return {"answer": "unclear", "filename": answer.filename, "what": answer.summary, **fields}
