"""The plan and the result of a run as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from release.core.errors import Exit
from release.core.models.run_result import RunResult
from release.core.models.upload_result import Receipt, Rejection, UnclearResponse, UploadResult
from release.core.plan import Plan, Upload
from release.reports.lines import Line, outcome_to_json, result_to_lines


def plan_to_lines(plan: Plan) -> Iterator[Line]:
    """The plan, with the steps marked that cannot be undone."""
    commit = f" at {plan.commit[:12]}" if plan.commit else ""
    yield Line(
        text=f"{plan.verb}: {plan.project or 'this project'} {plan.version or '(version unknown)'}{commit}",
        style="bold",
    )
    for number, step in enumerate(plan.steps, 1):
        final = "   (cannot be undone)" if isinstance(step, Upload) and step in plan.irreversible else ""
        yield Line(text=f"  {number}. {step.title}{final}")


def run_to_lines(result: RunResult) -> Iterator[Line]:
    """What happened, where the record is, and the next command."""
    passed = result.exit == Exit.DONE
    yield from result_to_lines(result.plan.verb, result.message, result.remedy, passed=passed)
    if result.record:
        yield Line(text=f"record: {result.record}", style="dim")
    if result.next_command:
        yield Line(text=f"next: {result.next_command}")


def run_to_json(result: RunResult, plan: dict[str, Any]) -> dict[str, Any]:
    """The document of a run, schema 1; `plan` is the document of its plan."""
    return {
        "schema": 1,
        "verb": result.plan.verb,
        "exit": int(result.exit),
        "message": result.message,
        "remedy": result.remedy,
        "next": result.next_command,
        "project": result.plan.project,
        "version": result.plan.version,
        "commit": result.plan.commit,
        "checks": [outcome_to_json(one) for one in result.outcomes],
        "files": [{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in result.files],
        "uploads": {name: [answer_to_json(one) for one in answers] for name, answers in result.uploads.items()},
        "record": result.record,
        "plan": plan,
    }


def answer_to_json(answer: UploadResult) -> dict[str, Any]:
    """The result of one file's upload."""
    match answer:
        case Receipt():
            return {"answer": "receipt"} | asdict(answer)
        case Rejection(filename=filename, status=status, message=message):
            return {"answer": "rejection", "filename": filename, "status": status, "text": message}
        case UnclearResponse():
            fields = {name: getattr(answer, name) for name in ("detail", "retry_after", "sent")}
            return {"answer": "unclear", "filename": answer.filename, "what": answer.summary, **fields}
