"""Confirms a release that is named: looks at it from outside, runs the checks, and says how it stands."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.adapters import collect
from release.adapters.install import smoke_test_plan
from release.adapters.system.system import System
from release.checks import engine, published_files
from release.core.config import Config
from release.core.errors import ConfigError, UsageError
from release.core.events import CheckFinished, Message, Observer, StepFinished, StepStarted
from release.core.facts import ProjectMetadata
from release.core.models import release_manifest
from release.core.models.check_result import Outcome
from release.core.models.confirmation_result import Confirmation
from release.core.models.index import Index
from release.core.models.project_name import is_project_name
from release.core.models.release_manifest import ReleaseManifest
from release.core.models.smoke_test import SmokeTest
from release.publishing import remote_release
from release.reports.published_text import publisher_summary


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """The release that is meant."""

    project: ProjectMetadata
    #: what it should be; None where nobody says
    recorded: ReleaseManifest | None = None
    #: where that was read from
    record: str | None = None


def parse_request(release: str | None, record: Path | None) -> ReleaseRequest:
    """The release that NAME==VERSION, a record, or both name. Raises `UsageError`: no such form, or they disagree."""
    recorded = None
    if record is not None:
        try:
            recorded = release_manifest.parse_manifest(record.read_text(encoding="utf-8"), str(record))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise UsageError(
                f"{str(record)!r} can't be read: {(why or str(error)).lower()}", remedy="give the path of a record.json"
            ) from None
    told = f"{recorded.project}=={recorded.version}" if recorded else ""
    project = _project(release or told)
    if recorded and release and _same(project) != _same(_project(told)):
        raise UsageError(f"{release!r} was asked for, and the record is of {told!r}", remedy="leave one of them out")
    return ReleaseRequest(project=project, recorded=recorded, record=str(record) if record else None)


def _project(text: str) -> ProjectMetadata:
    name, equals, version = (part.strip() for part in text.partition("=="))
    if not equals or not is_project_name(name):
        raise UsageError(
            f"{text!r} names no release", remedy="write NAME==VERSION: python -m release confirm acme-widget==1.0"
        )
    try:
        Version(version)
    except InvalidVersion:
        raise UsageError(
            f"{version!r} in {text!r} is no version", remedy="write one, and no range: acme-widget==1.0"
        ) from None
    return ProjectMetadata(name=name, version=version)


def _same(project: ProjectMetadata) -> tuple[str, Version]:
    return canonicalize_name(project.name), Version(project.version)


def confirm_release(
    system: System, index: Index, wanted: ReleaseRequest, *, config: Config, notify: Observer
) -> Confirmation:
    """Everything that can be seen of a release from outside. Raises `UnreachableError` and `RefusedError` as `look`.

    `config` says what is waived and what is tried.
    """
    title, begun = f"confirm {wanted.project.name} {wanted.project.version} on {index.name}", time.monotonic()
    notify(StepStarted(title=title))
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True) as place:
        scratch = Path(place)
        facts = remote_release.fetch_release(
            system, index, wanted.project, wanted.recorded, scratch=scratch, notify=notify
        )
        facts = remote_release.install_and_test(system, facts, scratch=scratch, notify=notify, wanted=_attempts(config))
        for outcome in engine.run(published_files.CHECKS, facts, waive=config.waive, block=config.block):
            outcomes.append(outcome)
            notify(CheckFinished(outcome=outcome, stops=True))
    for text in publisher_summary(facts):
        notify(Message(text=text))
    found = Confirmation(outside=facts, outcomes=tuple(outcomes), record=wanted.record)
    notify(StepFinished(title=title, status="done", note="", seconds=time.monotonic() - begun))
    return found


def load_config(directory: Path, file: Path | None, project: str) -> Config:
    """The configuration in `file`, or of the directory where that is the project's own.

    What another project waives, or wants tried, says nothing of this one.
    """
    if file is not None:
        return collect.load_config(directory, file, needs_project=False)
    try:
        name = collect.load_project_name(directory)
        own = name is not None and canonicalize_name(name) == canonicalize_name(project)
        return collect.load_config(directory, needs_project=False) if own else Config()
    except ConfigError:
        return Config()


def _attempts(config: Config) -> tuple[SmokeTest, ...] | None:
    """What the configuration wants tried; None: what the installed project itself suggests."""
    asked_for = config.smoke
    if asked_for.imports is None and asked_for.commands is None:
        return None
    return smoke_test_plan.configured_smoke_tests(asked_for.imports, asked_for.commands)
