"""The run of one member of a set: its ordinary plan, executed in parts between the barriers of the set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.builds import pinned_builds
from release.adapters.install import interpreters
from release.adapters.oidc import provider
from release.adapters.system.temporary_directory import temporary_directory
from release.core import plan as plans
from release.core.errors import RefusedError, ReleaseError, from_os_error
from release.core.events import MemberEvent, MemberFinished
from release.core.models.index import Index, normalize_name
from release.core.models.probe import ProbeResult
from release.core.models.release_set import MemberFacts, Sibling
from release.core.models.results import RunResult
from release.core.plan import Plan, Promotion, Step, Upload, Verb
from release.publishing import prebuilt, promote, runner
from release.publishing.run_resources import RunResources
from release.publishing.runner import INTERRUPTED, OpenRun, RunOptions, StepFailure
from release.publishing.sets.interruption import Interruption
from release.publishing.sets.read_members import load_member_config
from release.publishing.sets.set_options import SetRunOptions
from release.publishing.sets.set_tools import MemberTools, SetTools


class MemberContext(Struct, frozen=True, kw_only=True):
    """What the runs of all members have in common."""

    #: the command of each member
    verb: Verb
    options: SetRunOptions
    tools: SetTools
    interruption: Interruption
    #: canonical name of a member and an index (None: the sandbox) → the siblings that it takes from there
    siblings: Callable[[str, Index | None], Sequence[Sibling]]


class MemberRun(Struct, kw_only=True):
    """A member's run. Its parts are executed by any thread, one at a time."""

    facts: MemberFacts
    context: MemberContext
    opened: OpenRun | None = None
    failure: StepFailure | None = None
    #: whether the run ended only because of another member, or by an interrupt
    stopped: bool = False
    result: RunResult | None = None
    #: the steps of the plan that were executed
    _done: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def name(self) -> str:
        """The canonical name."""
        return normalize_name(self.facts.member.name)

    @property
    def directory(self) -> Path:
        """The directory of the project, with its journal; for files alone, one at the root that has the journal."""
        root, place = self.context.options.directory, self.facts.member.directory
        return root / place if place else root / ".release" / "members" / self.name

    @property
    def plan(self) -> Plan | None:
        return self.opened.state.plan if self.opened else None

    @property
    def _may_be_created(self) -> bool:
        return self.name in {normalize_name(name) for name in self.context.options.new_projects}

    # -- parts ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Open the run, and execute what is done for all members before anything else.

        That is the check of the source and the credentials; for files that were built before, the check of the files.
        """
        try:
            steps = self._open().state.plan.steps
        except KeyboardInterrupt:
            self.stopped, self.failure = True, (None, INTERRUPTED)
        except (ReleaseError, OSError) as error:
            self.stopped = self.context.interruption.requested.is_set()
            failure = error if isinstance(error, ReleaseError) else from_os_error(error)
            self.failure = (None, INTERRUPTED if self.stopped else failure)
        else:
            self._execute(_first_part(steps))

    def pass_gate(self) -> None:
        """Execute all steps before the first one with a lasting effect."""
        if self.opened is None:
            self.check()
        if self.opened is not None and self.failure is None:
            self._execute(_first_lasting(self.opened.state.plan.steps))

    def new_projects_left(self, index: str) -> int | None:
        """How many new projects an index accepts now, by its answer to this member's credential; None: not stated."""
        access = self.opened.state.accesses.get(index) if self.opened else None
        permission = access.permission if access else None
        quotas = permission.quotas() if isinstance(permission, ProbeResult) else ()
        return min((one.remaining for one in quotas), default=None)

    def publish(self, index: str, push: threading.Lock) -> None:
        """Execute the steps up to the confirmation on a lasting index; `push` is held while git is changed."""
        assert self.opened is not None
        steps = self.opened.state.plan.steps
        end = _end_of(steps, index)
        while self._done < end and self.failure is None:
            if isinstance(steps[self._done], plans.Tag | plans.PushTag | plans.PushCommit):
                with push:
                    self._execute(self._done + 1)
            else:
                self._execute(self._done + 1)

    def publishes_on(self, index: str) -> bool:
        """Whether the plan has steps for this index that were not executed yet."""
        plan = self.plan
        return plan is not None and self._done < _end_of(plan.steps, index)

    @property
    def pushes_commit(self) -> bool:
        """Whether the plan has the commit of a preparation left to push."""
        steps = self.plan.steps if self.plan is not None else ()
        return self._done < len(steps) and isinstance(steps[-1], plans.PushCommit)

    def push_commit(self) -> None:
        """Push the commit of the preparation, which is that of all members: each of them is confirmed then."""
        assert self.opened is not None
        self._execute(len(self.opened.state.plan.steps))

    def _execute(self, end: int) -> None:
        """Execute the steps before number `end`."""
        assert self.opened is not None
        plan, self._done, begin = self.opened.state.plan, end, self._done
        failure = self.opened.execute(plan.steps[begin:end])
        self.opened.state.resources.clear_scratch()
        if failure is not None and self.context.interruption.requested.is_set():
            self.stopped, self.failure = True, (failure[0], INTERRUPTED)
        elif failure is not None:
            self.failure = failure

    def lasting_indexes(self) -> tuple[str, ...]:
        """The names of the indexes that the plan uploads to and that keep it, in order."""
        return tuple(step.index for step in self.plan.irreversible) if self.plan else ()

    def new_project_index(self) -> str | None:
        """The index on which the release would create the project; None where all have it, or it may be created."""
        if self.opened is None or self._may_be_created:
            return None
        state = self.opened.state
        return promote.new_project_index(state.plan, state.listings, state.resources.trusted)

    # -- start and end -------------------------------------------------------------------------------

    def _open(self) -> OpenRun:
        context, member = self.context, self.facts.member
        options, verb = context.options, context.verb
        place = member.directory or member.configured_in
        root, config = options.directory, options.config
        config = load_member_config(config, root / place, root=root) if place else config
        config = replace(config, dry_run_on=options.dry_run_on or config.dry_run_on)
        self.directory.mkdir(parents=True, exist_ok=True)
        system = context.interruption.interruptible(options.system)
        if member.files:
            source = prebuilt.source_of(system, member.files, config)
        else:
            asks = verb != "rehearse"
            system = pinned_builds.pin_builds(system, self.directory, config)
            tools = MemberTools(shared=context.tools, siblings=self._siblings, scratch=self._scratch)
            reading = context.tools.git.shared(tools.build_system(system))
            source = collect.collect_source(reading, self.directory, config, ask_backend=asks)
            system = interpreters.with_interpreter(system, source.python)
        context.interruption.stop_if_requested()  # what git was asked for then is unknown, even the commit
        plan = plans.make_plan(verb, config, source, index=options.index, prebuilt=bool(member.files))
        identified = config.exchange != "never" and provider.may_request_identity(system.env)
        plan = replace(
            plan, new_project=member.name if self._may_be_created else None,
            exchanges=identified and plan.checks_credentials,
        )  # fmt: skip
        notify = context.interruption.interrupting(
            lambda event: options.notify(MemberEvent(member=member.name, event=event))
        )
        run = RunOptions(
            config=config, source=source, directory=self.directory, system=system, notify=notify,
            approve=lambda _plan, _new_on: True,  # the set was approved as a whole
            command=options.command, files=member.files, allow=options.allow, offline=options.offline,
            open_resources=self._open_resources,
        )  # fmt: skip
        self.opened = self._stack.enter_context(runner.open_run(plan, run))
        return self.opened

    def _open_resources(self, **own: object) -> RunResources:
        resources = RunResources(**own)  # type: ignore[arg-type] # from `open_run`
        resources.tools = MemberTools(
            shared=self.context.tools, siblings=self._siblings, scratch=resources.scratch
        )  # fmt: skip
        return resources

    def _siblings(self, index: Index | None) -> Sequence[Sibling]:
        return self.context.siblings(self.name, index)

    def _scratch(self, name: str) -> Path:
        """For what is read before the run has a directory of its own."""
        return self._stack.enter_context(temporary_directory()) / name

    def end(self, reason: ReleaseError) -> None:
        """End the run; `reason`: why it is not complete, although nothing of its own failed."""
        if self.opened is None:
            return
        if self.failure is None and self._done < len(self.opened.state.plan.steps):
            self.stopped, self.failure = True, (None, RefusedError(reason.message, remedy=reason.remedy))
        self.result = self.opened.end(self.failure)

    def finished(self, *, seconds: float) -> MemberFinished:
        """The event for the end of the part that was executed last."""
        member, error = self.facts.member, self.failure[1] if self.failure else None
        status: Literal["done", "refused", "stopped"] = "done"
        if error is not None:
            status = "stopped" if self.stopped else "refused"
        return MemberFinished(
            member=member.name, version=member.version, status=status, seconds=seconds,
            note=error.message if error and not self.stopped else "",
            remedy=error.remedy if error and not self.stopped else "",
        )  # fmt: skip

    def close(self) -> None:
        """Release the member's lock, and remove its temporary files."""
        self._stack.close()


