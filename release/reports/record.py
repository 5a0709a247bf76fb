"""The record of a release: what every run of a plan leaves, as one JSON document, schema 1.

Pure: `release.publishing.recorder` writes it. Described in docs/record.md; the form is `record.schema.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from release.core.errors import ReleaseError
from release.core.events import CheckFinished, StepFinished
from release.core.models.check_result import CheckState
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.run_result import RunResult
from release.core.plan import SANDBOX, plan_to_json
from release.reports.lines import outcome_to_json
from release.reports.run_text import answer_to_json

SCHEMA = 1

#: the lists of a run, and what each item of them must have
_LISTS = {
    "files": ("filename", "kind", "size", "sha256"),
    "indexes": ("name", "simple_url", "ephemeral"),
    "steps": ("title", "step", "how", "begun", "seconds", "note"),
    "checks": ("check", "title", "state", "step", "findings"),
    "waivers": ("check", "reason", "used"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """A step of the plan, as it went."""

    title: str
    #: aware, UTC
    begun: datetime
    #: None where the run broke off inside it
    ended: StepFinished | None
    #: the checks of this step, in their order
    checks: tuple[CheckFinished, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run, from its first step to its last word."""

    account: RunResult
    #: the release tag by the project's configuration; None while name and version are unknown
    tag: str | None
    #: aware, UTC
    begun: datetime
    #: aware, UTC
    ended: datetime
    stages: Sequence[StepRecord]
    #: what the configuration knows, by name
    indexes: Mapping[str, Index]
    #: name of a check → why its failure is accepted
    waive: Mapping[str, str]
    #: what made it: name → version
    tools: Mapping[str, str]


def add_run(earlier: Mapping[str, Any] | None, story: RunRecord) -> dict[str, Any]:
    """The record with one more run; `earlier` is the record so far, None where there is none.

    Of the earlier runs those stay in which a lasting index has answered, and of the others the last
    one of each verb. Commit, tag and files at the top are those that are on an index, if any are.
    """
    plan = story.account.plan
    same = earlier is not None and (earlier["project"], earlier["version"]) == (plan.project, plan.version)
    before = list(earlier["runs"]) if earlier is not None and same else []
    runs = [*_worth_keeping(before, plan.verb), run_record_to_json(story)]
    top = _top(runs)
    return {
        "schema": SCHEMA,
        "project": plan.project,
        "version": plan.version,
        "commit": top["commit"],
        "tag": top["tag"],
        "files": top["files"],
        "runs": runs,
    }


def run_record_to_json(story: RunRecord) -> dict[str, Any]:
    """One run as data."""
    account = story.account
    used = {one.check for one in account.outcomes if one.state is CheckState.WAIVED}
    return {
        "verb": account.plan.verb,
        "begun": format_timestamp(story.begun),
        "ended": format_timestamp(story.ended),
        "exit": {
            "status": int(account.exit),
            "message": account.message,
            "remedy": account.remedy,
            "next": account.next_command,
        },
        "commit": account.plan.commit,
        "tag": story.tag,
        "tools": dict(story.tools),
        "plan": plan_to_json(account.plan, dict(story.indexes)),
        "indexes": [_index(name, story.indexes) for name in account.plan.targets],
        "steps": _steps(story),
        "checks": [_check(one, stage.title) for stage in story.stages for one in stage.checks],
        "waivers": [
            {"check": check, "reason": reason, "used": check in used} for check, reason in sorted(story.waive.items())
        ],
        "files": [_file(file) for file in account.files],
        "uploads": {name: [answer_to_json(one) for one in answers] for name, answers in account.uploads.items()},
    }


