"""The release record: one JSON document, schema 1, to which each run of a plan is added.

Pure: `release.publishing.recorder` writes it. docs/record.md describes it, and `record.schema.json` defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from release.core.errors import ReleaseError
from release.core.events import CheckFinished, StepFinished
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.check_result import CheckState
from release.core.models.index import Index
from release.core.models.results import RunResult
from release.core.plan import SANDBOX, plan_to_json
from release.core.quoting import quote_path
from release.reports.lines import outcome_to_json
from release.reports.run_text import answer_to_json

SCHEMA = 1

#: the lists of a run, and the keys that each of their items has at least
_LISTS = {
    "files": {"filename", "kind", "size", "sha256"},
    "indexes": {"name", "simple_url", "ephemeral"},
    "steps": {"title", "step", "how", "begun", "seconds", "note"},
    "checks": {"check", "title", "state", "step", "findings"},
    "waivers": {"check", "reason", "used"},
}


class StepRecord(Struct, frozen=True, kw_only=True):
    """A step that started."""

    title: str
    #: aware, UTC
    begun: datetime
    #: None if the run was interrupted during this step
    ended: StepFinished | None
    #: in order
    checks: tuple[CheckFinished, ...]


class RunRecord(Struct, frozen=True, kw_only=True):
    """One run. Times are aware, UTC."""

    result: RunResult
    #: the release tag by the project's configuration; None while name and version are unknown
    tag: str | None
    begun: datetime
    ended: datetime
    steps: Sequence[StepRecord]
    #: the configured indexes, by name
    indexes: Mapping[str, Index]
    #: check name → why its failure is accepted
    waive: Mapping[str, str]
    #: name of a tool that was used → version
    tools: Mapping[str, str]
    #: what the build of the files has installed; None if they were not built here, or it was not recorded
    environments: BuildEnvironments | None = None


def add_run(earlier: Mapping[str, Any] | None, run: RunRecord) -> dict[str, Any]:
    """The record with one more run; `earlier` is the record so far, None if there is none.

    Earlier runs stay in the record if a permanent index responded in them, or if they are the last of their command.
    Commit, tag and files at the top are those on an index, if there are any.
    """
    plan = run.result.plan
    same = earlier is not None and (earlier["project"], earlier["version"]) == (plan.project, plan.version)
    before = earlier["runs"] if earlier and same else ()
    last = {one["verb"]: one for one in before}
    kept = [one for one in before if upload_targets(one) or (one is last[one["verb"]] and one["verb"] != plan.verb)]
    runs = [*kept, run_record_to_json(run)]
    answers = ((one, answer) for one in runs for name in upload_targets(one) for answer in one["uploads"][name])
    uploaded = [one for one, answer in answers if answer["answer"] == "receipt"]
    # files on an index can no longer be changed, so they are those of the release
    current = (uploaded or [one for one in runs if one["files"]] or runs)[-1]
    release = {"project": plan.project, "version": plan.version}
    return {"schema": SCHEMA, **release, **{key: current[key] for key in ("commit", "tag", "files")}, "runs": runs}


def run_record_to_json(run: RunRecord) -> dict[str, Any]:
    """One run in the record."""
    result, plan = run.result, plan_to_json(run.result.plan, dict(run.indexes))
    used = {one.check for one in result.outcomes if one.state is CheckState.WAIVED}
    started = {step.title: step for step in run.steps}
    requirements = run.environments.requirements if run.environments else None
    return {
        "verb": result.plan.verb, "begun": format_timestamp(run.begun), "ended": format_timestamp(run.ended),
        "exit": {
            "status": int(result.exit), "message": result.message, "remedy": result.remedy, "cause": result.cause,
            "next": result.next_command,
        },
        "commit": result.plan.commit, "tag": run.tag, "tools": dict(run.tools), "plan": plan,
        "build_requirements": None if requirements is None else [
            asdict(one) | {"allowed": list(one.allowed)} for one in requirements
        ],
        "indexes": [
            asdict(run.indexes[name]) if name in run.indexes and name != SANDBOX
            else {"name": name, "upload_url": None, "simple_url": None, "kind": "warehouse", "ephemeral": True}
            for name in result.plan.targets
        ],
        "steps": [
            _step(step.title, data, started.get(step.title))
            for step, data in zip(result.plan.steps, plan["steps"], strict=True)
        ],
        "checks": [
            outcome_to_json(one.outcome) | {"step": step.title, "stops": one.stops}
            for step in run.steps for one in step.checks
        ],
        "waivers": [
            {"check": check, "reason": reason, "used": check in used} for check, reason in sorted(run.waive.items())
        ],
        "files": [
            {"filename": one.filename, "kind": one.kind, "size": one.size, "sha256": one.sha256} for one in result.files
        ],
        "uploads": {name: [answer_to_json(one) for one in answers] for name, answers in result.uploads.items()},
    }  # fmt: skip


def format_timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, with milliseconds: `2026-11-05T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _step(title: str, planned: Mapping[str, Any], step: StepRecord | None) -> dict[str, Any]:
    """A step of the plan. One that the run did not reach has no times."""
    ended = step.ended if step else None
    return {
        "title": title, "step": planned["step"], "index": planned.get("index"),
        "begun": format_timestamp(step.begun) if step else None, "seconds": round(ended.seconds, 3) if ended else None,
        "prompted": round(ended.prompted, 3) if ended else 0,
        "how": ended.status if ended else "broken off" if step else "not reached", "note": ended.note if ended else "",
    }  # fmt: skip


def upload_targets(run: Mapping[str, Any]) -> list[str]:
    """Names of the permanent indexes that responded to an upload of a run."""
    ephemeral = {index["name"] for index in run["indexes"] if index["ephemeral"]}
    return [name for name, answers in run["uploads"].items() if answers and name not in ephemeral]


def redact_texts(value: Any, redact: Callable[[str], str]) -> Any:
    """The same data with each text in it redacted."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: redact_texts(item, redact) for key, item in value.items()}
        case list() | tuple():
            return [redact_texts(item, redact) for item in value]
        case _:
            return value


