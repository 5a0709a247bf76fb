"""One run: check all targets, record the results, and return them as a `HealthReport`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters import collect, project_config
from release.adapters.system.system import System
from release.checks.all_checks import check_names
from release.core.errors import ConfigError
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.token_health import HealthReport, TokenReport, TokenStatus
from release.core.quoting import quote_path
from release.token_health.fleet import (
    NO_PROJECT,
    Fleet,
    Target,
    fleet_targets,
    load_fleet_file,
    parse_fleet,
    project_targets,
)
from release.token_health.health_history import History
from release.token_health.scan import MAX_SKEW, ProbeDepth, Scan, report_unscanned

#: results are recorded in batches of this size, so a killed run loses at most one batch
_BATCH_SIZE = 50


class ScanRequest(Struct, frozen=True, kw_only=True):
    """What to check, and how."""

    fleet: Fleet
    #: their commands have not been run
    targets: tuple[Target, ...]
    directory: Path
    #: check name → the reason why its failure or warning is accepted
    waive: Mapping[str, str] = field(default_factory=dict)


def load_request(
    system: System, directory: Path, *, file: Path | None = None, config_file: Path | None = None, offline: bool = False
) -> ScanRequest:
    """Load the fleet from a file or the project's configuration, or else find all credentials of the project.

    Raises `ConfigError`, which names the key.
    """
    if file is not None:
        fleet = load_fleet_file(file)
        if not fleet.entries:
            raise ConfigError(f"{quote_path(file)} lists no tokens", remedy="add a table [[tokens]] for each")
        directory, waive = file.resolve().parent, fleet.waive
        return ScanRequest(
            fleet=fleet, targets=fleet_targets(system, fleet, directory), directory=directory, waive=waive
        )
    settings = project_config.load_config(directory, config_file, check_names=check_names, needs_project=False)
    system = replace(system, passed=settings.pass_environment)
    fleet = parse_fleet(settings.fleet, settings.indexes, passed=settings.pass_environment)
    if fleet.entries:
        targets = fleet_targets(system, fleet, directory)
    else:
        project: ProjectMetadata | Unknown = NO_PROJECT
        name = project_config.load_project_name(directory)
        if name is not None:
            project = ProjectMetadata(name=name, version="")
        elif any((directory / one).is_file() for one in ("pyproject.toml", "setup.py", "setup.cfg")):
            project = collect.collect_project(system, directory, ask_backend=not offline)
        targets = project_targets(system, settings.indexes, project, directory, fleet.policy)
    return ScanRequest(fleet=fleet, targets=targets, directory=directory, waive={**settings.waive, **fleet.waive})


def run_scan(  # noqa: PLR0913 - a scan with options
    system: System, request: ScanRequest, *, history: History, probe: ProbeDepth = "permission", offline: bool = False,
    exchange: bool = False, on_report: Callable[[TokenReport, int], None] = lambda _report, _total: None,
) -> HealthReport:  # fmt: skip
    """Check all targets and record the results. Ctrl-C ends the scan with the results so far.

    `on_report` is called with each report as soon as it is known, and with the number of targets.
    Targets that were not checked are reported as unknown, and nothing is recorded of them. With `exchange`, the
    trusted publisher of this job is proven; call it in the main thread then.
    """
    history.begin(len(request.targets))
    scan = Scan(
        system=system, directory=request.directory, limits=request.fleet.limits, probe=probe, offline=offline,
        exchange=exchange and not offline,
        waive=request.waive, previous=history.previous_tokens(), first_seen=history.first_seen(),
    )  # fmt: skip
    targets: Sequence[Target] = request.targets
    reports: dict[int, TokenReport] = {}
    batch: list[TokenStatus] = []
    interrupted = False
    try:
        targets = scan.run_commands(targets)
        for number, report in scan.check(targets):
            reports[number] = report
            batch.append(report.seen)
            on_report(report, len(targets))
            if len(batch) >= _BATCH_SIZE:
                full, batch = batch, []
                history.add(full)
    except KeyboardInterrupt:
        interrupted = True
    history.add(batch)
    reason = f"the {'run was interrupted' if interrupted else 'deadline of the run passed'} before it was checked"
    return HealthReport(
        rows=tuple(reports.get(number) or report_unscanned(one, reason) for number, one in enumerate(targets)),
        interrupted=interrupted, offline=offline, notes=tuple(_clock_notes(reports.values())),
        history=str(history.path),
    )  # fmt: skip


def close_run(report: HealthReport, history: History, status: int) -> HealthReport:
    """End the run in the history. Returns the report with the history's notes and error."""
    history.end(status)
    history.close()
    error = history.error
    return replace(
        report,
        notes=(*report.notes, *history.notes),
        forgotten=(error.message, error.remedy) if error is not None else None,
    )


def _clock_notes(reports: Iterable[TokenReport]) -> Iterator[str]:
    skews: dict[str, timedelta] = {}
    for report in reports:
        if report.skew is not None and abs(report.skew) > MAX_SKEW:
            skews.setdefault(report.seen.index, report.skew)
    for index, skew in skews.items():
        direction = "behind" if skew > timedelta() else "ahead of"
        seconds = round(abs(skew).total_seconds())
        yield f"this machine's clock is {seconds} s {direction} the clock of {index}; set it, for example with NTP"
