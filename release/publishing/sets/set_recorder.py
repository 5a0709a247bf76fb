"""Records the runs of a set in `.release/sets/<time>/record.json`: at the end, and so far at the end of each phase."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from release.adapters.system.state_directory import releases_directory
from release.adapters.system.system import System
from release.core.errors import ReleaseError, UsageError, from_os_error
from release.core.events import (
    CheckFinished,
    MemberEvent,
    MemberFinished,
    Message,
    SetEvent,
    SetObserver,
    SetPhaseFinished,
    SetPhaseStarted,
    StepStarted,
)
from release.core.foreign_json import OWN_VALUES, ForeignJsonError, parse_foreign_json
from release.core.models.credential import Credential
from release.core.models.release_set import ReleaseSet
from release.core.models.set_results import SetRunResult, SetVerb
from release.core.quoting import quote_path
from release.core.redaction import Redactor
from release.core.repeated_command import RepeatedCommand
from release.publishing import journal as journals
from release.publishing import recorder
from release.publishing.answer_timer import AnswerTimer
from release.reports import record, set_record
from release.reports.set_record import PhaseRecord, SetRunRecord

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(kw_only=True)
class SetRecorder:
    """Forwards the events of a set's run, and records its phases. Each phase is started and finished by one thread.

    The events of members may come from several threads. A record that cannot be written is reported once; the run
    does not fail, as its effects cannot be undone.
    """

    forward: SetObserver
    system: System
    #: the directory of the set
    root: Path
    release_set: ReleaseSet
    verb: SetVerb
    #: names of the indexes that the run uploads to, in order; a rehearsal has the sandbox
    indexes: tuple[str, ...]
    #: the command that repeats the run
    command: RepeatedCommand
    #: the credentials that the runs of the members have by now
    secrets: Callable[[], Iterable[Credential]] = tuple
    path: Path = field(init=False)
    #: the record, once the run has ended
    document: dict[str, Any] = field(default_factory=dict)
    _begun: datetime = field(init=False)
    _phases: list[PhaseRecord] = field(default_factory=list)
    _ends: dict[str, MemberFinished] = field(default_factory=dict)
    _steps: dict[str, str] = field(default_factory=dict)
    _checks: dict[str, list[tuple[str, CheckFinished]]] = field(default_factory=dict)
    _reported: bool = False

    def __post_init__(self) -> None:
        self._begun = self.system.now()
        self.path = _new_path(self.root, self._begun)

    def member_system(self) -> System:
        """The system for the runs of members: the job summary has one report of the set, none of each member."""
        return replace(
            self.system, env={name: v for name, v in self.system.env.items() if name != recorder.JOB_SUMMARY}
        )

    def timed(self, ask: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
        """The same question, where the time that a person takes to answer is recorded."""

        def timed_question(about: Asked) -> Answer:
            timer = AnswerTimer()
            try:
                return timer.ask(lambda: ask(about))
            finally:
                if self._phases:
                    last = self._phases[-1]
                    self._phases[-1] = replace(last, prompted=last.prompted + timer.seconds)

        return timed_question

    def notify(self, event: SetEvent) -> None:
        """Record an event and forward it."""
        match event:
            case SetPhaseStarted(title=title, members=members, index=index, level=level):
                self._ends = {}
                self._phases.append(
                    PhaseRecord(
                        title=title, members=members, index=index, level=level, begun=self.system.now(), ends=self._ends
                    )
                )  # fmt: skip
                self._write_so_far()
            case SetPhaseFinished(seconds=seconds) if self._phases:
                self._phases[-1] = replace(self._phases[-1], seconds=seconds)
                self._write_so_far()
            case MemberFinished(member=member):
                self._ends[member] = event
            case MemberEvent(member=member, event=StepStarted(title=title)):
                self._steps[member] = title
            case MemberEvent(member=member, event=CheckFinished() as check):
                self._checks.setdefault(member, []).append((self._steps.get(member, ""), check))
            case _:
                pass
        self.forward(event)

    def finish(self, result: SetRunResult) -> SetRunResult:
        """Write the record and CI's job summary. Returns the result with the record's path."""
        now = self.system.now()
        tools = {"python": platform.python_version(), "platform": f"{sys.platform} {platform.machine()}"}
        run = replace(
            self._record(), ended=now, result=result, checks=self._checks,
            tools=tools | {"pypi-preflight": metadata.version("pypi-preflight")},
        )  # fmt: skip
        self.document = document = record.redact_texts(set_record.set_record_to_json(run), Redactor(self.secrets()))
        written = self._write(lambda: self._store(document, indent=2))
        self._write(lambda: recorder.append_job_summary(self.system.env, lambda: _markdown(document)))
        return replace(result, record=str(self.path)) if written else result

    def _record(self) -> SetRunRecord:
        return SetRunRecord(
            verb=self.verb, command=str(self.command), release_set=self.release_set, indexes=self.indexes,
            begun=self._begun, phases=tuple(self._phases), root=str(self.root),
        )  # fmt: skip

    def _store(self, document: dict[str, Any], *, indent: int | None) -> None:
        journals.home_directory(self.root)
        write_set_record(self.path, document, indent=indent)

    def _write_so_far(self) -> None:
        document = record.redact_texts(set_record.set_record_to_json(self._record()), Redactor(self.secrets()))
        self._write(lambda: self._store(document, indent=None))

    def _write(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except (OSError, ReleaseError) as error:
            if not self._reported:
                self._reported = True
                known = from_os_error(error) if isinstance(error, OSError) else error
                text = f"cannot write the record: {known.message}"
                self.forward(Message(text=text))
            return False
        return True


def write_set_record(path: Path, document: dict[str, Any], *, indent: int | None = 2) -> None:
    """Write the record of a set atomically. Raises `OSError`.

    `indent` None is many times as fast, for a record that is written again soon.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    recorder.write_record(path, document, indent=indent)