def validate_record(value: Any, where: str) -> dict[str, Any]:
    """The value as a record; `where` is its path. Raises `ReleaseError` if it is not a valid record."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ReleaseError(
            f"{quote_path(where)} has schema {schema}, but this version supports only {SCHEMA}",
            remedy="upgrade: python -m pip install --upgrade pypi-preflight",
        )
    if schema != SCHEMA or not _is_record(value):
        raise ReleaseError(
            f"{quote_path(where)} is not a release record",
            remedy="pass one that a run has written: .release/VERSION/record.json",
        )
    return dict(value)


def _is_record(record: dict[str, Any]) -> bool:
    """Whether the record has everything that the reports read, of the right type."""
    runs = record.get("runs")
    if not {"project", "version", "commit", "tag"} <= record.keys() or not _has_list(record, "files"):
        return False
    return isinstance(runs, list) and bool(runs) and all(isinstance(one, dict) and _is_run(one) for one in runs)


def _is_run(run: dict[str, Any]) -> bool:
    exit_, uploads = run.get("exit"), run.get("uploads")
    return (
        all(isinstance(run.get(key), str) for key in ("verb", "begun", "ended"))
        and (isinstance(exit_, dict) and {"status", "message", "remedy", "next"} <= exit_.keys())
        and (isinstance(uploads, dict) and all(isinstance(answers, list) for answers in uploads.values()))
        and isinstance(run.get("tools"), dict)
        and all(_has_list(run, key) for key in _LISTS)
    )


def _has_list(value: Mapping[str, Any], key: str) -> bool:
    items = value.get(key)
    return isinstance(items, list) and all(isinstance(one, dict) and _LISTS[key] <= one.keys() for one in items)