def _first_part(steps: Sequence[Step]) -> int:
    """The number of the first step that is not done for all members before anything else."""
    if isinstance(steps[0], plans.Build) and steps[0].origin == "given":
        return steps.index(plans.CheckFiles()) + 1
    return next(
        (n for n, step in enumerate(steps) if not isinstance(step, plans.CheckSource | plans.CheckCredentials)),
        len(steps),
    )


def _first_lasting(steps: Sequence[Step]) -> int:
    """The number of the first step that no later one can undo, or that follows the last dry run."""
    return next((n for n, step in enumerate(steps) if _is_lasting(step)), len(steps))


def _is_lasting(step: Step) -> bool:
    return isinstance(step, Promotion) or (isinstance(step, Upload) and step.index != plans.SANDBOX)


def _end_of(steps: Sequence[Step], index: str) -> int:
    """The number of the step after the last one for an index: the steps that follow the last index belong to it.

    But the push of the commit, which is that of all members.
    """
    names = [step.index for step in steps if isinstance(step, Upload) and step.index != plans.SANDBOX]
    if index not in names:
        return 0
    if index == names[-1]:
        return len(steps) - isinstance(steps[-1], plans.PushCommit)
    confirmed = (n for n, step in enumerate(steps) if isinstance(step, plans.Confirm) and step.index == index)
    return next(confirmed) + 1
