"""The state of one run, and how it executes each step of its plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters import collect, project_config
from release.adapters.system.crash_report import report_crash
from release.adapters.system.system import System
from release.adapters.twine.twine_reader import TwineReader
from release.checks import distributions, engine, leak_checks, post_upload, reproducibility, source_checks, tag_checks
from release.core import plan as plans
from release.core import wheel_tags
from release.core.config import Config
from release.core.errors import RefusedError, ReleaseError, from_os_error
from release.core.events import CheckFinished, Message, Observer, StepFinished, StepStarted
from release.core.facts import Access, ProjectMetadata, Source
from release.core.models import check_result
from release.core.models.check_result import BlockingProblem, NotApplicable, Outcome, Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.file_list import FileList, expected_files
from release.core.models.index import Index, ProjectListing
from release.core.models.results import RunResult, StepResult
from release.core.models.source_tree import SourceTree
from release.core.plan import SANDBOX, Plan, Step
from release.core.redaction import Redactor
from release.core.repeated_command import RepeatedCommand
from release.leaks import search
from release.publishing import access, adoption, build, compare, prebuilt, promote, result, stored_verdict
from release.publishing.answer_timer import AnswerTimer
from release.publishing.journal import Journal
from release.publishing.last_release import LastRelease
from release.publishing.later_modules import load_later_modules
from release.publishing.run_resources import RunResources
from release.publishing.running_build import EarlyBuild

Facts = TypeVar("Facts")
#: called with the access that does not work, and why; returns another credential, or None
RenewCredential = Callable[[Access, BlockingProblem], Credential | None]
#: how often a new credential is requested for one index
_RENEWALS = 3
#: steps without effects, which are all executed even if the checks of one fail
_HARMLESS = plans.CheckSource | plans.CheckCredentials


class PlanRun(Struct, kw_only=True, dict=True):
    """The state of one run."""

    plan: Plan
    config: Config
    source: Source
    directory: Path
    system: System
    notify: Observer
    approve: Callable[[Plan, str | None], bool]
    renew: RenewCredential | None
    journal: Journal
    resources: RunResources
    last_release: LastRelease
    files: tuple[Distribution, ...]
    #: the list of the files that the build has made; None without one
    listed: FileList | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    approved: bool = False
    #: index name → its listing when the credentials were checked; None: no such project
    listings: dict[str, ProjectListing | None] = field(default_factory=dict)
    #: index name → the access that was checked
    accesses: dict[str, Access] = field(default_factory=dict)
    #: outcomes that block, but did not stop the run
    ignored: list[Outcome] = field(default_factory=list)
    #: whether a rehearsal succeeds although some of them would block a release
    allow: bool
    #: whether a check or a rehearsal asks no index
    offline: bool
    #: the build of the tree, if it was started before the run
    early: EarlyBuild | None = None
    #: whether any step with a lasting effect had something to do
    changed: bool = False
    #: of the current step
    answers: AnswerTimer = field(default_factory=AnswerTimer)

    def execute(self, steps: Iterable[Step]) -> tuple[Step, ReleaseError] | None:
        """Execute these steps of the plan in order. The step that failed and why, or None.

        The checks of the source and of all indexes are run even if one of them fails: they have no effects.
        """
        blocked: Step | None = None
        for step in steps:
            if blocked is not None and not isinstance(step, _HARMLESS):
                break
            title, started, self.answers = step.title, time.monotonic(), AnswerTimer()
            failure: ReleaseError | None = None
            done = StepResult(changed=False)
            try:
                self.notify(StepStarted(title=title))
                done = self._execute(step)
            except KeyboardInterrupt:
                failure = ReleaseError("interrupted", remedy="run the command again: it continues where it stopped")
            except ReleaseError as error:
                failure = error
            except OSError as error:
                failure = from_os_error(error)
            except Exception as error:  # noqa: BLE001 - it must not hide what was uploaded
                failure = report_crash(error, self.system.env)
            prompted = self.answers.seconds
            seconds = time.monotonic() - started - prompted
            ended = StepFinished(title=title, status="refused", note="", seconds=seconds, prompted=prompted)
            if failure is not None:
                self.notify(replace(ended, note=failure.message))
                if not (isinstance(failure, result.ChecksFailedError) and isinstance(step, _HARMLESS)):
                    return step, failure
                blocked = blocked or step
                continue
            self.changed = self.changed or (done.changed and plans.has_lasting_effect(step))
            self.notify(replace(ended, status="done" if done.changed else "skipped", note=done.note))
        return None if blocked is None else (blocked, result.checks_failed(self.outcomes))

    def _execute(self, step: Step) -> StepResult:
        match step:
            case plans.CheckSource():
                return self._check(source_checks.CHECKS + tag_checks.CHECKS, self.source, stops=self.plan.strict)
            case plans.CheckCredentials(index=name):
                return self._check_credentials(name)
            case plans.Build(origin="given"):
                prebuilt.reject_changed(self.files, self.directory)
                for line in wheel_tags.platforms_to_lines([file.filename for file in self.files]):
                    self.notify(Message(text=line))
                return StepResult(changed=False, note=prebuilt.files_to_text(self.files))
            case plans.Build(origin=origin):
                self._fetch_last_release()  # in parallel to the build
                return self._build(origin)
            case plans.CheckFiles():
                self._fetch_last_release()  # where only the build backend knows name and version
                return self._check_files()
            case plans.Upload(index="sandbox") if self.plan.strict and self._stored_verdict(SANDBOX):
                return StepResult(changed=False, note=f"the same {len(self.files)} files were accepted before")
            case plans.Upload(index=name):
                approve = self._require_approval if name != SANDBOX else lambda: None
                return self.resources.upload(
                    self._index(name), self._project(), self.files, self.journal, approve=approve,
                    check=partial(self._check, post_upload.CHECKS, subject=f"{name} (stage)"),
                )  # fmt: skip
            case plans.Confirm(index=name):
                return self._confirm(name)
            case _:
                return promote.execute_promotion(
                    step, plan=self.plan, config=self.config, system=self.system, directory=self.directory,
                    files=self.files, journal=self.journal,
                )  # fmt: skip

    def _fetch_last_release(self) -> None:
        """A rehearsal asks the release index, which need not answer; other runs have its listing already.

        With prebuilt files, the index is only read before they are judged: nothing is sent to it, not even a probe.
        """
        plan = self.plan
        if plan.uses_prebuilt and plan.project is not None:
            for name in (one for one in plan.targets if one != SANDBOX):
                listing = collect.collect_listing(self.config.index(name), plan.project)
                if not isinstance(listing, Unknown):  # which the checks of the credentials report
                    self.listings[name] = listing
                if isinstance(listing, ProjectListing) and plan.version is not None:
                    self.last_release.fetch(listing, plan.version)
        if not (plan.strict or self.offline or plan.project is None or plan.version is None):
            self.last_release.fetch_if_reachable(self.config.index("pypi"), plan.project, plan.version)

    # -- checks ------------------------------------------------------------------------------------

    def _check(
        self, checks: Iterable[engine.Check[Facts]], facts: Facts, *, stops: bool = True, subject: str = ""
    ) -> StepResult:
        outcomes = engine.run(checks, facts, waive=self.config.waive, block=self.config.block, subject=subject)
        return self._evaluate(outcomes, stops=stops)

    def _evaluate(self, outcomes: Iterable[Outcome], *, stops: bool) -> StepResult:
        """Show the outcomes. Raises `RefusedError` where any of them blocks and `stops`."""
        shown = []
        for outcome in outcomes:
            shown.append(outcome)
            self.outcomes.append(outcome)
            self.notify(CheckFinished(outcome=outcome, stops=stops))
        if stops and any(outcome.state.blocks for outcome in shown):
            raise result.checks_failed(shown)
        self.ignored += [outcome for outcome in shown if outcome.state.blocks]
        return StepResult(changed=True)

    def _check_credentials(self, name: str) -> StepResult:
        facts, outcomes = self._access(name)
        for _ in range(_RENEWALS):
            problem = check_result.blocking_problem(outcomes)
            if problem is None or self.renew is None or self.resources.uploads:
                break
            if not access.may_renew(self.plan, self.outcomes, outcomes):
                break
            credential = self.answers.ask(partial(self.renew, facts, problem))
            if credential is None:
                break
            facts, outcomes = self._access(name, credential)
        self.accesses[name] = facts
        self.resources.use_credential(name, facts.credential, facts.skew, facts.proof)
        if not isinstance(facts.listing, Unknown | NotApplicable):
            self.listings[name] = facts.listing
            compares = not self.plan.uses_prebuilt and any(isinstance(one, plans.CheckFiles) for one in self.plan.steps)
            if compares and facts.listing is not None and self.plan.version is not None:
                self.last_release.fetch(facts.listing, self.plan.version)
        return self._evaluate(outcomes, stops=self.plan.strict)

    def _access(self, name: str, credential: Credential | None = None) -> tuple[Access, tuple[Outcome, ...]]:
        """The access to an index and the outcomes of its checks; `credential` replaces the one of the sources."""
        return access.check_access(
            self.system, self.config, name, self.source, ours=build.known_hashes(self.journal, self.files),
            directory=self.directory, credential=credential, plan=self.plan, notify=self.notify, offline=self.offline,
        )  # fmt: skip

    def _check_files(self) -> StepResult:
        """A release stops at any rejection; a rehearsal continues with the files that the index would accept."""
        project = None if isinstance(self.source.project, Unknown) else self.source.project
        conflicts = tuple(compare.find_conflicts(self.files, self.listings, self.config))
        given = (self.system, self.files, conflicts, self.listings, self.journal)
        if not self.plan.uses_prebuilt and (released := adoption.adopt_released_files(*given)):
            self.notify(Message(text=adoption.ADOPTED))
            self.files, conflicts = released, ()
        with TwineReader(env=self.system.env) as twine:
            facts = replace(
                collect.collect_built(self.system, self.files, project, ask_twine=twine.objection),
                leaks=search.with_age(self.system, self.directory, search.scan_distributions(self.files)),
                conflicts=conflicts,
                previous=self.last_release.result(),
                given=self.plan.uses_prebuilt,
                pinned_build=self.config.pinned_build,
                expected=expected_files(self.config.expected) if self._is_whole and self.config.expected else None,
                listed=self.listed,
                listings=tuple((self.config.index(name), listing) for name, listing in self.listings.items()),
            )
            if not self.plan.uses_prebuilt:
                commit = None if self.plan.builds_tree else self.plan.commit
                again, from_tree = compare.second_build(
                    self.resources.build_system(), self.config, self.directory, commit, self.resources.scratch
                )
                facts = replace(
                    facts, source_checked=True, second_build=again, from_tree=from_tree,
                    source_tree=self._source_tree, build_environments=self.journal.build_environments(),
                    backend_warnings=self.journal.backend_warnings(),
                )  # fmt: skip
            checks = [*distributions.CHECKS, *reproducibility.OF_INDEXES, *leak_checks.OF_BUILT]
            checks += compare.comparison_checks(facts)
            of_pipeline = tag_checks.OF_THE_PIPELINE if self.plan.uses_prebuilt else ()
            outcomes = (
                *engine.run(of_pipeline, self.source, waive=self.config.waive, block=self.config.block),
                *engine.run(checks, facts, waive=self.config.waive, block=self.config.block),
            )
        refused = check_result.refused_files(outcomes)
        rest = tuple(file for file in self.files if file.filename not in refused)
        continues = not self.plan.strict and bool(rest) and refused <= {file.filename for file in self.files}
        done = self._evaluate(outcomes, stops=not continues)
        if refused:
            names = ", ".join(file.filename for file in rest)
            self.notify(Message(text=f"continuing with the files the index would accept: {names}"))
            self.files = rest
        return done

    @property
    def _is_whole(self) -> bool:
        """Whether the files must be all of the release; a build for this machine alone need not be."""
        return self.plan.uses_prebuilt or bool(self.plan.irreversible)

    # -- effects -----------------------------------------------------------------------------------

    def _build(self, origin: str) -> StepResult:
        self.resources.use_python(self.source.python)
        done = build.build_files(
            self.resources.build_system(), self.directory, self.journal, origin=origin, scratch=self.resources.scratch,
            notify=self.notify, meanwhile=self._prepare_checks, early=self.early,
        )  # fmt: skip
        self.files = done.files
        if isinstance(self.source.project, Unknown):  # only the build backend knows name and version
            project = collect.project_of_files(self.files)
            self.source = collect.with_project(self.source, self.system, self.directory, project)
            self.plan = replace(self.plan, project=project.name, version=project.version)
            self.journal = replace(self.journal, version=project.version)
        names = ", ".join(file.filename for file in self.files)
        return StepResult(changed=done.built, note=names if done.built else f"built before: {names}")

    def _require_approval(self) -> None:
        if not self.approved:
            new_on = promote.new_project_index(self.plan, self.listings, self.resources.trusted)
            self.approved = self.answers.ask(partial(self.approve, self.plan, new_on))
            if not self.approved:
                raise RefusedError("not confirmed", remedy="answer y, or pass --yes")

    def _confirm(self, name: str) -> StepResult:
        earlier = self._stored_verdict(name)
        if earlier is not None and self.plan.verb != "confirm":
            self._evaluate(earlier, stops=True)
            return StepResult(changed=False, note="already confirmed")
        config, journal, project = self.config, self.journal, self._project()
        facts = self.resources.fetch_uploaded(self._index(name), project, self.files, journal, source=self._source_tree)
        facts = compare.name_siblings(self.system, self.directory, facts)
        outcomes = tuple(engine.run(post_upload.CHECKS, facts, waive=config.waive, block=config.block, subject=name))
        done = self._evaluate(outcomes, stops=True)
        stored_verdict.store_verdict(journal, self._key(name), outcomes, Redactor(self.resources.credentials.values()))
        return done

    def _prepare_checks(self) -> None:
        """Do what later steps need, while the build runs; what fails is reported there."""
        load_later_modules(self.plan, self.directory)
        with suppress(ReleaseError, OSError):
            _ = self._source_tree
            name = self.plan.project or project_config.load_project_name(self.directory)
            if name is not None and plans.Upload(index=SANDBOX) in self.plan.steps:
                self.resources.sandbox(name)

    @cached_property
    def _source_tree(self) -> SourceTree | None:
        """What git has of the project when the run first compares it with the files."""
        return compare.collect_source_tree(self.system, self.directory)

    def _stored_verdict(self, name: str) -> Sequence[Outcome] | None:
        """The outcomes of an earlier confirmation of the same files, where they still count."""
        if name == SANDBOX and self.resources.shares_sandbox:
            return None  # siblings take the files from there, and may be others than in that confirmation
        return stored_verdict.load_verdict(self.journal, self._key(name))

    def _key(self, name: str) -> stored_verdict.ConfirmationKey:
        return stored_verdict.confirmation_key(name, self.files, self.config)

    def _project(self) -> ProjectMetadata:
        name, version = plans.require_name(self.plan)
        return ProjectMetadata(name=name, version=version)

    def _index(self, name: str) -> Index:
        return self.resources.sandbox(self._project().name) if name == SANDBOX else self.config.index(name)

    def result(self, failure: tuple[Step | None, ReleaseError] | None, command: RepeatedCommand) -> RunResult:
        state = result.RunState(
            plan=self.plan, files=self.files, uploads=self.resources.uploads, touched=self.resources.touched,
            ignored=self.ignored, allow=self.allow, changed=self.changed, command=command,
            deadlines=self.resources.deadlines, outcomes=self.outcomes, offline=self.offline,
            journal=str(self.journal.directory / "journal.jsonl"),
        )  # fmt: skip
        return result.failed(state, *failure) if failure else result.succeeded(state)
