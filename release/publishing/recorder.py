"""Keeps the record of each run: watches it, writes `record.json` beside its journal, tells CI of it."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from release.adapters.builds import builder
from release.adapters.install import installer
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ReleaseError, UsageError
from release.core.events import CheckFinished, Event, Message, Observer, StepFinished, StepStarted
from release.core.models.credential import Credential
from release.core.models.run_result import RunResult
from release.core.plan import Build, Confirm, Plan, Upload
from release.core.redaction import Redactor
from release.publishing import journal as journals
from release.publishing.journal import Journal
from release.reports import record
from release.reports.record import RunRecord, StepRecord

#: what a job summary may hold; GitHub refuses more. Source: GitHub documentation, "Workflow commands", job summaries
_SUMMARY_LIMIT = 1024 * 1024
#: seconds for a program to say its version
_PATIENCE = 10


@dataclass(kw_only=True)
class Recorder:
    """Passes a run's events on, and keeps the course of its steps."""

    forward: Observer
    system: System
    begun: datetime = field(init=False)
    stages: list[StepRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begun = self.system.now()

    def notify(self, event: Event) -> None:
        """Take note of an event, and pass it on."""
        match event:
            case StepStarted(title=title):
                self.stages.append(StepRecord(title=title, begun=self.system.now(), ended=None, checks=()))
            case StepFinished() if self.stages:
                self.stages[-1] = replace(self.stages[-1], ended=event)
            case CheckFinished() if self.stages:
                self.stages[-1] = replace(self.stages[-1], checks=(*self.stages[-1].checks, event))
            case _:
                pass
        self.forward(event)


def record_run(  # noqa: PLR0913 - a run's end, and the world that it happened in
    account: RunResult,
    watch: Recorder,
    *,
    config: Config,
    tag: str | None,
    directory: Path,
    journal: Journal,
    secrets: Iterable[Credential],
) -> RunResult:
    """Write the run into its record, and into the job summary where CI has one. The account, with the record's path.

    A record that can't be written is told, and no reason for the run to fail: what is done is done.
    """
    system = watch.system
    story = RunRecord(
        account=account, tag=tag, begun=watch.begun, ended=system.now(), stages=tuple(watch.stages),
        indexes=config.indexes, waive=config.waive, tools=tool_versions(system, directory, account.plan),
    )  # fmt: skip
    try:
        document = record.redact_texts(record.add_run(_earlier(journal.record), story), Redactor(secrets))
        write_record(journal.record, document)
        _summarize(system.env, document)
    except OSError as error:
        watch.forward(Message(text=f"the record can't be written: {error.strerror or error}: {error.filename}"))
        return account
    return replace(account, record=str(journal.record))


def _earlier(path: Path) -> dict[str, Any] | None:
    """The record so far. One that can't be read is put aside, and kept."""
    try:
        return load_record(path)
    except FileNotFoundError:
        return None
    except ReleaseError:
        path.replace(path.with_name(path.name + ".unreadable"))
        return None


def load_record(path: Path) -> dict[str, Any]:
    """A record. Raises `OSError`, and `ReleaseError` where the file is none that can be read."""
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        value = None
    return record.validate_record(value, str(path))


def find_record(project: Path, wanted: str | None) -> Path:
    """The record of a version, or of the last `rehearsal`; None: the one last written. Raises `UsageError`."""
    known = journals.record_paths(project)
    if not known:
        raise UsageError(f"no run has left a record in {str(project)!r}", remedy="run: python -m release rehearse")
    if wanted is None:
        return known[-1]
    path = journals.record_path(project, wanted)
    if path not in known:
        names = ", ".join(repr(one.parent.name) for one in reversed(known))
        raise UsageError(f"there is no record of {wanted!r}", remedy=f"name one of those there are: {names}")
    return path


def write_record(path: Path, document: Mapping[str, Any]) -> None:
    """Write a record. Raises `OSError`."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step: a reader finds the old one, or the new one whole. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            # A lone surrogate (an undecodable file name, say) is no reason to lose the record.
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _summarize(env: Mapping[str, str], document: Mapping[str, Any]) -> None:
    """Append the run to the summary of the CI job.

    Source: GitHub documentation, "Workflow commands for GitHub Actions", "Adding a job summary".
    """
    target = env.get("GITHUB_STEP_SUMMARY")
    if not target:
        return
    from release.reports import markdown

    path, text = Path(target), markdown.summary(document).encode("utf-8", "backslashreplace")
    there = path.stat().st_size if path.exists() else 0
    if there + len(text) < _SUMMARY_LIMIT:
        with path.open("ab") as file:
            file.write(text)


def tool_versions(system: System, directory: Path, plan: Plan) -> dict[str, str]:
    """What made the run, name → version; of the build backend, what the project requires."""
    known = {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}"}
    known |= _versions("pypi-preflight")
    if any(isinstance(step, Build) and step.origin in {"commit", "tree"} for step in plan.steps):
        known |= _versions("build") | {"build-system.requires": ", ".join(builder.build_requirements(directory))}
    if any(isinstance(step, Upload) for step in plan.steps):
        known |= _versions("twine")
    if any(isinstance(step, Confirm) for step in plan.steps):
        known |= _installer(system)
    return {name: found for name, found in known.items() if found}


def _installer(system: System) -> dict[str, str]:
    try:
        name = installer.choose_installer(system)
        program = installer.find_uv(system) if name == "uv" else None
        if program is None:
            return _versions("pip")
        clean = installer.installer_environment(system)
        told = system.run([str(program), "--version"], env=clean, timeout=_PATIENCE).output.split()
    except ReleaseError:
        return {}
    return {"uv": told[1]} if len(told) > 1 else {}


def _versions(name: str) -> dict[str, str]:
    try:
        return {name: version(name)}
    except PackageNotFoundError:
        return {}
