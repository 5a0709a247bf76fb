"""The display of a set's run: headings, a line for each member, problems in full, and who is at work."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread

import pytest
from msgspec.structs import replace

from release.cli.terminal.console import ActionsConsole, PlainConsole
from release.cli.terminal.set_console import SetConsole
from release.core.events import (
    CheckFinished,
    MemberEvent,
    MemberFinished,
    Message,
    SecretObtained,
    SetEvent,
    SetPhaseFinished,
    SetPhaseStarted,
    StepFinished,
    StepStarted,
)
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.secret import Secret
from release.reports.set_text import activity_to_text
from tests.fake_tokens import token

PASSED = Outcome(check="it-is-so", title="It is so", state=CheckState.PASSED)
WARNED = Outcome(
    check="it-is-new", title="It is new", state=CheckState.WARNED,
    findings=(Finding(message="it is old", remedy="renew it", severity="warn"),),
)  # fmt: skip
FAILED = Outcome(
    check="it-fits", title="It fits", state=CheckState.FAILED,
    findings=(Finding(message="'x' is too long", remedy="shorten it"),),
)  # fmt: skip


def checked(member: str, *outcomes: Outcome) -> list[SetEvent]:
    return [MemberEvent(member=member, event=CheckFinished(outcome=one, stops=True)) for one in outcomes]


def finished(member: str, status: str = "done", note: str = "", remedy: str = "") -> MemberFinished:
    return MemberFinished(member=member, version="2.0", status=status, note=note, remedy=remedy)  # type: ignore[arg-type]


RUN: list[SetEvent] = [
    SetPhaseStarted(title="gate", members=("a", "b", "c", "d")),
    MemberEvent(member="a", event=StepStarted(title="build the working tree")),
    MemberEvent(member="a", event=Message(text="* Building wheel", tool_output=True)),
    MemberEvent(member="a", event=Message(text="signed as x")),
    *checked("a", PASSED, PASSED, WARNED),
    MemberEvent(member="a", event=StepFinished(title="build the working tree", status="done", note="", seconds=1)),
    finished("a"),
    *checked("b", PASSED, FAILED),
    finished("b", "refused", "'x' is too long", "shorten it"),
    MemberEvent(member="c", event=Message(text="the claims that pypi received:")),
    finished("c", "refused", "the build failed\nError: no such file", "add the file"),
    finished("d", "stopped"),
    SetPhaseFinished(title="gate", seconds=3.25),
]


def shown(
    events: Iterable[SetEvent], kind: type[PlainConsole] = PlainConsole, *, quiet: bool = False, verbose: bool = False
) -> str:
    written = list[str]()
    console = kind(written.append, quiet=quiet)
    console.verbose = console.verbose or verbose
    with SetConsole(console, width=lambda: 80, quiet=quiet) as screen:
        for event in events:
            screen.on_event(event)
    return "".join(written)


def test_a_log_has_the_problems_of_the_members_and_a_line_for_the_phase() -> None:
    """A member without any is counted; its line is shown on request."""
    assert (
        shown(RUN)
        == """\
  warn   a: it is old [it-is-new]
         → renew it
  FAIL   b: 'x' is too long [it-fits]
         → shorten it
  ✕ b 2.0: 1 passed, 1 failed
    c: the claims that pypi received:
  ✕ c 2.0: the build failed
      Error: no such file
    → add the file
