"""One run: what is watched is looked at, remembered, and told as a `Look`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from release.adapters import collect
from release.adapters.system.system import System
from release.core.errors import ConfigError
from release.core.facts import ProjectMetadata
from release.core.models.finding import Unknown
from release.core.models.token_health import HealthReport, TokenReport
from release.token_health import fleet, targets
from release.token_health.fleet import Fleet
from release.token_health.health_evaluation import Evaluation
from release.token_health.health_history import History
from release.token_health.scan import KnownTokens, ProbeDepth, Scan, not_scanned
from release.token_health.targets import Target

#: how far two clocks may be apart
_APART = timedelta(seconds=60)
_ENDED = "the run was ended before it was looked at"
_LATE = "the time of the run was over before it was looked at"
#: what is seen is written down in batches of this many: a killed run loses no more
_BATCH = 50

#: gets each row as soon as it is known, and how many there will be
Told = Callable[[TokenReport, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What is to be looked at, and how."""

    fleet: Fleet
    #: the credentials; programs that keep some have not been run
    watched: tuple[Target, ...]
    directory: Path
    #: check name → the reason why its failure or warning is accepted
    waive: Mapping[str, str] = field(default_factory=dict)


def load_request(
    system: System, directory: Path, *, file: Path | None = None, config_file: Path | None = None, offline: bool = False
) -> ScanRequest:
    """The fleet of a file, or of the project's configuration, or else all that lies there for the project.

    Raises `ConfigError`, which names the key.
    """
    if file is not None:
        made = fleet.parse_fleet_file(collect.load_toml(file), str(file))
        if not made.entries:
            raise ConfigError(f"{str(file)!r} lists no tokens", remedy="add a table [[tokens]] for each")
        return _of_fleet(system, made, file.resolve().parent, {})
    settings = collect.load_config(directory, config_file, needs_project=False)
    made = fleet.parse_fleet(settings.fleet, settings.indexes)
    if made.entries:
        return _of_fleet(system, made, directory, settings.waive)
    project = _project(system, directory, offline=offline)
    watched = targets.project_targets(system, settings.indexes, project, directory, made.policy)
    return ScanRequest(fleet=made, watched=watched, directory=directory, waive={**settings.waive, **made.waive})


def _of_fleet(system: System, made: Fleet, directory: Path, waive: Mapping[str, str]) -> ScanRequest:
    watched = targets.fleet_targets(system, made, directory)
    return ScanRequest(fleet=made, watched=watched, directory=directory, waive={**waive, **made.waive})


def _project(system: System, directory: Path, *, offline: bool) -> ProjectMetadata | Unknown:
    """The directory's project; there need be none."""
    name = collect.load_project_name(directory)
    if name is not None:
        return ProjectMetadata(name=name, version="")
    if any((directory / one).is_file() for one in ("pyproject.toml", "setup.py", "setup.cfg")):
        return collect.collect_project(system, directory, ask_backend=not offline)
    return targets.NO_PROJECT


def run_scan(  # noqa: PLR0913 - a question with options
    system: System, asked: ScanRequest, *, history: History, probe: ProbeDepth = "permission", offline: bool = False,
    told: Told = lambda _row, _total: None,
) -> HealthReport:  # fmt: skip
    """Look at everything, and remember it. Ctrl-C ends it with what is known by then.

    What was not looked at is told as unknown, and is no observation.
    """
    history.begin(len(asked.watched))
    census = Scan(
        system=system, directory=asked.directory, manners=asked.fleet.manners, probe=probe, offline=offline,
        waive=asked.waive, past=KnownTokens(before=history.previous_tokens(), first_seen=history.first_seen()),
    )  # fmt: skip
    watched = list(asked.watched)
    results: dict[int, Evaluation] = {}
    interrupted = False
    try:
        for number, one in census.take(asked.watched):
            watched[number] = one
        for batch in _batches(census.look(watched), results, lambda row: told(row, len(watched))):
            history.add(one.seen for one in batch)
    except KeyboardInterrupt:
        interrupted = True
    rows = tuple(
        _row(results.get(number) or not_scanned(one, _ENDED if interrupted else _LATE))
        for number, one in enumerate(watched)
    )
    return HealthReport(
        rows=rows, interrupted=interrupted, offline=offline, history=str(history.path),
        notes=tuple(_clocks(watched, results)),
    )  # fmt: skip


def close_run(found: HealthReport, history: History, status: int) -> HealthReport:
    """The run is over: what it says of its own memory."""
    history.end(status)
    history.close()
    trouble = history.error
    return replace(
        found,
        notes=(*found.notes, *history.notes),
        forgotten=(trouble.message, trouble.remedy) if trouble is not None else None,
    )


def _batches(
    found: Iterable[tuple[int, Evaluation]], results: dict[int, Evaluation], told: Callable[[TokenReport], None]
) -> Iterator[list[Evaluation]]:
    """The results in handfuls; all that came are handed on, also where the source is broken off."""
    batch: list[Evaluation] = []
    try:
        for number, result in found:
            results[number] = result
            batch.append(result)
            told(_row(result))
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    except KeyboardInterrupt:
        yield batch
        raise
    yield batch


def _row(result: Evaluation) -> TokenReport:
    return TokenReport(seen=result.seen, outcomes=result.outcomes, age=result.age, left=result.left)


def _clocks(watched: Sequence[Target], results: Mapping[int, Evaluation]) -> Iterator[str]:
    """Which indexes have another time than this machine, each once."""
    apart: dict[str, timedelta] = {}
    for number, one in results.items():
        if one.skew is not None and abs(one.skew) > _APART:
            apart.setdefault(watched[number].index.name, one.skew)
    for index, skew in apart.items():
        how = "behind" if skew > timedelta() else "ahead of"
        seconds = round(abs(skew).total_seconds())
        yield f"this machine's clock is {seconds} s {how} the clock of {index}; set it, by NTP for instance"
