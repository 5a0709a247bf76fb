"""Runs of a set, told without running any: what its record, its reports and its display are made from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from release.core.errors import Exit
from release.core.events import (
    CheckFinished,
    MemberEvent,
    MemberFinished,
    SetEvent,
    SetPhaseFinished,
    SetPhaseStarted,
    StepFinished,
    StepStarted,
)
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import Distribution, Receipt, Rejection
from release.core.models.release_set import Member, MemberFacts, MemberState, ReleaseSet, SetSettings
from release.core.models.results import RunResult
from release.core.models.set_results import SetRunResult
from release.core.plan import Plan
from release.publishing.sets.set_result import SetRunState, set_run_result
from release.reports.set_record import PhaseRecord, SetRunRecord, set_record_to_json
from tests.repeated_commands import repeated
from tests.runs import NOON

LASTING = ("testpypi", "pypi")
Ending = Literal["done", "refused", "killed"]


def five() -> ReleaseSet:
    """A diamond with a member behind it, and two members that are not released."""
    needs = {
        "acme-core": (), "acme-http": ("acme-core>=2",), "acme-db": ("acme-core>=2",),
        "acme-web": ("acme-http", 'acme-db; extra == "sql"'), "acme-cli": ("acme-web>=2",),
    }  # fmt: skip
    levels = (("acme-core",), ("acme-http", "acme-db"), ("acme-web",), ("acme-cli",))
    return _set(needs, levels, left_out={"acme-docs": "private", "acme-old": "released"})


def sixty() -> ReleaseSet:
    """Eight levels of up to eight members; each needs two of the level before."""
    names = [f"acme-component-{number:02}" for number in range(60)]
    levels = tuple(tuple(names[at : at + 8]) for at in range(0, 60, 8))
    needs: dict[str, tuple[str, ...]] = dict.fromkeys(levels[0], ())
    for before, level in pairwise(levels):
        needs |= {name: (before[at % len(before)], before[(at + 1) % len(before)]) for at, name in enumerate(level)}
    return _set(needs, levels)


def _set(
    needs: dict[str, Any], levels: tuple[tuple[str, ...], ...], left_out: dict[str, MemberState] | None = None
) -> ReleaseSet:
    members = [
        MemberFacts(
            member=Member(name=name, version="2.0", directory=f"packages/{name}", requires=some), state="release"
        )
        for name, some in needs.items()
    ]
    members += [
        MemberFacts(member=Member(name=name, version="1.0", directory=f"packages/{name}"), state=state)
        for name, state in (left_out or {}).items()
    ]
    return ReleaseSet(settings=SetSettings(), members=tuple(members), levels=levels)


def files_of(name: str) -> tuple[Distribution, ...]:
    stem = name.replace("-", "_")
    names = (f"{stem}-2.0-py3-none-any.whl", f"{stem}-2.0.tar.gz")
    return tuple(Distribution(path=Path(f"dist/{one}"), sha256="a1" * 32, size=4_321) for one in names)


def checks_of(name: str, *, failed: bool = False) -> Iterator[CheckFinished]:
    """Three checks that pass, a warning, and one that fails."""
    for number in range(3):
        yield CheckFinished(outcome=Outcome(check=f"c{number}", title="It is", state=CheckState.PASSED), stops=True)
    warning = Finding(message=f"the description of {name!r} is short", remedy="write more", severity="warn")
    yield CheckFinished(
        outcome=Outcome(
            check="the-description-is-long", title="The description is long", state=CheckState.WARNED,
            findings=(warning,),
        ),
        stops=True,
    )  # fmt: skip
    if failed:
        yield CheckFinished(outcome=failure_of(name), stops=True)


def failure_of(name: str) -> Outcome:
    finding = Finding(
        message=f"the classifier 'Private :: Oops' keeps {name!r} from the index",
        remedy="remove it from [project.classifiers]", where="METADATA", server_text="400 Invalid value",
    )  # fmt: skip
    return Outcome(
        check="every-classifier-is-known", title="Every classifier is known", state=CheckState.FAILED,
        findings=(finding,),
    )  # fmt: skip


def events_of(release_set: ReleaseSet, *, fails: str = "", phases: int | None = None) -> Iterator[SetEvent]:
    """The events of a release: the gate, then each level on each index. It stops at the upload of `fails`.

    `phases`: the run is killed in the middle of this phase, counted from 0.
    """
    names = tuple(name for level in release_set.levels for name in level)
    plan: list[tuple[str, str | None, int | None, tuple[str, ...]]] = [("gate", None, None, names)]
    plan += [
        (f"{index}, level {number} of {len(release_set.levels)}", index, number, level)
        for index in LASTING for number, level in enumerate(release_set.levels, 1)
    ]  # fmt: skip
    for count, (title, index, number, members) in enumerate(plan):
        yield SetPhaseStarted(title=title, members=members, index=index, level=number)
        step = f"upload to {index}" if index else "build the working tree"
        for member in members:
            stops = index is not None and member == fails
            yield MemberEvent(member=member, event=StepStarted(title=step))
            if phases == count:
                continue
            if index is None or stops:
                yield from (MemberEvent(member=member, event=one) for one in checks_of(member, failed=stops))
            yield MemberEvent(member=member, event=StepFinished(title=step, status="done", note="", seconds=0.5))
            yield MemberFinished(member=member, version="2.0", status="refused" if stops else "done", seconds=0.5)
        if phases == count:
            return
        yield SetPhaseFinished(title=title, seconds=1.5)
        if fails in members and index is not None:
            return


def result_of(release_set: ReleaseSet, *, fails: str = "", message: str = "") -> SetRunResult:
    """The result of a release that is complete, or stopped at the upload of `fails` to the first index."""
    names = [name for level in release_set.levels for name in level]
    results = {}
    for name in names[: names.index(fails) + 1] if fails else names:
        files = files_of(name)
        uploads: dict[str, Any] = {
            index: tuple(Receipt(filename=one.filename, sha256=one.sha256) for one in files)
            for index in (LASTING[:1] if fails else LASTING)
        }
        if name == fails:
            rejection = Rejection(filename=files[1].filename, status=400, message="Invalid value for classifiers")
            uploads = {LASTING[0]: (uploads[LASTING[0]][0], rejection)}
        outcomes = tuple(
            Outcome(check="every-file-is-listed", title="Every file is listed", state=CheckState.PASSED, subject=one)
            for one in uploads if name != fails
        )  # fmt: skip
        plan = Plan(verb="release", project=name, version="2.0", commit=None, strict=True, steps=())
        results[name] = RunResult(
            plan=plan, exit=Exit.INCOMPLETE if fails else Exit.DONE, outcomes=outcomes, files=files, uploads=uploads,
            message=(message or f"{files[1].filename}: refused by testpypi with 400") if name == fails else "fine",
            remedy="remove the classifier 'Private :: Oops'" if name == fails else "", next_command="",
            record=f"/srv/set/packages/{name}/.release/2.0/record.json",
        )  # fmt: skip
    state = SetRunState(
        verb="release", release_set=release_set, indexes=LASTING, results=results,
        stopped={name for name in results if fails and name != fails}, command=repeated("pypi-preflight set release"),
    )  # fmt: skip
    return set_run_result(state)


def record_of(release_set: ReleaseSet, *, fails: str = "", killed_in: int | None = None) -> dict[str, Any]:
    """The record of a release: complete, stopped at the upload of `fails`, or killed in a phase."""
    phases: list[PhaseRecord] = []
    checks: dict[str, list[tuple[str, CheckFinished]]] = {}
    ends: dict[str, MemberFinished] = {}
    for event in events_of(release_set, fails=fails, phases=killed_in):
        match event:
            case SetPhaseStarted():
                ends = {}
                begun = NOON + timedelta(seconds=2 * len(phases))
                fields = {"title": event.title, "members": event.members, "index": event.index, "level": event.level}
                phases.append(PhaseRecord(begun=begun, ends=ends, **fields))  # type: ignore[arg-type]
            case SetPhaseFinished():
                phases[-1] = replace(phases[-1], seconds=event.seconds)
            case MemberFinished():
                ends[event.member] = event
            case MemberEvent(event=CheckFinished() as check):
                checks.setdefault(event.member, []).append((phases[-1].title, check))
            case _:
                pass
    running = SetRunRecord(
        verb="release", command="pypi-preflight set release", release_set=release_set, indexes=LASTING, begun=NOON,
        phases=phases, root="/srv/set",
    )  # fmt: skip
    ended = replace(
        running, ended=NOON + timedelta(seconds=2 * len(phases)), result=result_of(release_set, fails=fails),
        checks=checks, tools={"pypi-preflight": "0.1.0"},
    )  # fmt: skip
    return set_record_to_json(running if killed_in is not None else ended)
