"""Runs a set: the plans of its members, with barriers between them.

First the gate, all steps without a lasting effect, each member once those that it needs are through. If any member is
stopped there, nothing goes anywhere. Then each lasting index, level by level: a level begins once every member of the
level before is on the index, and installs from there.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.system.crash_report import report_crash
from release.adapters.system.deferred_signals import ignored_signals
from release.checks import engine, set_checks
from release.core.errors import RefusedError, ReleaseError
from release.core.events import CheckFinished, MemberFinished, SetPhaseFinished, SetPhaseStarted
from release.core.models.check_result import CheckState, Outcome
from release.core.models.credential import Credential
from release.core.models.index import Index, normalize_name
from release.core.models.release_set import ReleaseSet, Sibling
from release.core.models.set_results import SetRunResult, SetVerb
from release.core.plan import SANDBOX, Verb
from release.publishing import journal as journals
from release.publishing.runner import INTERRUPTED
from release.publishing.sets import sibling_versions
from release.publishing.sets.interruption import Interruption
from release.publishing.sets.member_pool import work_on_members
from release.publishing.sets.member_run import MemberContext, MemberRun
from release.publishing.sets.set_options import SetRunOptions
from release.publishing.sets.set_recorder import SetRecorder
from release.publishing.sets.set_result import SetRunState, set_run_result
from release.publishing.sets.set_status import MemberHistory, load_member_history
from release.publishing.sets.set_tools import SetTools

#: members that are checked and built at the same time, and those that are uploaded and confirmed
_BUILDING, _UPLOADING = (os.cpu_count() or 1) + 1, 8


def execute_set(
    release_set: ReleaseSet, options: SetRunOptions, *, ending: ExitStack
) -> tuple[SetRunResult, dict[str, Any]]:  # fmt: skip
    """Run the set, to its end or to the first phase that fails. The result, and the record of the run.

    Expected errors are part of the result, and so is Ctrl-C: pressed again while the run ends, it is ignored, until
    `ending` is closed. Raises `ReleaseError` where another run of the set is in progress.
    """
    with journals.lock_set(options.directory):
        recorder = SetRecorder(
            forward=options.notify, system=options.system, root=options.directory, release_set=release_set,
            verb=options.verb, indexes=_indexes(release_set, options), command=options.command,
        )  # fmt: skip
        own = replace(
            options, notify=recorder.notify, system=recorder.member_system(), approve=recorder.timed(options.approve),
            approve_new=recorder.timed(options.approve_new),
        )  # fmt: skip
        projects = [one.member.name for one in release_set.members]
        with SetTools(
            system=own.system, settings=own.config.upload, start=own.start, projects=projects
        ) as tools:  # fmt: skip
            run = _SetRun(release_set=release_set, options=own, tools=tools)
            recorder.secrets = run.secrets
            run.execute()
            ending.enter_context(ignored_signals())
            result = recorder.finish(run.end())
        return result, recorder.document


def _indexes(release_set: ReleaseSet, options: SetRunOptions) -> tuple[str, ...]:
    return tuple(one.name for one in release_set.indexes) if options.verb == "release" else (SANDBOX,)


def phase_titles(release_set: ReleaseSet, verb: SetVerb) -> list[str]:
    """The titles of the phases that a run may have."""
    if verb != "release":
        return ["check", "rehearsal"]
    numbers = range(1, len(release_set.levels) + 1)
    levels = [level_title(one.name, number, release_set) for one in release_set.indexes for number in numbers]
    return ["check", "gate", *levels]


def level_title(index: str, number: int, release_set: ReleaseSet) -> str:
    """The title of the phase that uploads one level, counted from 1, to an index."""
    return f"{index}, level {number} of {len(release_set.levels)}"


class _SetRun(Struct, kw_only=True, dict=True):
    """The state of a set's run."""

    release_set: ReleaseSet
    options: SetRunOptions
    tools: SetTools
    interruption: Interruption = field(default_factory=Interruption)
    outcomes: tuple[Outcome, ...] = ()
    #: what stopped the run outside of the members' runs
    failure: ReleaseError | None = None
    #: name of an index → canonical names of the members that this run has uploaded there, or found there
    uploaded: dict[str, set[str]] = field(default_factory=dict)
    #: the projects that may be created, each with the index
    approved: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def members(self) -> Mapping[str, MemberRun]:
        """The runs of the members that are to be released, by canonical name, in the order of the levels."""
        verb: Verb = self.options.verb
        if verb == "release" and self.options.index is not None:
            verb = "testpypi" if self.options.index == "testpypi" else "publish"
        context = MemberContext(
            verb=verb, options=self.options, tools=self.tools, interruption=self.interruption, siblings=self._siblings
        )
        facts = {str(normalize_name(one.member.name)): one for one in self.release_set.members}
        return {
            name: MemberRun(facts=facts[name], context=context) for level in self.release_set.levels for name in level
        }

    def execute(self) -> None:
        """Run all phases, up to the first that fails. An unexpected exception is a failure, too."""
        try:
            self._run_phases()
        except ReleaseError as error:
            self.failure = error
        except KeyboardInterrupt:
            self.interruption.requested.set()
            self.failure = INTERRUPTED
        except Exception as error:  # noqa: BLE001 - nothing may hide what was uploaded
            self.failure = report_crash(error, self.options.system.env)

    # -- phases --------------------------------------------------------------------------------------

    def _run_phases(self) -> None:
        if not self._check_set() or not self.members or not self._pass_gate() or self.options.verb != "release":
            return
        self._approve()
        for index in self._lasting_indexes():
            for number, level in enumerate(self.release_set.levels, 1):
                members = [self.members[name] for name in level if self.members[name].publishes_on(index)]
                if not self._publish(index, number, members):
                    return
        if left := [one for one in self.members.values() if one.pushes_commit]:
            started = SetPhaseStarted(title="push the commit", members=self._names(left))
            self._phase(started, [one.name for one in left], MemberRun.push_commit, 1, {})

    def _check_set(self) -> bool:
        """Run the checks of the set as a whole. Whether none stops the run: a rehearsal needs no new version."""
        config, rehearsal, stopped = self.options.config, self.options.verb == "rehearse", False
        for found in engine.run(set_checks.CHECKS, self.release_set, waive=config.waive, block=config.block):
            later = rehearsal and found.check in set_checks.ONLY_FOR_RELEASES
            allowed = later and self.options.allow and found.state.blocks
            stopped = stopped or (found.state.blocks and not later)
            outcome = replace(found, state=CheckState.WARNED) if allowed else found
            earlier = next((one for one in self.outcomes if one.check == found.check), None)
            self.outcomes = (*(one for one in self.outcomes if one is not earlier), outcome)
            if outcome != earlier:  # it is run again once the indexes have stated their limits
                self.options.notify(CheckFinished(outcome=outcome, stops=not later))
        return not stopped

    def _pass_gate(self) -> bool:
        """Execute all steps without a lasting effect. Whether all members are through.

        What takes a moment comes first, for all members; then what each index has stated there counts for the set.
        """
        names, verb = self._names(self.members.values()), self.options.verb
        passed = self._check_members(SetPhaseStarted(title="check", members=names))
        if verb == "check" or not passed:
            return passed
        if verb == "release":
            self._approve_new()  # before the builds, which may take long
        title = "rehearsal" if verb == "rehearse" else "gate"
        needs = sibling_versions.needs_by_level(self.release_set)
        started = SetPhaseStarted(title=title, members=names)
        return self._phase(started, list(self.members), MemberRun.pass_gate, _BUILDING, needs, on=SANDBOX)

    def _check_members(self, started: SetPhaseStarted) -> bool:
        if not self._phase(started, list(self.members), MemberRun.check, _BUILDING, {}):
            return False
        left = {
            index.name: min(stated)
            for index in self.release_set.indexes
            if (stated := [n for one in self.members.values() if (n := one.new_projects_left(index.name)) is not None])
        }
        self.release_set = replace(self.release_set, new_projects_left=left)
        return self._check_set()

    def _publish(self, index: str, number: int, members: Sequence[MemberRun]) -> bool:
        """Publish the members of one level on one index. Whether all are there, and install."""
        if not members:
            return True
        self.tools.share_uploads(len(members))
        started = SetPhaseStarted(
            title=level_title(index, number, self.release_set), members=self._names(members),
            index=index, level=number,
        )  # fmt: skip
        push = threading.Lock()
        return self._phase(
            started, [one.name for one in members], lambda one: one.publish(index, push), _UPLOADING, {}, on=index
        )

    def _phase(  # noqa: PLR0913 - a phase, and who works on it in which order
        self, started: SetPhaseStarted, names: Sequence[str], work: Callable[[MemberRun], None], workers: int,
        needs: Mapping[str, frozenset[str]], *, on: str | None = None,
    ) -> bool:  # fmt: skip
        """Do the work of these members, which uploads them to `on`. Whether it succeeded for all.

        Raises `KeyboardInterrupt` once what was under way has ended.
        """
        begun, ended = time.monotonic(), set[str]()

        def work_on(name: str) -> bool:
            at, one = time.monotonic(), self.members[name]
            try:
                work(one)
            except Exception as error:  # noqa: BLE001 - the runs of the others end, and all of them are recorded
                one.failure = (None, report_crash(error, self.options.system.env))
            if one.failure is None and on is not None:
                self.tools.forget_sibling(name)
                with self._lock:
                    self.uploaded.setdefault(on, set()).add(name)
            ended.add(name)
            self.options.notify(one.finished(seconds=time.monotonic() - at))
            return one.failure is None

        self.options.notify(started)
        try:
            through = work_on_members(names, work_on, workers=workers, needs=needs, interruption=self.interruption)
        finally:
            for one in (self.members[name] for name in names if name not in ended):
                member = one.facts.member
                self.options.notify(MemberFinished(member=member.name, version=member.version, status="stopped"))
            self.options.notify(SetPhaseFinished(title=started.title, seconds=time.monotonic() - begun))
        return len(through) == len(names)

    def _siblings(self, name: str, index: Index | None) -> Sequence[Sibling]:
        place = self.tools.sandbox()[0] if index is None or index.name == SANDBOX else index
        with self._lock:
            uploaded = frozenset(self.uploaded.get(place.name, ()))
        return sibling_versions.siblings_on(self.release_set, name, place, uploaded, self._needs)

    @cached_property
    def _needs(self) -> sibling_versions.SetNeeds:
        return sibling_versions.set_needs(self.release_set)

    def _lasting_indexes(self) -> tuple[str, ...]:
        """The indexes of all members' plans, in the order of the uploads."""
        plans = sorted((one.lasting_indexes() for one in self.members.values()), key=len, reverse=True)
        return tuple(dict.fromkeys(name for names in plans for name in names))

    def _approve_new(self) -> None:
        """Ask for the new projects that are known now, each once. Raises `RefusedError`."""
        new = [(one.facts.member.name, index) for one in self.members.values() if (index := one.new_project_index())]
        asked = [pair for pair in new if pair not in self.approved]
        if asked:
            self.options.approve_new(asked)
            self.approved += asked

    def _approve(self) -> None:
        self._approve_new()
        if self.members and not self.options.approve(self.release_set):
            raise RefusedError("not confirmed", remedy="answer y, or pass --yes")

    @staticmethod
    def _names(members: Iterable[MemberRun]) -> tuple[str, ...]:
        return tuple(one.facts.member.name for one in members)

    # -- end -----------------------------------------------------------------------------------------

    def end(self) -> SetRunResult:
        """End the runs of all members, and release their locks. The result."""
        reason = self._reason()
        for one in self.members.values():
            one.end(reason)
            one.close()
        histories = self._histories()
        state = SetRunState(
            verb=self.options.verb, release_set=self.release_set, indexes=_indexes(self.release_set, self.options),
            results={name: one.result for name, one in self.members.items() if one.result is not None},
            stopped={name for name, one in self.members.items() if one.stopped}, failure=self._own_failure(),
            outcomes=self.outcomes, command=self.options.command,
            recorded={name: one.accepted for name, one in histories.items()},
            built={name: one.built for name, one in histories.items()},
        )  # fmt: skip
        return set_run_result(state)

    def _histories(self) -> Mapping[str, MemberHistory]:
        """The journals of the members whose run has ended before it had the files that it releases."""
        root = self.options.directory
        return {
            name: load_member_history(root, one.facts.member)
            for name, one in self.members.items() if one.result is None or not one.result.files
        }  # fmt: skip

    def secrets(self) -> list[Credential]:
        """All credentials of the members' runs."""
        opened = (one.opened for one in self.members.values() if one.opened)
        return [credential for run in opened for credential in run.state.resources.credentials.values()]

    def _reason(self) -> ReleaseError:
        """Why members whose own run did not fail are not released."""
        if self.failure is not None:
            return self.failure
        failed = self._names(one for one in self.members.values() if one.failure is not None)
        because = f"{', '.join(failed[:3])}{', …' if failed[3:] else ''} failed" if failed else "its set was refused"
        return RefusedError(f"not released: {because}", remedy=f"run: {self.options.command}")

    def _own_failure(self) -> ReleaseError | None:
        """What stopped the run outside of the members' runs, or before a member's run was opened."""
        unopened = (one for one in self.members.values() if one.opened is None and one.failure is not None)
        one = next(unopened, None)
        if self.failure is not None or one is None or one.failure is None:
            return self.failure
        error = one.failure[1]
        return type(error)(f"{one.facts.member.name}: {error.message}", remedy=error.remedy, cause=error.cause)
