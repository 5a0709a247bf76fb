"""How a run ended: exit status, what happened, the one next command. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from release.core.errors import Exit, ReleaseError
from release.core.models.distribution import Distribution
from release.core.models.upload_result import Receipt, UploadResult
from release.core.plan import SANDBOX, Confirm, Plan, PushTag, ReleaseOnGitHub, Step, Tag, Upload
from release.publishing.upload.pending import moment

#: file names that are told one by one
_FEW = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The last words of a run."""

    exit: Exit
    #: what happened
    message: str
    #: what to do about it; empty where all is well
    remedy: str
    #: the one next command; empty where nothing is left
    next_command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How far a run got."""

    plan: Plan
    files: Sequence[Distribution]
    #: index name → what became of each file there
    answers: Mapping[str, Sequence[UploadResult]]
    #: names of lasting indexes that this run has put, or may have put, something on
    touched: Collection[str]
    #: checks that did not pass and did not stop the run either
    later: int
    #: whether any step found something to do
    busy: bool
    #: what the user types to run the same again
    command: str
    #: names of lasting indexes → when they take no more files of this release; aware, UTC
    closes: Mapping[str, datetime] = field(default_factory=dict)


def well(course: Course) -> Ending:
    """The end of a run that did everything that its plan says."""
    return Ending(exit=Exit.DONE, message=_done(course), remedy="", next_command=_following(course))


def stopped(course: Course, step: Step | None, error: ReleaseError) -> Ending:
    """The end of a run that stopped at `step`; None where it stopped outside any."""
    exit_ = _exit(course, step, error)
    message = error.message
    if exit_ == Exit.INCOMPLETE:
        message = "; ".join(filter(None, (message, _whereabouts(course), _undone(course, step))))
    elif exit_ == Exit.UNCHANGED and isinstance(step, Upload):
        message = f"{message}; {step.index} is as it was"
    return Ending(exit=exit_, message=message, remedy=error.remedy, next_command=course.command)


def _exit(course: Course, step: Step | None, error: ReleaseError) -> Exit:
    if isinstance(step, Upload) and step.index != SANDBOX:
        if _receipts(course, step.index) or step.index in course.touched:
            return Exit.INCOMPLETE
        if course.answers.get(step.index):
            return Exit.UNCHANGED
    return Exit.INCOMPLETE if course.touched or isinstance(step, PushTag | ReleaseOnGitHub) else error.exit


def _receipts(course: Course, index: str) -> list[str]:
    return [answer.filename for answer in course.answers.get(index, ()) if isinstance(answer, Receipt)]


def _whereabouts(course: Course) -> str:
    """What is on each lasting index now, and what is not."""
    parts = []
    for name in course.plan.targets:
        if name == SANDBOX or name not in course.answers:
            continue
        there = _receipts(course, name)
        missing = [file.filename for file in course.files if file.filename not in there]
        parts.append(f"on {name}: {_names(there) or 'nothing for certain'}")
        if missing:
            parts.append(f"not known to be on {name}: {_names(missing)}")
        if missing and there and name in course.closes:
            parts.append(f"{name} takes files of this release until {moment(course.closes[name])}")
    return "; ".join(parts)


def _undone(course: Course, step: Step | None) -> str:
    """What follows a release that is live, and has not been done."""
    if not isinstance(step, PushTag | ReleaseOnGitHub):
        return ""
    left = course.plan.steps[course.plan.steps.index(step) :]
    return f"not done: {', '.join(one.title for one in left)}"


def _names(files: Sequence[str]) -> str:
    """All of them, or how many they are: hundreds fit no screen."""
    if len(files) <= _FEW:
        return ", ".join(files)
    return f"{len(files)} files ({', '.join(files[:2])}, … {files[-1]})"


def _done(course: Course) -> str:
    plan = course.plan
    what = f"{plan.project} {plan.version}" if plan.project else "this project"
    places = [step.index for step in plan.steps if isinstance(step, Confirm)]
    if plan.verb == "check":
        return f"{what} is ready to be released"
    if plan.verb == "build":
        return f"{what} is built: {', '.join(file.filename for file in course.files)}"
    if plan.verb == "rehearse":
        later = f"; {course.later} checks above would stop a real release" if course.later > 1 else ""
        later = "; 1 check above would stop a real release" if course.later == 1 else later
        return f"{what} was rehearsed: the index took it, and it installs and works from there{later}"
    if plan.verb != "confirm" and not course.busy:
        return f"nothing remains to be done: {what} is on {_and(places)}, verified"
    return f"{what} is on {_and(places)}, verified"


def _and(places: Sequence[str]) -> str:
    lasting = [place for place in places if place != SANDBOX] or list(places)
    return " and ".join(lasting)


def _following(course: Course) -> str:
    plan = course.plan
    tag = next((step for step in plan.steps if isinstance(step, Tag)), None)
    if tag and tag.remote and course.busy and not any(isinstance(step, PushTag) for step in plan.steps):
        return f"git push {tag.remote} {tag.name}"
    following = {"rehearse": "check", "check": "release", "build": "rehearse --built", "testpypi": "publish"}
    verb = following.get(plan.verb)
    return f"{course.command.replace(f' {plan.verb}', f' {verb}', 1)}" if verb else ""