✕ gate  1 of 4 members done, 2 failed, 1 stopped after 3.2 s
"""
    )
    lines = shown(RUN, verbose=True).splitlines()
    assert lines[0] == "gate"
    assert {"  ✓ a 2.0: 2 passed, 1 warning", "  - d 2.0: stopped"} < set(lines)


def test_a_healthy_phase_is_one_line() -> None:
    checks = [event for member in "abcd" for event in (*checked(member, *[PASSED] * 20), finished(member))]
    assert shown([RUN[0], *checks, RUN[-1]]) == "✓ gate  4 members: 80 passed in 3.2 s\n"


def test_the_checks_of_the_set_are_shown_if_they_say_anything() -> None:
    checks: list[SetEvent] = [CheckFinished(outcome=one, stops=True) for one in (PASSED, WARNED, FAILED)]
    failure = "  FAIL   'x' is too long [it-fits]\n         → shorten it\n"
    assert shown(checks) == f"  warn   it is old [it-is-new]\n         → renew it\n{failure}"
    assert shown(checks, quiet=True) == failure
    assert shown([CheckFinished(outcome=FAILED, stops=False)]).startswith("  later  'x' is too long [it-fits]\n")


def test_a_problem_is_shown_in_full_once() -> None:
    """Members of one repository share the state of its tree, and a member has most warnings on each index again."""
    again = [SetPhaseStarted(title="pypi, level 1 of 1", members=("a",)), *checked("a", WARNED), finished("a")]
    text = shown([*RUN, *again, *checked("c", WARNED, FAILED), finished("c", "refused", "no")])
    assert text.count("it is old") == 1
    assert text.endswith("  FAIL   c: the same as for b [it-fits]\n  ✕ c 2.0: 1 warning, 1 failed\n")
    other = replace(FAILED, findings=(replace(FAILED.findings[0], message="'y' is too long"),))
    assert "'y' is too long" in shown([*RUN, *checked("c", other)])


def test_what_does_not_stop_a_rehearsal_is_no_failure_of_it() -> None:
    event = MemberEvent(member="a", event=CheckFinished(outcome=FAILED, stops=False))
    text = shown([*RUN[:1], *checked("a", PASSED), event, finished("a")], verbose=True)
    assert "  later  a: 'x' is too long [it-fits]\n" in text
    assert "  ✓ a 2.0: 1 passed, 1 would block a release\n" in text


def test_quiet_shows_failures_only() -> None:
    assert (
        shown(RUN, quiet=True)
        == """\
  FAIL   b: 'x' is too long [it-fits]
         → shorten it
  ✕ b 2.0: 1 passed, 1 failed
    c: the claims that pypi received:
  ✕ c 2.0: the build failed
      Error: no such file
    → add the file
"""
    )


def test_github_has_a_group_for_each_phase_and_annotations_that_name_the_member() -> None:
    text = shown(RUN, ActionsConsole)
    assert text.startswith("::group::gate\n")
    assert text.endswith("::endgroup::\n✕ gate  1 of 4 members done, 2 failed, 1 stopped after 3.2 s\n")
    assert [line for line in text.splitlines() if line.startswith(("::error", "::warning"))] == [
        "::warning title=a%3A It is new [it-is-new]::it is old. renew it",
        "::error title=b%3A It fits [it-fits]::'x' is too long. shorten it",
        "::error title=c 2.0::the build failed%0AError: no such file. add the file",
    ]


def test_a_secret_goes_to_what_masks_it() -> None:
    masked, secret = list[str](), token()
    console = SetConsole(PlainConsole(lambda _: None, mask=masked.append, quiet=True), width=lambda: 80, quiet=True)
    console.on_event(MemberEvent(member="a", event=SecretObtained(secret=Secret(secret))))
    assert masked == [f"::add-mask::{secret}\n"]


def test_blocks_of_several_threads_do_not_mix() -> None:
    names = [f"m{number}" for number in range(8)]
    written = list[str]()
    console = SetConsole(PlainConsole(written.append, verbose=True), width=lambda: 80)
    console.on_event(SetPhaseStarted(title="gate", members=tuple(names)))

    def work(member: str) -> None:
        own = replace(FAILED, findings=(replace(FAILED.findings[0], where=member),))
        for event in [*checked(member, *(PASSED, own, own) * 12), finished(member)]:
            console.on_event(event)

    threads = [Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = "".join(written).splitlines()
    for at, line in enumerate(lines):
        if line.startswith("  FAIL"):
            assert lines[at + 1] == "         → shorten it"
    assert sum(line.startswith("  ✓") for line in lines) == len(names)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (90, "building acme-http, acme-db; uploading acme-core; confirming acme-web; 31 of 60 done"),
        (70, "building acme-http, acme-db; uploading acme-core; 31 of 60 done"),
        (44, "building acme-http, acme-db; 31 of 60 done"),
        (40, "building acme-http, +1; 31 of 60 done"),
        (30, "building 2; 31 of 60 done"),
        (20, "31 of 60 done"),
    ],
)
def test_the_activity_fits_the_width(width: int, expected: str) -> None:
    steps = {
        "acme-http": "build from a clean clone of the commit", "acme-core": "upload to testpypi",
        "acme-db": "build the working tree", "acme-web": "confirm on testpypi",
    }  # fmt: skip
    assert activity_to_text(steps, 31, 60, width=width) == expected
    assert len(expected) <= width
    assert activity_to_text({}, 0, 60, width=width) == "0 of 60 done"
