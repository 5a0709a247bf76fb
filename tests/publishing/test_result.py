"""How a run ends: each way to stop has its exit status, and says where the files are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.core import plan
from release.core.config import Config
from release.core.errors import Exit, ReleaseError
from release.core.facts import ProjectMetadata, Source
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import Distribution, Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.results import RunResult
from release.core.plan import Build, CheckSource, Confirm, PushTag, ReleaseOnGitHub, Step, Tag, Upload
from release.publishing import result
from release.publishing.result import RunState
from tests.repeated_commands import repeated

WHEEL, SDIST = (
    Distribution(path=Path(name), sha256="0" * 64, size=1) for name in ("a-1-py3-none-any.whl", "a-1.tar.gz")
)
NO = ReleaseError("no", remedy="do it")
THERE = Receipt(filename=WHEEL.filename, sha256=WHEEL.sha256)
REFUSED = Rejection(filename=SDIST.filename, status=400, message="File already exists")
LOST = UnclearResponse(filename=SDIST.filename, kind="timeout", detail="")


def course(**changes: Any) -> RunState:
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    values: dict[str, Any] = {
        "plan": plan.make_plan("release", Config(), source), "files": (WHEEL, SDIST), "uploads": {}, "touched": (),
        "changed": True, "command": repeated("pypi-preflight release"),
    }  # fmt: skip
    return RunState(**(values | changes))


@pytest.mark.parametrize(
    ("step", "answers", "touched", "expected"),
    [
        (CheckSource(), {}, (), Exit.REFUSED),
        (Build(origin="commit"), {}, (), Exit.REFUSED),
        (Upload(index="sandbox"), {"sandbox": [REFUSED]}, (), Exit.REFUSED),
        (Confirm(index="sandbox"), {"sandbox": [THERE]}, (), Exit.REFUSED),
        (Upload(index="testpypi"), {"testpypi": []}, (), Exit.REFUSED),
        (Upload(index="testpypi"), {"testpypi": [REFUSED]}, (), Exit.UNCHANGED),
        (Upload(index="testpypi"), {"testpypi": [THERE, REFUSED]}, (), Exit.INCOMPLETE),
        (Upload(index="testpypi"), {"testpypi": [LOST]}, ("testpypi",), Exit.INCOMPLETE),
        (Upload(index="testpypi"), {"testpypi": [LOST]}, (), Exit.UNCHANGED),
        (Confirm(index="testpypi"), {"testpypi": [THERE]}, ("testpypi",), Exit.INCOMPLETE),
        (Upload(index="pypi"), {"testpypi": [THERE], "pypi": [REFUSED]}, ("testpypi",), Exit.UNCHANGED),
        (None, {}, (), Exit.REFUSED),
    ],
)
def test_each_way_to_stop_has_its_exit_status(
    step: Step | None, answers: dict[str, list[UploadResult]], touched: tuple[str, ...], expected: Exit
) -> None:
    end = result.failed(course(uploads=answers, touched=touched), step, NO)
    assert end.exit == expected
    assert (end.remedy, end.next_command) == ("do it", "pypi-preflight release")


def test_what_follows_the_rehearsal_of_given_files_is_their_upload() -> None:
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    made = plan.make_plan("rehearse", Config(), source, prebuilt=True)
    run = course(plan=made, command=repeated("pypi-preflight rehearse --allow --files dist"))
    assert result.succeeded(run).next_command == "pypi-preflight publish --files dist"


def test_a_result_has_the_cause_of_what_stopped_the_run() -> None:
    error = ReleaseError("no", remedy="do it", cause="cred.missing")
    assert result.failed(course(), CheckSource(), error).cause == "cred.missing"
    assert result.failed(course(), CheckSource(), NO).cause is None
    assert result.succeeded(course()).cause is None


def test_an_incomplete_release_says_what_is_where() -> None:
    end = result.failed(course(uploads={"pypi": [THERE, REFUSED]}, touched=("pypi",)), Upload(index="pypi"), NO)
    assert f"on pypi: {WHEEL.filename}; not known to be on pypi: {SDIST.filename}" in end.message


def test_an_incomplete_release_says_how_long_it_can_be_completed() -> None:
    until = {"pypi": datetime(2026, 12, 8, 9, 30, tzinfo=UTC)}
    end = result.failed(
        course(uploads={"pypi": [THERE, REFUSED]}, touched=("pypi",), deadlines=until), Upload(index="pypi"), NO
    )
    assert end.message.endswith("pypi accepts files for this release until 2026-12-08 09:30 UTC")


def test_hundreds_of_files_are_counted_and_not_listed() -> None:
    many = [Distribution(path=Path(f"a-1-py3-none-p{n}.whl"), sha256="0" * 64, size=1) for n in range(500)]
    answers = [Receipt(filename=file.filename, sha256=file.sha256) for file in many[:300]]
    end = result.failed(course(uploads={"pypi": answers}, touched=("pypi",), files=many), Upload(index="pypi"), NO)
    assert "on pypi: 300 files (a-1-py3-none-p0.whl, a-1-py3-none-p1.whl, … a-1-py3-none-p299.whl)" in end.message
    assert "not known to be on pypi: 200 files" in end.message
    assert len(end.message) < 400


def test_all_went_well() -> None:
    end = result.succeeded(course())
    assert (end.exit, end.message, end.remedy) == (
        Exit.DONE, "a 1 is on testpypi and pypi, confirmed: hashes verified, installed and tested", ""
    )  # fmt: skip
    assert result.succeeded(course(changed=False)).message.startswith("nothing to do")


def test_what_is_waived_is_not_claimed() -> None:
    waived, of_source = (
        Outcome(check=name, title=name, state=CheckState.WAIVED, reason="known")
        for name in ("what-was-installed-works", "the-tree-is-clean")
    )
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    rehearse = course(plan=plan.make_plan("rehearse", Config(), source), outcomes=[waived, of_source])
    assert result.succeeded(rehearse).message == (
        "a 1 was rehearsed: the index accepted it; waived: what-was-installed-works"
    )
    end = result.succeeded(course(outcomes=[waived, of_source, waived])).message
    assert end == "a 1 is on testpypi and pypi, confirmed; waived: what-was-installed-works"
    assert "hashes verified, installed and tested" in result.succeeded(course(outcomes=[of_source])).message


def rehearsed(*failed: str, allow: bool = False) -> RunResult:
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    outcomes = [
        Outcome(
            check=name, title=name, state=CheckState.FAILED,
            findings=(Finding(message=f"{name} is wrong", remedy=f"mend {name}"),),
        )
        for name in failed
    ]  # fmt: skip
    command = repeated("pypi-preflight rehearse")
    made = plan.make_plan("rehearse", Config(), source)
    return result.succeeded(course(plan=made, ignored=outcomes, allow=allow, command=command))


IT_WORKS = "a 1 was rehearsed: the index accepted it, and it installs and works"


def test_a_rehearsal_without_a_fault_succeeds() -> None:
    end = rehearsed()
    assert (end.exit, end.message, end.remedy) == (Exit.DONE, IT_WORKS, "")


@pytest.mark.parametrize(
    ("command", "following"),
    [
        ("pypi-preflight rehearse --directory x --built --allow --offline", "pypi-preflight check --directory x"),
        ("pypi-preflight rehearse --offline", "pypi-preflight check"),
        # what only looks like such an option stays
        ("pypi-preflight rehearse --directory 'a --built'", "pypi-preflight check --directory 'a --built'"),
    ],
)
def test_the_next_command_has_no_options_that_it_does_not_know(command: str, following: str) -> None:
    steps = (Build(origin="tree"),)
    plan_ = plan.Plan(verb="rehearse", project="a", version="1", commit=None, strict=False, steps=steps)
    assert result.succeeded(course(plan=plan_, command=repeated(command))).next_command == following


@pytest.mark.parametrize(
    "check",
    [
        "the-project-is-in-a-repository",
        "the-tree-is-clean",
        "the-branch-is-the-release-branch",
        "the-tag-is-free-or-here",
        "the-branch-is-not-behind-its-upstream",
        "the-tags-here-are-of-this-version",
        "a-branch-of-the-remote-has-the-commit",
    ],
)
def test_what_a_rehearsal_needs_not_is_named_and_is_no_failure(check: str) -> None:
    """The README promises: no tag, no clean tree, no configuration."""
    end = rehearsed(check)
    assert (end.exit, end.remedy) == (Exit.DONE, f"mend {check}")
    assert end.message == f"{IT_WORKS}; before a release: {check} is wrong"
    assert end.next_command == "pypi-preflight check"


@pytest.mark.parametrize(
    ("command", "following"),
    [
        ("build", "rehearse --built"),
        ("build --output dist/a", "rehearse --built"),
        (
            "build --directory b --output 'a b' --siblings d",
            "rehearse --built --directory b",
        ),
        (
            "build --directory 'x --outputs y'",
            "rehearse --built --directory 'x --outputs y'",
        ),
    ],
)
def test_what_follows_a_build_has_none_of_its_options_and_what_repeats_it_has_all(command: str, following: str) -> None:
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    run = course(plan=plan.make_plan("build", Config(), source), command=repeated(f"pypi-preflight {command}"))
    assert result.succeeded(run).next_command == f"pypi-preflight {following}"
    assert result.failed(run, CheckSource(), NO).next_command == f"pypi-preflight {command}"


@pytest.mark.parametrize(
    "check",
    [
        "the-version-is-valid",
        "the-changelog-mentions-the-version",
        "the-submodules-are-checked-out",
        "no-token-is-inside",
    ],
)
def test_a_fault_that_would_block_a_release_fails_the_rehearsal_unless_it_is_allowed(check: str) -> None:
    end = rehearsed("the-tree-is-clean", check)
    accept = "to accept it in a rehearsal only: pypi-preflight rehearse --allow"
    assert (end.exit, end.remedy) == (Exit.REFUSED, f"mend {check}; {accept}")
    assert end.message == f"{check} is wrong; this would block a release of a 1"
    assert end.next_command == "pypi-preflight rehearse"
    allowed = rehearsed("the-tree-is-clean", check, allow=True)
    message = f"{IT_WORKS}; but this would block a release: {check} is wrong"
    assert (allowed.exit, allowed.message, allowed.remedy) == (Exit.DONE, message, f"mend {check}")


def test_several_faults_are_counted() -> None:
    assert rehearsed("b", "c", "d").message.startswith("b is wrong (and 2 more failed checks); ")


TAGGED = Tag(name="v1", remote="origin")


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((TAGGED,), TAGGED),
        ((TAGGED, PushTag(name="v1", remote="origin")), None),
        ((Tag(name="v1", remote=None),), None),
        ((CheckSource(),), None),
    ],
)
def test_a_tag_that_the_run_leaves_to_be_pushed(steps: tuple[Step, ...], found: Tag | None) -> None:
    made = replace(course().plan, steps=steps)
    assert result.tag_to_push(made) == found
    end = result.succeeded(course(plan=made))
    assert (end.next_command == "git push origin v1") is (found is not None)
    assert "git push" not in result.succeeded(course(plan=made, changed=False)).next_command


def test_what_follows_a_published_release_and_is_left_is_named() -> None:
    push, page = PushTag(name="v1", remote="origin"), ReleaseOnGitHub(repository="acme/a", tag="v1")
    made = replace(course().plan, steps=(Upload(index="pypi"), Confirm(index="pypi"), push, page))
    end = result.failed(course(plan=made, uploads={"pypi": [THERE]}, touched=("pypi",)), push, NO)
    assert end.exit is Exit.INCOMPLETE
    assert end.message == (
        f"no; on pypi: {WHEEL.filename}; not known to be on pypi: {SDIST.filename}; "
        f"not done: {push.title}, {page.title}"
    )
    sent = result.failed(course(plan=made, uploads={"pypi": [THERE, REFUSED]}, touched=("pypi",)), made.steps[0], NO)
    assert "not done" not in sent.message
    nothing = result.failed(course(plan=made, uploads={"pypi": []}, touched=("pypi",)), made.steps[1], NO)
    assert "; on pypi: nothing for certain; " in nothing.message


def test_an_index_that_refused_all_is_unchanged() -> None:
    end = result.failed(course(uploads={"testpypi": [REFUSED]}), Upload(index="testpypi"), NO)
    assert end.message == "no; testpypi is unchanged"


@pytest.mark.parametrize(
    ("count", "shown"),
    [(12, ", ".join(f"a-{n}.tar.gz" for n in range(12))), (13, "13 files (a-0.tar.gz, a-1.tar.gz, … a-12.tar.gz)")],
)
def test_up_to_twelve_files_are_listed(count: int, shown: str) -> None:
    many = [Distribution(path=Path(f"a-{n}.tar.gz"), sha256="0" * 64, size=1) for n in range(count)]
    answers = [Receipt(filename=one.filename, sha256=one.sha256) for one in many]
    end = result.failed(course(uploads={"pypi": answers}, touched=("pypi",), files=many), Upload(index="pypi"), NO)
    assert end.message == f"no; on pypi: {shown}"


def test_the_error_of_failed_checks_is_the_first_problem() -> None:
    option = ("--new-project", "acme")
    finding = Finding(message="wrong", remedy="correct it", cause="cred.revoked", option=option)
    failed = Outcome(check="a", title="A", state=CheckState.FAILED, findings=(finding,))
    passed = Outcome(check="b", title="B", state=CheckState.PASSED)
    error = result.checks_failed([passed, failed, replace(failed, findings=(replace(finding, message="more"),))])
    assert (error.remedy, error.cause, error.option) == ("correct it", "cred.revoked", option)
    assert error.message.startswith("wrong")
