"""Runs of plans, told without running any: what the record and its reports are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from release.core import plan
from release.core.errors import Exit
from release.core.events import CheckFinished, StepFinished
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import PYPI, TESTPYPI, USER_DOCS, WELL_KNOWN, Index
from release.core.models.results import RunResult
from release.core.plan import Plan, Step, Verb
from release.reports import record as records
from release.reports.record import RunRecord, StepRecord

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
COMMIT = "4adbdef2541a" + "0" * 28
WHEEL = Distribution(path=Path("dist/acme_widget-1.0-py3-none-any.whl"), sha256="a1" * 32, size=4_321)
SDIST = Distribution(path=Path("dist/acme_widget-1.0.tar.gz"), sha256="b2" * 32, size=12_345_678)
FILES = (WHEEL, SDIST)
TOOLS = {"python": "3.13.1", "platform": "linux x86_64", "pypi-preflight": "0.1.0", "twine": "7.0.0", "uv": "0.13.2"}
STEPS: Mapping[str, tuple[Step, ...]] = {
    "check": (plan.CheckSource(), plan.CheckCredentials(index="pypi")),
    "build": (plan.CheckSource(), plan.Build(origin="commit"), plan.CheckFiles()),
    "testpypi": (plan.Build(origin="commit"), plan.Upload(index="testpypi"), plan.Confirm(index="testpypi")),
    "publish": (plan.Build(origin="commit"), plan.Upload(index="pypi"), plan.Confirm(index="pypi")),
    "confirm": (plan.Build(origin="journal"), plan.Confirm(index="pypi")),
    "release": (
        plan.CheckSource(), plan.CheckCredentials(index="testpypi"), plan.CheckCredentials(index="pypi"),
        plan.Build(origin="commit"), plan.CheckFiles(), plan.Upload(index="testpypi"),
        plan.Confirm(index="testpypi"), plan.Upload(index="pypi"), plan.Confirm(index="pypi"),
        plan.Tag(name="v1.0", remote=None),
    ),
}  # fmt: skip


def outcome(title: str, state: CheckState = CheckState.PASSED, *findings: Finding, **more: str) -> Outcome:
    """An outcome whose check is named after its title."""
    return Outcome(check=title.lower().replace(" ", "-"), title=title, state=state, findings=findings, **more)


def accepted(*files: Distribution) -> tuple[Receipt, ...]:
    return tuple(Receipt(filename=file.filename, sha256=file.sha256) for file in files)


def story(
    verb: Verb = "publish",
    *,
    outcomes: Mapping[int, Sequence[Outcome]] | None = None,
    files: Iterable[Distribution] = FILES,
    uploads: Mapping[str, tuple[UploadResult, ...]] | None = None,
    stopped_at: int | None = None,
    exit: Exit = Exit.DONE,  # noqa: A002 - as Account calls it
    message: str = "acme-widget 1.0 is on pypi, verified",
    remedy: str = "",
    commit: str | None = COMMIT,
    version: str = "1.0",
    day: int = 0,
    waive: Mapping[str, str] | None = None,
    indexes: Mapping[str, Index] = WELL_KNOWN,
    strict: bool = True,
) -> RunRecord:
    """A run; `outcomes` by the number of their step, `stopped_at` the step that refused."""
    outcomes = outcomes or {}
    steps = STEPS[verb]
    made = Plan(verb=verb, project="acme-widget", version=version, commit=commit, strict=strict, steps=steps)
    begun = NOON + timedelta(days=day)
    account = RunResult(
        plan=made, exit=exit, message=message, remedy=remedy, next_command="", files=tuple(files),
        outcomes=tuple(one for many in outcomes.values() for one in many), uploads=dict(uploads or {}), record="",
    )  # fmt: skip
    stages, at = [], begun
    for number, step in enumerate(steps if stopped_at is None else steps[: stopped_at + 1]):
        took = 0.25 + number * 1.5
        how: Literal["done", "refused"] = "refused" if number == stopped_at else "done"
        checks = tuple(CheckFinished(outcome=one, stops=strict) for one in outcomes.get(number, ()))
        stages.append(
            StepRecord(
                title=step.title, begun=at, checks=checks,
                ended=StepFinished(title=step.title, status=how, note="", seconds=took),
            )
        )  # fmt: skip
        at += timedelta(seconds=took)
    return RunRecord(
        result=account, tag=f"v{version}", begun=begun, ended=at, steps=stages, indexes=indexes,
        waive=waive or {}, tools=TOOLS,
    )  # fmt: skip


def record(*stories: RunRecord) -> dict[str, Any]:
    """The record that these runs leave, one after the other."""
    document: dict[str, Any] | None = None
    for one in stories:
        document = records.add_run(document, one)
    assert document is not None
    return document


def full() -> dict[str, Any]:
    """Everything that a report can show: a refusal first, then the release, with a warning and a waiver."""
    dirty = outcome(
        "The tree is clean", CheckState.FAILED,
        Finding(message="2 paths differ from the commit: 'a.py', 'b.py'", remedy="commit or remove them: git status"),
    )  # fmt: skip
    unknown = outcome(
        "The branch has what its upstream has", CheckState.UNKNOWN,
        reason="the upstream can't be asked: timeout", remedy="check the network: git fetch",
    )  # fmt: skip
    warned = outcome(
        "No file is not ours", CheckState.WARNED,
        Finding(
            message="the wheel holds 'acme_widget/.DS_Store'", remedy="leave it out: exclude = ['.DS_Store']",
            severity="warn", where=WHEEL.filename, source="https://packaging.python.org/en/latest/", cause="files.junk",
        ),
    )  # fmt: skip
    waived = outcome(
        "The tree is clean", CheckState.WAIVED, Finding(message="1 path differs", remedy="commit it"),
        reason="the lock file is written by CI",
    )  # fmt: skip
    skipped = outcome("The tag is the commit's", CheckState.NOT_APPLICABLE, reason="there is no such tag yet")
    return record(
        story(
            "check", outcomes={0: [dirty, unknown]}, stopped_at=0, exit=Exit.REFUSED, files=(),
            message="2 checks did not pass", remedy="do what the arrows above say",
        ),
        story(
            "release", day=1, waive={"the-tree-is-clean": "the lock file is written by CI", "unused": "of old"},
            uploads={TESTPYPI.name: accepted(*FILES), PYPI.name: accepted(*FILES)},
            message="acme-widget 1.0 is on testpypi and pypi, verified",
            outcomes={
                0: [waived, outcome("The version is a version"), skipped],
                1: [outcome("A credential is there", subject="testpypi")],
                2: [outcome("A credential is there", subject="pypi")],
                4: [outcome("The index would take every file"), warned],
                6: [outcome("Every file is on the index", subject="testpypi")],
                8: [outcome("Every file is on the index", subject="pypi")],
            },
        ),
    )  # fmt: skip


def refused() -> dict[str, Any]:
    """An upload that stopped half-way, in a project whose words would do harm where they are taken as they are."""
    bad = '<img src="http://127.0.0.1:9/x" onerror="document.title=1">'
    evil = replace(WHEEL, path=Path(f"dist/acme-1.0-{bad.replace('/', '_')}.whl"))
    blocked = outcome(
        f"Every file is ours {bad}", CheckState.FAILED,
        Finding(
            message=f"{bad} & \u202egpj.exe \x1b[31m \x00 ]]> | `code` [link](http://127.0.0.1:9/)",
            remedy=f"see {USER_DOCS}/{bad} or run `{bad}`", where=f"{bad}:3",
            server_text=f"400 {bad}", source=f"{USER_DOCS}/", cause="file.exists-different",
        ),
    )  # fmt: skip
    answers: tuple[UploadResult, ...] = (
        *accepted(SDIST),
        Rejection(filename=evil.filename, status=400, message=f"File already exists {bad}"),
        UnclearResponse(filename="acme_widget-1.0-cp313-cp313-manylinux_2_28_x86_64.whl", kind="timeout", detail=bad),
    )
    return record(
        story(
            outcomes={0: [blocked, outcome("Not looked at", CheckState.SKIPPED, reason=bad)]}, files=(SDIST, evil),
            uploads={"pypi": answers}, stopped_at=1, exit=Exit.INCOMPLETE, remedy=f"go on: {bad}",
            message=f"pypi refused a file; on pypi: {SDIST.filename}; not known to be on pypi: {bad}",
            waive={bad: bad},
        )
    )  # fmt: skip
