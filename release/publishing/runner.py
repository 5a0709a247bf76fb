"""Executes a plan step by step, stops at the first failure, and writes each effect into the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ReleaseError, from_os_error
from release.core.events import Observer
from release.core.facts import Source
from release.core.models.distribution import Distribution
from release.core.models.file_list import FileList
from release.core.models.results import RunResult
from release.core.plan import Plan, Step
from release.core.repeated_command import RepeatedCommand
from release.publishing import journal as journals
from release.publishing import recorder
from release.publishing.last_release import LastRelease
from release.publishing.plan_run import PlanRun, RenewCredential
from release.publishing.recorder import RunRecorder
from release.publishing.run_resources import RunResources
from release.publishing.running_build import EarlyBuild

#: the step that failed, None outside of any, and why
StepFailure = tuple[Step | None, ReleaseError]

INTERRUPTED = ReleaseError("interrupted", remedy="run the command again: it continues where it stopped")


class RunOptions(Struct, frozen=True, kw_only=True):
    """What a run is executed in, and with."""

    config: Config
    source: Source
    directory: Path
    system: System
    notify: Observer
    #: called once, before the first irreversible step, with the index that the project would be created on (None: it
    #: exists everywhere)
    approve: Callable[[Plan, str | None], bool]
    #: repeats the run
    command: RepeatedCommand
    #: prebuilt files
    files: tuple[Distribution, ...] = ()
    #: the list of the files that the build has made; None without one
    listed: FileList | None = None
    #: called where the run would stop for a credential, before anything was sent; returns another one, or None
    renew: RenewCredential | None = None
    #: whether a rehearsal succeeds even if failed checks would block a release
    allow: bool = False
    #: whether a rehearsal is not compared with the last release
    offline: bool = False
    #: the build of the tree, if it was started before
    early: EarlyBuild | None = None
    open_resources: Callable[..., RunResources] = field(default=RunResources)


def execute_plan(plan: Plan, options: RunOptions) -> RunResult:
    """Execute the plan to its end or to its first failure. Never raises expected errors; they are part of the result.

    Raises `ReleaseError` where another run holds the project's lock.
    """
    with open_run(plan, options) as run:
        return run.end(run.execute(plan.steps))


class OpenRun(Struct, kw_only=True):
    """A run that holds the project's lock; its plan may be executed in parts."""

    state: PlanRun
    options: RunOptions
    observer: RunRecorder
    _begun: bool = False

    def execute(self, steps: Iterable[Step]) -> StepFailure | None:
        """Execute these steps, which follow those of the call before. What failed, or None."""
        plan = self.state.plan
        try:
            if not self._begun:
                self._begun = True
                self.state.journal.write("begun", verb=plan.verb, steps=[step.title for step in plan.steps])
            return self.state.execute(steps)
        except KeyboardInterrupt:  # before a step has begun, or after it has ended
            return None, INTERRUPTED
        except OSError as error:
            return None, from_os_error(error)

    def end(self, failure: StepFailure | None) -> RunResult:
        """End the run, and record it. Its result."""
        state, command = self.state, self.options.command
        ended = state.result(failure, command)
        try:
            state.journal.write("ended", verb=state.plan.verb, exit=int(ended.exit))
        except OSError as error:
            ended = state.result((None, from_os_error(error)), command)
        return recorder.record_run(
            ended, self.observer, config=self.options.config, tag=state.source.tag, directory=self.options.directory,
            journal=state.journal, secrets=state.resources.credentials.values(),
        )  # fmt: skip


@contextmanager
def open_run(plan: Plan, options: RunOptions) -> Iterator[OpenRun]:
    """Open a run of the plan. Raises `ReleaseError` where another run holds the project's lock."""
    options = replace(options, system=replace(options.system, passed=options.config.pass_environment))
    observer = RunRecorder(forward=options.notify, system=options.system)
    with journals.lock_project(options.directory), ExitStack() as stack:
        resources = stack.enter_context(
            options.open_resources(
                system=options.system,
                notify=observer.notify,
                plan=plan,
                config=options.config,
                directory=options.directory,
                expected=len(options.files),
            )
        )
        state = PlanRun(
            plan=plan, config=options.config, source=options.source, directory=options.directory,
            system=options.system, notify=observer.notify, approve=options.approve, renew=options.renew,
            journal=journals.for_plan(plan, options.directory), resources=resources, files=options.files,
            listed=options.listed,
            last_release=LastRelease(pool=stack.enter_context(ThreadPoolExecutor(1))), allow=options.allow,
            offline=options.offline, early=options.early,
        )  # fmt: skip
        observer.find_tools(stack.enter_context(ThreadPoolExecutor(1)), options.directory, plan)
        yield OpenRun(state=state, options=options, observer=observer)
