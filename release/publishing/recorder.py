"""Records each run: collects its events, writes `record.json` next to its journal, and the job summary in CI."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.install import installer
from release.adapters.system.safe_write import write_atomically
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ReleaseError, UsageError, from_os_error
from release.core.events import CheckFinished, Event, Message, Observer, StepFinished, StepStarted
from release.core.foreign_json import OWN_VALUES, ForeignJsonError, parse_foreign_json
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.credential import Credential
from release.core.models.results import RunResult
from release.core.plan import Build, Confirm, Plan, Upload
from release.core.quoting import quote_path
from release.core.redaction import Redactor
from release.publishing import journal as journals
from release.publishing.journal import Journal
from release.reports import record
from release.reports.record import RunRecord, StepRecord

#: the variable with the path of GitHub's job summary. Source: GitHub documentation, "Adding a job summary"
JOB_SUMMARY = "GITHUB_STEP_SUMMARY"
#: bytes; GitHub refuses a larger job summary. Source: GitHub documentation, "Workflow commands", "Adding a job summary"
_SUMMARY_LIMIT = 1024 * 1024


@dataclass(kw_only=True)
class RunRecorder:
    """Forwards the events of a run, and records its steps."""

    forward: Observer
    system: System
    begun: datetime = field(init=False)
    steps: list[StepRecord] = field(default_factory=list)
    #: see `tool_versions`
    tools: Future[dict[str, str]] | None = None

    def __post_init__(self) -> None:
        self.begun = self.system.now()

    def find_tools(self, pool: Executor, directory: Path, plan: Plan) -> None:
        """Start to ask for the versions of the tools, while the run executes its steps."""
        self.tools = pool.submit(tool_versions, self.system, directory, plan)

    def notify(self, event: Event) -> None:
        """Record an event and forward it."""
        match event:
            case StepStarted(title=title):
                self.steps.append(StepRecord(title=title, begun=self.system.now(), ended=None, checks=()))
            case StepFinished() if self.steps:
                self.steps[-1] = replace(self.steps[-1], ended=event)
            case CheckFinished() if self.steps:
                self.steps[-1] = replace(self.steps[-1], checks=(*self.steps[-1].checks, event))
            case _:
                pass
        self.forward(event)


def record_run(  # noqa: PLR0913 - a run's result and its environment
    result: RunResult,
    observer: RunRecorder,
    *,
    config: Config,
    tag: str | None,
    directory: Path,
    journal: Journal,
    secrets: Iterable[Credential],
) -> RunResult:
    """Add the run to its record, and to CI's job summary if there is one. Returns the result with the record's path.

    A record that cannot be written is reported, but the run does not fail: its effects cannot be undone.
    """
    system = observer.system
    tools = observer.tools.result() if observer.tools else tool_versions(system, directory, result.plan)
    run = RunRecord(
        result=result, tag=tag, begun=observer.begun, ended=system.now(), steps=tuple(observer.steps),
        indexes=config.indexes, waive=config.waive, tools=tools,
        environments=_environments(result, journal),
    )  # fmt: skip
    try:
        document = record.redact_texts(record.add_run(_load_earlier(journal.record), run), Redactor(secrets))
        write_record(journal.record, document)
        append_job_summary(system.env, lambda: _markdown_summary(document))
    except OSError as error:
        observer.forward(Message(text=f"cannot write the record: {from_os_error(error).message}"))
        return result
    return replace(result, record=str(journal.record))


def _environments(result: RunResult, journal: Journal) -> BuildEnvironments | None:
    """What the build of the run's files has installed; None where they were not built here."""
    built = any(isinstance(step, Build) and step.origin != "given" for step in result.plan.steps)
    return journal.build_environments() if built and result.files else None


def _load_earlier(path: Path) -> dict[str, Any] | None:
    """The record so far. An unreadable one is renamed."""
    try:
        return load_record(path)
    except FileNotFoundError:
        return None
    except ReleaseError:
        path.replace(path.with_name(path.name + ".unreadable"))
        return None


def load_record(path: Path) -> dict[str, Any]:
    """Read a record. Raises `OSError`, and `ReleaseError` where the file is not a valid record."""
    try:
        value = parse_foreign_json(path.read_bytes(), max_values=OWN_VALUES)
    except ForeignJsonError:
        value = None
    return record.validate_record(value, str(path))


def find_record(project: Path, version: str | None) -> Path:
    """The path of a version's record, or of the last "rehearsal"; None: the newest one. Raises `UsageError`."""
    known = journals.record_paths(project)
    if not known:
        raise UsageError(f"there are no records in {quote_path(project)}", remedy="run: pypi-preflight rehearse")
    if version is None:
        return known[-1]
    path = journals.record_path(project, version)
    if path not in known:
        names = ", ".join(repr(one.parent.name) for one in reversed(known))
        raise UsageError(f"there is no record for {version!r}", remedy=f"pass one of: {names}")
    return path


def write_record(path: Path, document: Mapping[str, Any], *, indent: int | None = 2) -> None:
    """Write a record atomically. Raises `OSError`."""
    write_text(path, json.dumps(document, indent=indent, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text atomically; a lone surrogate, as in an undecodable file name, is escaped. Raises `OSError`."""
    write_atomically(path, text.encode("utf-8", "backslashreplace"))


def append_job_summary(env: Mapping[str, str], make_text: Callable[[], str]) -> None:
    """Append a Markdown text to the job summary of GitHub Actions, if there is one. Raises `OSError`."""
    target = env.get(JOB_SUMMARY)
    if not target:
        return
    path, text = Path(target), make_text().encode("utf-8", "backslashreplace")
    there = path.stat().st_size if path.exists() else 0
    if there + len(text) < _SUMMARY_LIMIT:
        with path.open("ab") as file:
            file.write(text)


def _markdown_summary(document: Mapping[str, Any]) -> str:
    from release.reports import markdown

    return markdown.summary(document)


def tool_versions(system: System, directory: Path, plan: Plan) -> dict[str, str]:
    """The tools of the run, name → version; for the build backend, the requirements of the project."""
    known = {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}"}
    known |= _versions("pypi-preflight")
    if any(isinstance(step, Build) and step.origin in {"commit", "tree"} for step in plan.steps):
        known |= _versions("build") | {"build-system.requires": ", ".join(builder.build_requirements(directory))}
    if any(isinstance(step, Upload) for step in plan.steps):
        known |= _versions("twine")
    if any(isinstance(step, Confirm) for step in plan.steps):
        known |= _installer_version(system)
    return {name: found for name, found in known.items() if found}


def _installer_version(system: System) -> dict[str, str]:
    try:
        name = installer.choose_installer(system)
        program = installer.find_uv(system) if name == "uv" else None
        if program is None:
            return _versions("pip")
        clean = installer.installer_environment(system)
        words = system.run([str(program), "--version"], env=clean, timeout=10).output.split()
    except ReleaseError:
        return {}
    return {"uv": words[1]} if len(words) > 1 else {}


def _versions(name: str) -> dict[str, str]:
    try:
        return {name: metadata.version(name)}
    except metadata.PackageNotFoundError:
        return {}
