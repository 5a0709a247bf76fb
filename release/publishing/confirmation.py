"""Confirms a published release: fetches it, installs it, and runs the checks."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.adapters import project_config
from release.adapters.install import smoke_tests
from release.adapters.system.system import System
from release.adapters.system.temporary_directory import temporary_directory
from release.checks import engine, published_release
from release.checks.all_checks import check_names
from release.core.config import Config
from release.core.decoding import decode_text
from release.core.errors import ConfigError, UsageError, os_error_reason
from release.core.events import CheckFinished, Message, Observer, StepFinished, StepStarted
from release.core.facts import ProjectMetadata
from release.core.models import distribution
from release.core.models.check_result import Outcome
from release.core.models.distribution import ReleaseManifest
from release.core.models.index import Index, is_project_name
from release.core.models.results import Confirmation
from release.core.quoting import quote_path
from release.publishing import remote_release
from release.reports.run_text import publisher_summary


class ConfirmationRequest(Struct, frozen=True, kw_only=True):
    """The release to confirm."""

    project: ProjectMetadata
    #: what it should be; None without a record
    recorded: ReleaseManifest | None = None
    #: path of the record
    record: str | None = None


def parse_request(release: str | None, record: Path | None) -> ConfirmationRequest:
    """The release that NAME==VERSION, a record, or both name. Raises `UsageError`: malformed, or a contradiction."""
    recorded = None
    if record is not None:
        try:
            recorded = distribution.parse_manifest(decode_text(record.read_bytes()), str(record))
        except (OSError, UnicodeDecodeError) as error:
            why = os_error_reason(error) if isinstance(error, OSError) else "it is not UTF-8"
            raise UsageError(
                f"cannot read {quote_path(record)}: {why}",
                remedy="pass the path of a record.json",
            ) from None
    in_record = f"{recorded.project}=={recorded.version}" if recorded else ""
    project = _parse_release(release or in_record)
    if recorded and release and _normalized(project) != _normalized(_parse_release(in_record)):
        raise UsageError(f"the record is about {in_record!r}, not {release!r}", remedy="pass only one of them")
    return ConfirmationRequest(project=project, recorded=recorded, record=str(record) if record else None)


def _parse_release(text: str) -> ProjectMetadata:
    name, equals, version = (part.strip() for part in text.partition("=="))
    if not equals or not is_project_name(name):
        raise UsageError(
            f"{text!r} is not a release", remedy="pass NAME==VERSION: pypi-preflight confirm acme-widget==1.0"
        )
    try:
        Version(version)
    except InvalidVersion:
        raise UsageError(
            f"{version!r} in {text!r} is not a version", remedy="pass a version, not a range: acme-widget==1.0"
        ) from None
    return ProjectMetadata(name=name, version=version)


def _normalized(project: ProjectMetadata) -> tuple[str, Version]:
    return canonicalize_name(project.name), Version(project.version)


def confirm_release(
    system: System, index: Index, request: ConfirmationRequest, *, config: Config, notify: Observer
) -> Confirmation:
    """Check the release on `index`. `config` has the waivers and the smoke tests.

    Raises `UnreachableError` where the index does not answer, `RefusedError` where it has no such release.
    """
    project, started = request.project, time.monotonic()
    title = f"confirm {project.name} {project.version} on {index.name}"
    notify(StepStarted(title=title))
    outcomes: list[Outcome] = []
    system = replace(system, passed=config.pass_environment)
    wanted = smoke_tests.configured_smoke_tests(config.smoke)
    with temporary_directory() as scratch:
        install = partial(remote_release.install_and_test, scratch=scratch, notify=notify, wanted=wanted)
        facts = remote_release.fetch_release(
            system, index, project, request.recorded, scratch=scratch, notify=notify, install=install
        )
        for outcome in engine.run(published_release.CHECKS, facts, waive=config.waive, block=config.block):
            outcomes.append(outcome)
            notify(CheckFinished(outcome=outcome, stops=True))
    for text in publisher_summary(facts):
        notify(Message(text=text))
    status: Literal["done", "refused"] = "refused" if any(one.state.blocks for one in outcomes) else "done"
    notify(StepFinished(title=title, status=status, note="", seconds=time.monotonic() - started))
    return Confirmation(release=facts, outcomes=tuple(outcomes), record=request.record)


def config_for(directory: Path, file: Path | None, project: str) -> Config:
    """The configuration in `file`, or the directory's if it belongs to `project`: another's waivers do not apply."""
    if file is not None:
        return project_config.load_config(directory, file, check_names=check_names, needs_project=False)
    try:
        name = project_config.load_project_name(directory)
        own = name is not None and canonicalize_name(name) == canonicalize_name(project)
        return project_config.load_config(directory, check_names=check_names, needs_project=False) if own else Config()
    except ConfigError:
        return Config()
