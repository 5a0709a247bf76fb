"""Carries out a plan: step by step, stopping at the first refusal, with a journal line for each effect."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from release.adapters import collect
from release.adapters.system.system import System
from release.checks import (
    credential_checks,
    distributions,
    engine,
    leak_checks,
    reproducibility,
    source_checks,
    versions,
)
from release.core import plan as plans
from release.core.config import Config
from release.core.errors import RefusedError, ReleaseError, from_os_error
from release.core.events import CheckFinished, Message, Observer, StepFinished, StepStarted
from release.core.facts import ProjectMetadata, Source
from release.core.models.check_result import Outcome
from release.core.models.distribution import Distribution
from release.core.models.finding import NotApplicable, Unknown
from release.core.models.index import Index
from release.core.models.run_result import RunResult
from release.core.plan import SANDBOX, Plan, Step
from release.credentials import verify
from release.leaks import search
from release.publishing import attest, build, compare, prebuilt, promote, recorder, result
from release.publishing import journal as journals
from release.publishing.run import Run
from release.publishing.run_resources import RunResources

Facts = TypeVar("Facts")

#: steps that look and change nothing
_LOOKING = (plans.CheckSource, plans.CheckCredentials, plans.CheckFiles)


def run_plan(  # noqa: PLR0913 - a plan, and the world that it is carried out in
    plan: Plan,
    *,
    config: Config,
    source: Source,
    directory: Path,
    system: System,
    tell: Observer,
    confirm: Callable[[Plan, str | None], bool],
    command: str,
    files: tuple[Distribution, ...] = (),
    deliver: Callable[..., RunResources] = RunResources,
) -> RunResult:
    """Run the plan to its end or to its first refusal. Raises nothing expected: the account says it.

    `command` is what the user would type to run it again; `files` are those that are given; `deliver` carries them.
    """
    watch = recorder.Recorder(forward=tell, system=system)
    with journals.lock_project(directory), ExitStack() as stack:
        journal = journals.for_plan(plan, directory)
        delivery = stack.enter_context(
            deliver(system=system, tell=watch.tell, plan=plan, config=config, expected=len(files))
        )
        run = Run(
            plan=plan, config=config, source=source, directory=directory, system=system, tell=watch.tell, files=files,
            confirm=confirm, journal=journal, delivery=delivery, pool=stack.enter_context(ThreadPoolExecutor(1)),
        )  # fmt: skip
        try:
            journal.write("begun", verb=plan.verb, steps=[step.title for step in plan.steps])
            end = _end(run, _steps(run), command)
            run.journal.write("ended", verb=plan.verb, exit=int(end.exit))
        except OSError as error:
            end = _end(run, (None, from_os_error(error)), command)
        return recorder.record_run(
            _account(run, end), watch, config=config, tag=run.source.tag, directory=directory, journal=run.journal,
            secrets=delivery.credentials.values(),
        )  # fmt: skip


def _steps(run: Run) -> tuple[Step, ReleaseError] | None:
    """Do the steps in order. The step that stopped the run and why, or None."""
    for step in run.plan.steps:
        title, begun = step.title, time.monotonic()
        try:
            run.tell(StepStarted(title=title))
            done, note = _do(run, step)
        except KeyboardInterrupt:
            failure: ReleaseError | None = ReleaseError(
                "interrupted", remedy="run it again: it goes on where it stopped"
            )
        except ReleaseError as error:
            failure = error
        except OSError as error:
            failure = from_os_error(error)
        else:
            failure = None
        took = time.monotonic() - begun
        if failure is not None:
            run.tell(StepFinished(title=title, status="refused", note=failure.message, seconds=took))
            return step, failure
        run.busy = run.busy or (done and not isinstance(step, _LOOKING))
        run.tell(StepFinished(title=title, status="done" if done else "skipped", note=note, seconds=took))
    return None


def _do(run: Run, step: Step) -> tuple[bool, str]:
    """Whether there was anything to do, and what there is to say of it."""
    match step:
        case plans.CheckSource():
            return _check(run, source_checks.CHECKS + versions.OF_THE_SOURCE, run.source, stops=run.plan.strict)
        case plans.CheckCredentials(index=name):
            ours = build.known_hashes(run.journal, run.files)
            index = run.config.index(name)
            facts = verify.inspect(run.system, index, run.source.project, ours=ours, waive=run.config.waive)
            run.delivery.credential(name, facts.credential, facts.skew)
            if not isinstance(facts.listing, Unknown | NotApplicable):
                run.listings[name] = facts.listing
            compare.fetch(run, facts.listing)
            facts = attest.predict_signing(run.system, run.config, facts)
            return _check(
                run, credential_checks.CHECKS + credential_checks.OF_SIGNING, facts, stops=run.plan.strict, subject=name
            )
        case plans.Build(origin="given"):
            prebuilt.reject_changed(run.files, run.directory)
            return False, f"{len(run.files)} given"
        case plans.Build(origin=origin):
            return _build(run, origin)
        case plans.CheckFiles():
            return _inspect_built(run)
        case plans.Upload(index=name):
            return _upload(run, name)
        case plans.Confirm(index=name):
            return _verify(run, name)
        case plans.CompareWithDryRun() | plans.Tag() | plans.PushTag() | plans.ReleaseOnGitHub():
            return promote.do(run, step)


def _check(
    run: Run, checks: Iterable[engine.Check[Facts]], facts: Facts, *, stops: bool = True, subject: str = ""
) -> tuple[bool, str]:
    outcomes = engine.run(checks, facts, waive=run.config.waive, block=run.config.block, subject=subject)
    return _judge(run, outcomes, stops=stops)


def _judge(run: Run, outcomes: Iterable[Outcome], *, stops: bool) -> tuple[bool, str]:
    blocking = 0
    for outcome in outcomes:
        run.outcomes.append(outcome)
        run.tell(CheckFinished(outcome=outcome, stops=stops))
        blocking += outcome.state.blocks
    if blocking and stops:
        raise RefusedError(
            f"{blocking} check{'s' if blocking > 1 else ''} did not pass", remedy="do what the arrows above say"
        )
    run.later += blocking
    return True, f"{blocking} would stop a release" if blocking else ""


def _inspect_built(run: Run) -> tuple[bool, str]:
    """A release stops at any refusal; a rehearsal goes on with the files that the index would take."""
    known = None if isinstance(run.source.project, Unknown) else run.source.project
    built = replace(collect.collect_built(run.system, run.files, known), leaks=search.scan_distributions(run.files))
    taken = promote.find_conflicts(run.files, run.listings, run.config, run.config.dry_run_on or "testpypi")
    built = replace(built, taken=tuple(taken))
    facts = built if run.plan.uses_prebuilt else compare.add_comparisons(run, built)
    checks = distributions.CHECKS + reproducibility.OF_INDEXES + leak_checks.OF_BUILT + compare.comparison_checks(facts)
    outcomes = tuple(engine.run(checks, facts, waive=run.config.waive, block=run.config.block))
    refused = {where for outcome in outcomes if outcome.state.blocks for where in _places(outcome)}
    rest = tuple(file for file in run.files if file.filename not in refused)
    goes_on = not run.plan.strict and bool(rest) and refused <= {file.filename for file in run.files}
    done = _judge(run, outcomes, stops=not goes_on)
    if refused:
        run.tell(Message(text=f"goes on with what the index would take: {', '.join(f.filename for f in rest)}"))
        run.files = rest
    return done


def _places(outcome: Outcome) -> set[str | None]:
    """The files that an outcome is about; None where it is about all of them."""
    return {finding.where for finding in outcome.findings if finding.severity == "block"} or {None}


def _build(run: Run, origin: str) -> tuple[bool, str]:
    done, run.files = build.build_files(
        run.system, run.directory, run.journal, origin=origin, scratch=run.delivery.scratch, tell=run.tell
    )
    if isinstance(run.source.project, Unknown):
        _learn(run)
    names = ", ".join(file.filename for file in run.files)
    return done, names if done else f"built before: {names}"


def _learn(run: Run) -> None:
    """Name and version from the files, where only the build knew them."""
    known = collect.project_of_files(run.files)
    run.source = collect.with_project(run.source, run.system, run.directory, known)
    run.plan = replace(run.plan, project=known.name, version=known.version)
    run.journal = replace(run.journal, version=known.version)


def _upload(run: Run, name: str) -> tuple[bool, str]:
    def ready() -> None:
        if name != SANDBOX and not run.confirmed:
            run.confirmed = run.confirm(run.plan, promote.new_project_index(run))
            if not run.confirmed:
                raise RefusedError("not confirmed", remedy="answer y, or pass --yes")

    return run.delivery.upload(_index(run, name), _name(run), run.files, run.journal, ready=ready)


def _verify(run: Run, name: str) -> tuple[bool, str]:
    index = _index(run, name)
    hashes = sorted(file.sha256 for file in run.files)
    if run.plan.verb != "confirm" and run.journal.last("verified", index=name, url=_mark(index), files=hashes):
        return False, f"verified on {name} before"
    facts = run.delivery.verify(index, _name(run), run.files, run.journal)
    from release.checks import post_upload

    done = _check(run, post_upload.CHECKS, facts, subject=name)
    run.journal.write("verified", index=name, url=_mark(index), files=hashes)
    return done


def _mark(index: Index) -> str:
    """What tells one index from another in the journal; every sandbox is as good as the next."""
    return "" if index.ephemeral else index.upload_url


def _name(run: Run) -> ProjectMetadata:
    name, version = plans.require_name(run.plan)
    return ProjectMetadata(name=name, version=version)


def _index(run: Run, name: str) -> Index:
    return run.delivery.sandbox(_name(run).name) if name == SANDBOX else run.config.index(name)


def _end(run: Run, failed: tuple[Step | None, ReleaseError] | None, command: str) -> result.Ending:
    course = result.Course(
        plan=run.plan, files=run.files, answers=run.delivery.answers, touched=run.delivery.touched,
        later=run.later, busy=run.busy, command=command, closes=run.delivery.closes,
    )  # fmt: skip
    return result.stopped(course, *failed) if failed else result.well(course)


def _account(run: Run, end: result.Ending) -> RunResult:
    return RunResult(
        plan=run.plan,
        exit=end.exit,
        message=end.message,
        remedy=end.remedy,
        next_command=end.next_command,
        outcomes=tuple(run.outcomes),
        files=run.files,
        uploads={name: tuple(answers) for name, answers in run.delivery.answers.items()},
        record=str(run.journal.directory / "journal.jsonl"),
    )