def load_set_record(path: Path) -> dict[str, Any]:
    """Read the record of a set. Raises `OSError`, and `ReleaseError` where the file is not a valid one."""
    try:
        value = parse_foreign_json(path.read_bytes(), max_values=OWN_VALUES)
    except ForeignJsonError:
        value = None
    return set_record.validate_set_record(value, str(path))


def set_record_paths(root: Path) -> tuple[Path, ...]:
    """The paths of all records of the set, the newest last."""
    return tuple(sorted(_sets(root).glob(f"*/{journals.RECORD}"), key=lambda path: path.parent.name))


def find_set_record(root: Path, name: str | None = None) -> Path:
    """The path of the record of a run, by the name of its directory; None: of the last run. Raises `UsageError`."""
    known = set_record_paths(root)
    if not known:
        raise UsageError(
            f"there are no records of a set in {quote_path(root)}", remedy="run: pypi-preflight set rehearse"
        )
    if name is None:
        return known[-1]
    path = next((one for one in known if one.parent.name == name), None)
    if path is None:
        names = ", ".join(repr(one.parent.name) for one in reversed(known[-10:]))
        raise UsageError(f"there is no record of a run {name!r} of the set", remedy=f"pass one of: {names}")
    return path


def load_last_set_record(root: Path) -> dict[str, Any] | None:
    """The record of the last run; None if there is none, or if it is not valid."""
    known = set_record_paths(root)
    try:
        return load_set_record(known[-1]) if known else None
    except (OSError, ReleaseError):
        return None


def _markdown(document: dict[str, Any]) -> str:
    from release.reports import set_markdown

    return set_markdown.render(document)


def _sets(root: Path) -> Path:
    return releases_directory(root) / "sets"


def _new_path(root: Path, begun: datetime) -> Path:
    """A directory named by the time: "20261128T074500Z"; two runs in one second get different names."""
    name = f"{begun:%Y%m%dT%H%M%SZ}"
    candidates = (name, *(f"{name}-{number}" for number in range(2, 100)))
    free = next((one for one in candidates if not (_sets(root) / one).exists()), candidates[-1])
    return _sets(root) / free / journals.RECORD