def format_timestamp(moment: datetime) -> str:
    """ISO 8601, UTC, to the millisecond: `2026-11-05T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _steps(story: RunRecord) -> list[dict[str, Any]]:
    """Every step of the plan; those that the run did not come to have no time."""
    plan = story.account.plan
    planned = plan_to_json(plan, dict(story.indexes))["steps"]
    went = {stage.title: stage for stage in story.stages}
    return [_step(step.title, data, went.get(step.title)) for step, data in zip(plan.steps, planned, strict=True)]


def _step(name: str, planned: Mapping[str, Any], stage: StepRecord | None) -> dict[str, Any]:
    ended = stage.ended if stage else None
    return {
        "title": name,
        "step": planned["step"],
        "index": planned.get("index"),
        "begun": format_timestamp(stage.begun) if stage else None,
        "seconds": round(ended.seconds, 3) if ended else None,
        "how": ended.status if ended else "broken off" if stage else "not reached",
        "note": ended.note if ended else "",
    }


def _check(checked: CheckFinished, step: str) -> dict[str, Any]:
    return outcome_to_json(checked.outcome) | {"step": step, "stops": checked.stops}


def _file(file: Distribution) -> dict[str, Any]:
    return {"filename": file.filename, "kind": file.kind, "size": file.size, "sha256": file.sha256}


def _index(name: str, known: Mapping[str, Index]) -> dict[str, Any]:
    if name == SANDBOX or name not in known:
        return {"name": name, "upload_url": None, "simple_url": None, "kind": "warehouse", "ephemeral": True}
    return asdict(known[name])


def _worth_keeping(runs: Sequence[dict[str, Any]], verb: str) -> list[dict[str, Any]]:
    last = {one["verb"]: one for one in runs}
    return [one for one in runs if upload_targets(one) or (one is last[one["verb"]] and one["verb"] != verb)]


def _top(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The run that tells which files the release has: what is on an index is no longer ours to change."""
    published = [one for one in runs if any(_receipts(one, name) for name in upload_targets(one))]
    built = [one for one in runs if one["files"]]
    return (published or built or runs)[-1]


def upload_targets(run: Mapping[str, Any]) -> list[str]:
    """Names of the lasting indexes that have answered in a run."""
    passing = {index["name"] for index in run["indexes"] if index["ephemeral"]}
    return [name for name, answers in run["uploads"].items() if answers and name not in passing]


def _receipts(run: Mapping[str, Any], index: str) -> list[dict[str, Any]]:
    return [one for one in run["uploads"].get(index, ()) if one["answer"] == "receipt"]


def redact_texts(value: Any, redact: Callable[[str], str]) -> Any:
    """The same data with every text in it redacted."""
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
    """The value, if it is a record that can be read. Raises `ReleaseError`; `where` is its path, for the message."""
    schema = value.get("schema") if isinstance(value, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ReleaseError(
            f"{where!r} is of schema {schema}, and this version reads {SCHEMA}",
            remedy="update: python -m pip install --upgrade pypi-preflight",
        )
    if schema != SCHEMA or not _whole(value):
        raise ReleaseError(
            f"{where!r} is no record of a release",
            remedy="name one that a run has written: .release/VERSION/record.json",
        )
    return dict(value)


def _whole(record: dict[str, Any]) -> bool:
    """Whether what readers rely on is there, and of the right kind."""
    runs = record.get("runs")
    top = {"project", "version", "commit", "tag"} <= record.keys() and _items(record, "files")
    return top and isinstance(runs, list) and bool(runs) and all(isinstance(one, dict) and _run(one) for one in runs)


def _run(run: dict[str, Any]) -> bool:
    texts = all(isinstance(run.get(key), str) for key in ("verb", "begun", "ended"))
    exit_, uploads, tools = (
        run.get("exit"),
        run.get("uploads"),
        run.get("tools"),
    )
    told = isinstance(exit_, dict) and {"status", "message", "remedy", "next"} <= exit_.keys()
    sent = isinstance(uploads, dict) and all(isinstance(answers, list) for answers in uploads.values())
    return texts and told and sent and isinstance(tools, dict) and all(_items(run, key) for key in _LISTS)


def _items(holder: Mapping[str, Any], key: str) -> bool:
    found = holder.get(key)
    return isinstance(found, list) and all(isinstance(one, dict) and set(_LISTS[key]) <= one.keys() for one in found)
