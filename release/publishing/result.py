"""The result of a run: exit status, message, remedy, and the one command to run next. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from release.checks import post_upload, published_release, tag_checks
from release.core.errors import Exit, RefusedError, ReleaseError
from release.core.models.check_result import CheckState, Outcome, blocking_problem, first_problem
from release.core.models.distribution import Distribution, Receipt, UploadResult
from release.core.models.results import RunResult
from release.core.offline import OFFLINE
from release.core.plan import AFTER_RELEASE, SANDBOX, CheckCredentials, Confirm, Plan, PushTag, Step, Tag, Upload
from release.core.repeated_command import RepeatedCommand
from release.core.shell import command_line
from release.core.time_text import format_count, format_time

#: up to this many file names are listed one by one
_FEW = 12
#: options of a build or a rehearsal that the command after it does not have
_ONLY_BEFORE = ("--output", "--siblings", "--built", "--allow", "--offline")


class RunState(Struct, frozen=True, kw_only=True):
    """What a run has done until its end."""

    plan: Plan
    files: Sequence[Distribution]
    #: index name → the result of each upload
    uploads: Mapping[str, Sequence[UploadResult]]
    #: names of lasting indexes that this run has, or may have, uploaded something to
    touched: Collection[str]
    #: outcomes that block, but did not stop this run
    ignored: Sequence[Outcome] = ()
    #: whether a rehearsal succeeds although some of them would block a release
    allow: bool = False
    #: whether any step with a lasting effect had something to do
    changed: bool
    #: the command that repeats the run
    command: RepeatedCommand
    #: name of a lasting index → when it stops accepting files for this release; aware, UTC
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    outcomes: Sequence[Outcome] = ()
    #: path of the journal
    journal: str = ""
    #: whether no index was asked
    offline: bool = False


class ChecksFailedError(RefusedError):
    """Checks of one or more steps failed."""


def checks_failed(outcomes: Iterable[Outcome]) -> ChecksFailedError:
    """The error for outcomes of which at least one blocks: the first problem, and the number of failed checks."""
    problem = blocking_problem(outcomes)
    assert problem is not None
    return ChecksFailedError(problem.message, remedy=problem.remedy, cause=problem.cause, option=problem.option)


def succeeded(run: RunState) -> RunResult:
    """The result of a run that executed its whole plan."""
    if run.plan.verb == "rehearse":
        return _rehearsed(run)
    if run.plan.verb == "check" and run.offline:
        return _checked_offline(run)
    return _result(run, exit_=Exit.DONE, message=_success_message(run), remedy="", next_command=_next_command(run))


def _checked_offline(run: RunState) -> RunResult:
    """The result of a check that asked no index: what nothing is wrong with is not ready for that reason."""
    indexes = [step.index for step in run.plan.steps if isinstance(step, CheckCredentials)]
    unconfirmed = f"; not confirmed by {' and '.join(indexes)}" if indexes else ""
    message = f"no problem found offline in {_release(run.plan)}{unconfirmed}"
    remedy = f"unset {OFFLINE}, then run: {run.command}" if indexes else ""
    return _result(run, exit_=Exit.DONE, message=message, remedy=remedy, next_command="")


def _rehearsed(run: RunState) -> RunResult:
    """The result of a rehearsal.

    A rehearsal needs no repository, no clean tree, no branch and no tag: what is wrong with them is named, but is no
    failure. All else that would block a release is one, unless it is allowed.
    """
    state = tag_checks.OF_THE_REPOSITORY
    faults = [one for one in run.ignored if one.check not in state]
    problem = first_problem(faults or run.ignored)
    waived = _waived(run)
    works = f"; waived: {waived}" if waived else ", and it installs and works"
    rehearsed = f"{_release(run.plan)} was rehearsed: the index accepted it{works}"
    if problem is None:
        return _result(run, exit_=Exit.DONE, message=rehearsed, remedy="", next_command=_next_command(run))
    others = len(faults or run.ignored) - 1
    more = f" (and {format_count(others, 'more failed check')})" if others else ""
    if run.allow or not faults:
        when = "but this would block a release" if faults else "before a release"
        message = f"{rehearsed}; {when}: {problem.message}{more}"
        return _result(
            run, exit_=Exit.DONE, message=message, remedy=problem.remedy, next_command=_next_command(run)
        )  # fmt: skip
    remedy = problem.remedy
    if "\n" not in remedy:  # after lines of configuration it would be pasted with them
        remedy = f"{remedy}; to accept it in a rehearsal only: {run.command.with_option('--allow')}"
    message = f"{problem.message}{more}; this would block a release of {_release(run.plan)}"
    return _result(
        run, exit_=Exit.REFUSED, message=message, remedy=remedy, next_command=str(run.command), cause=problem.cause
    )  # fmt: skip


def _release(plan: Plan) -> str:
    return f"{plan.project} {plan.version}" if plan.project else "this project"


def failed(run: RunState, step: Step | None, error: ReleaseError) -> RunResult:
    """The result of a run that stopped at `step`; None where it stopped outside any step."""
    exit_ = _exit(run, step, error)
    message = error.message
    if exit_ == Exit.INCOMPLETE:
        parts = [message, *_uploaded_texts(run)]
        if isinstance(step, AFTER_RELEASE):  # they follow a published release
            left = run.plan.steps[run.plan.steps.index(step) :]
            parts.append(f"not done: {', '.join(one.title for one in left)}")
        message = "; ".join(parts)
    elif exit_ == Exit.UNCHANGED and isinstance(step, Upload):
        message = f"{message}; {step.index} is unchanged"
    return _result(
        run, exit_=exit_, message=message, remedy=error.remedy, cause=error.cause,
        next_command=str(run.command.with_option(*error.option)),
    )  # fmt: skip


def _result(  # noqa: PLR0913 - what a result has in addition to the run
    run: RunState, *, exit_: Exit, message: str, remedy: str, next_command: str, cause: str | None = None
) -> RunResult:
    uploads = {name: tuple(results) for name, results in run.uploads.items()}
    return RunResult(
        plan=run.plan, exit=exit_, message=message, remedy=remedy, next_command=next_command, uploads=uploads,
        outcomes=tuple(run.outcomes), files=tuple(run.files), record=run.journal, cause=cause,
    )  # fmt: skip


def _exit(run: RunState, step: Step | None, error: ReleaseError) -> Exit:
    if isinstance(step, Upload) and step.index != SANDBOX:
        if _accepted(run, step.index) or step.index in run.touched:
            return Exit.INCOMPLETE
        if run.uploads.get(step.index):
            return Exit.UNCHANGED
    return Exit.INCOMPLETE if run.touched or isinstance(step, AFTER_RELEASE) else error.exit


def _accepted(run: RunState, index: str) -> list[str]:
    return [result.filename for result in run.uploads.get(index, ()) if isinstance(result, Receipt)]


def _uploaded_texts(run: RunState) -> Iterator[str]:
    """Which files each lasting index has, and which it may lack."""
    for name in run.plan.targets:
        if name == SANDBOX or name not in run.uploads:
            continue
        there = _accepted(run, name)
        missing = [file.filename for file in run.files if file.filename not in there]
        yield f"on {name}: {_names(there) or 'nothing for certain'}"
        if missing:
            yield f"not known to be on {name}: {_names(missing)}"
        if missing and there and name in run.deadlines:
            yield f"{name} accepts files for this release until {format_time(run.deadlines[name])}"


def _names(files: Sequence[str]) -> str:
    """All file names, or their number where there are many."""
    if len(files) <= _FEW:
        return ", ".join(files)
    return f"{len(files)} files ({', '.join(files[:2])}, … {files[-1]})"


def _success_message(run: RunState) -> str:
    plan = run.plan
    release = _release(plan)
    confirmed = [step.index for step in plan.steps if isinstance(step, Confirm)]
    where = " and ".join([name for name in confirmed if name != SANDBOX] or confirmed)
    if plan.verb == "check":
        return f"{release} is ready to be released"
    if plan.verb == "build":
        return f"{release} is built: {', '.join(file.filename for file in run.files)}"
    if plan.verb != "confirm" and not run.changed:
        return f"nothing to do: {release} is on {where}, confirmed"
    waived = _waived(run)
    return f"{release} is on {where}, confirmed" + (
        f"; waived: {waived}" if waived else ": hashes verified, installed and tested"
    )


def _waived(run: RunState) -> str:
    """The names of the waived checks of what was uploaded: what they would show is not claimed."""
    uploaded = {check.name for checklist in (post_upload.CHECKS, published_release.CHECKS) for check in checklist}
    waived = (one.check for one in run.outcomes if one.state == CheckState.WAIVED and one.check in uploaded)
    return ", ".join(dict.fromkeys(waived))


def tag_to_push(plan: Plan) -> Tag | None:
    """The tag that the plan creates for a remote, and does not push; None if there is none."""
    tag = next((step for step in plan.steps if isinstance(step, Tag)), None)
    pushes = any(isinstance(step, PushTag) for step in plan.steps)
    return tag if tag and tag.remote and not pushes else None


def _next_command(run: RunState) -> str:
    plan, tag = run.plan, tag_to_push(run.plan)
    if tag and run.changed:
        return command_line(run.command.shell, "git", "push", str(tag.remote), tag.name)
    following = {"rehearse": "check", "check": "release", "build": "rehearse", "testpypi": "publish"}
    verb = "publish" if plan.verb == "rehearse" and plan.uses_prebuilt else following.get(plan.verb)
    if verb is None:
        return ""
    command = run.command.without(*_ONLY_BEFORE).with_verb(verb)
    built = (("--built", ()),) if plan.verb == "build" else ()
    return str(replace(command, options=(*built, *command.options)))
