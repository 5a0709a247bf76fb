"""A terminal of 80 columns and 24 rows: a healthy run is one screen, and a failed one ends with cause and remedy."""

from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.cli.terminal.console import ActionsConsole, PlainConsole
from release.cli.terminal.live_display import TerminalConsole
from release.core.errors import Exit
from release.core.events import CheckFinished, Event, Message, Progress, StepFinished, StepStarted
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.results import RunResult
from release.core.plan import Build, CheckFiles, CheckSource, Confirm, Plan, Step, Upload
from release.reports.ending import ENDING_ROWS, Ending, ending_to_lines
from release.reports.run_text import run_to_lines
from tests.runs import outcome

WIDTH, HEIGHT = 80, 24
RECORD = "/home/somebody/acme-widget/.release/rehearsal/record.json"
STEPS: tuple[Step, ...] = (
    CheckSource(), Build(origin="tree"), CheckFiles(), Upload(index="sandbox"), Confirm(index="sandbox")
)  # fmt: skip
PLAN = Plan(verb="rehearse", project="acme-widget", version="1.0", commit=None, strict=False, steps=STEPS)


def passed(number: int) -> list[Outcome]:
    return [outcome(f"It is {one}") for one in range(number)]


def rehearsal(source: list[Outcome], files: list[Outcome], *, stops: bool = False) -> list[Event]:
    """The events of a rehearsal: its source, and its files."""
    absent = [outcome("No such thing", CheckState.NOT_APPLICABLE, reason="there is none")] * 10
    names = "acme_widget-1.0.tar.gz, acme_widget-1.0-py3-none-any.whl"
    parts: list[tuple[list[Outcome], list[Event], str, float]] = [
        ([*source, *absent], [], "", 0.04),
        ([], [Message(text="* Building wheel...", tool_output=True)], names, 4.5),
        ([*files, *absent[:2]], [], "", 0.2),
        (
            [],
            [Message(text="x.whl: accepted", detail=True)],
            "2 of 2 files uploaded",
            1.2,
        ),
        ([*passed(7), *absent[:1]], [Progress(text="installing acme-widget 1.0 from sandbox (wheel)")], "", 0.4),
    ]
    events: list[Event] = []
    for step, (outcomes, more, note, seconds) in zip(STEPS, parts, strict=True):
        events += [StepStarted(title=step.title), *more]
        events += [CheckFinished(outcome=one, stops=stops) for one in outcomes]
        events.append(StepFinished(title=step.title, status="done", note=note, seconds=seconds))
    return events


def result(message: str, remedy: str = "", following: str = "pypi-preflight check") -> RunResult:
    return RunResult(
        plan=PLAN, exit=Exit.REFUSED if remedy else Exit.DONE, message=message, remedy=remedy, next_command=following,
        outcomes=(), files=(), uploads={}, record=RECORD,
    )  # fmt: skip


HEALTHY = result("acme-widget 1.0 was rehearsed: the index accepted it, and it installs and works")


def screen(monkeypatch: pytest.MonkeyPatch, events: list[Event], end: RunResult) -> list[str]:
    """What remains on a terminal, row by row: the live display is erased from it."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    size = {"COLUMNS": str(WIDTH), "LINES": str(HEIGHT), "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1"}
    for name, value in (size | {"TERM": "xterm", "NO_COLOR": "1"}).items():
        monkeypatch.setenv(name, value)
    with TerminalConsole(lambda _: None) as console:
        console.align(step.title for step in STEPS)
        for event in events:
            console.on_event(event)
        console.show(run_to_lines(end, width=console.width))
    return rendered(out.getvalue())


def rendered(text: str) -> list[str]:
    """The rows of a terminal after this output, as far as its commands are those of rich's live displays."""
    rows, row, column = [""], 0, 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif part == "\r":
            column = 0
        elif part.endswith("A"):
            row -= int(part[2:-1] or 1)
        elif part.endswith("K"):
            rows[row] = ""
        elif not part.startswith("\x1b"):
            for character in part:
                if column == WIDTH:
                    row, column = row + 1, 0
                    rows += [""] * (row + 1 - len(rows))
                rows[row] = rows[row][:column].ljust(column) + character + rows[row][column + 1 :]
                column += 1
    return [one.rstrip() for one in rows if one.strip()]


def test_a_healthy_rehearsal_is_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = screen(monkeypatch, rehearsal(passed(8), passed(44)), HEALTHY)
    assert rows == [
        "✓ check the source        8 passed, 10 not applicable",
        "✓ build the working tree  done in 4.5 s",
        "    acme_widget-1.0.tar.gz, acme_widget-1.0-py3-none-any.whl",
        "✓ check the files         44 passed, 2 not applicable in 0.2 s",
        "✓ upload to sandbox       2 of 2 files uploaded in 1.2 s",
        "✓ confirm on sandbox      7 passed, 1 not applicable in 0.4 s",
        "acme-widget 1.0 was rehearsed: the index accepted it, and it installs and works",
        f"record: {RECORD}",
        "next: pypi-preflight check",
    ]
    assert len(rows) < HEIGHT


DIRTY = outcome(
    "No uncommitted changes", CheckState.FAILED,
    Finding(message="1 file changed or untracked: 'stray.txt'", remedy="commit, ignore or remove them; see git status"),
)  # fmt: skip
JUNK = outcome(
    "No leftovers", CheckState.WARNED,
    Finding(
        message="in the sdist, but not tracked by git: 'stray.txt'", where="acme_widget-1.0.tar.gz", severity="warn",
        remedy="add it to git, or exclude it from the sdist",
    ),
)  # fmt: skip


def test_problems_are_shown_with_cause_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = screen(monkeypatch, rehearsal([*passed(7), DIRTY], [*passed(43), JUNK]), HEALTHY)
    assert rows[:3] == [
        "  later  1 file changed or untracked: 'stray.txt' [no-uncommitted-changes]",
        "         → commit, ignore or remove them; see git status",
        "✓ check the source        7 passed, 1 would block a release, 10 not applicable",
    ]
    assert rows[5:9] == [
        "  warn   acme_widget-1.0.tar.gz: in the sdist, but not tracked by git:",
        "         'stray.txt' [no-leftovers]",
        "         → add it to git, or exclude it from the sdist",
        "✓ check the files         43 passed, 1 warning, 2 not applicable in 0.2 s",
    ]
    assert len(rows) < HEIGHT


def test_a_log_has_the_same_lines_and_a_group_of_github_has_each_check() -> None:
    plain, actions = list[str](), list[str]()
    for event in rehearsal([*passed(7), DIRTY], [*passed(43), JUNK], stops=True):
        PlainConsole(plain.append).on_event(event)
    console = ActionsConsole(actions.append)
    for event in rehearsal([*passed(7), DIRTY], passed(44), stops=True)[:21]:
        console.on_event(event)
    assert "".join(plain).count("ok  ") == 0
    text = "".join(actions)
    assert text.startswith("::group::check the source\n  ok     It is 0\n")
    assert "::error title=No uncommitted changes [no-uncommitted-changes]::1 file changed" in text
    assert "  n/a    No such thing (there is none)\n::endgroup::\n✓ check the source  7 passed, 1 failed, 10" in text


CAUSE = "'import acme_widget' fails with status 1: ModuleNotFoundError: No module named 'nonexistent_module_x'"
WAIVED = 'accept it, in pyproject.toml:\n[tool.release.waive]\nwhat-was-installed-works = "known"'


@pytest.mark.parametrize(
    ("message", "remedy", "expected"),
    [
        (
            "1 file changed or untracked: 'stray.txt'", "commit, ignore or remove them; see git status",
            ["1 file changed or untracked: 'stray.txt'", "→ commit, ignore or remove them; see git status",
             "next: pypi-preflight check"],
        ),
        (
            CAUSE, "add the project that provides it to dependencies",
            ["'import acme_widget' fails with status 1: ModuleNotFoundError: No module named",
             "'nonexistent_module_x'", "→ add the project that provides it to dependencies",
             "next: pypi-preflight check"],
        ),
        (
            CAUSE, "follow the server's message, then run it again; https://test.pypi.org/help/ explains it",
            ["'import acme_widget' fails with status 1: ModuleNotFoundError: No module named",
             "'nonexistent_module_x'",
             "→ follow the server's message, then run it again; https://test.pypi.org/help/", "  explains it"],
        ),
        (
            CAUSE, WAIVED,
            ["'import acme_widget' fails with status 1: ModuleNotFoundError: No module named …",
             "→ accept it, in pyproject.toml:", "  [tool.release.waive]", '  what-was-installed-works = "known"'],
        ),
        (
            CAUSE, f"add the project that provides 'nonexistent_module_x' to dependencies; or {WAIVED}",
            ["'import acme_widget' fails with status 1: ModuleNotFoundError: No module named",
             "'nonexistent_module_x'",
             "→ add the project that provides 'nonexistent_module_x' to dependencies",
             "next: pypi-preflight check"],
        ),
        (
            "the project does not build: 'no such file'\n    error: a\n    hint: b\n    more: c", "correct it",
            ["the project does not build: 'no such file'", "→ correct it", "next: pypi-preflight check"],
        ),
        (
            "pypi refused a file; on pypi: " + ", ".join(f"acme-1.0-cp3{n}-win.whl" for n in range(12)), "wait",
            ["pypi refused a file; on pypi: acme-1.0-cp30-win.whl, acme-1.0-cp31-win.whl,",
             "acme-1.0-cp32-win.whl, acme-1.0-cp33-win.whl, acme-1.0-cp34-win.whl, …", "→ wait",
             "next: pypi-preflight check"],
        ),
    ],
    ids=["short", "two rows", "two and two", "configuration", "two remedies", "output of a tool", "many files"],
)  # fmt: skip
def test_a_failed_run_ends_with_cause_and_remedy_in_four_rows(
    monkeypatch: pytest.MonkeyPatch, message: str, remedy: str, expected: list[str]
) -> None:
    """What does not fit precedes them, so that nothing is lost."""
    rows = screen(monkeypatch, [], result(message, remedy))
    assert rows[-len(expected) :] == expected
    assert len(expected) <= ENDING_ROWS
    assert "".join(message.split()) in "".join("".join(rows).split())
    assert "".join(remedy.split()) in "".join("".join(rows).split())
    assert f"record: {RECORD}" in rows[: -len(expected)]


@given(st.text("ab \n", max_size=400), st.text("ab ", max_size=200), st.booleans())
def test_the_end_has_at_most_four_rows_after_the_record(message: str, remedy: str, following: bool) -> None:
    ending = Ending(
        command="check", message=message, remedy=remedy.strip(), passed=False, record="r", next_command="n" * following
    )  # fmt: skip
    out = list[str]()
    for line in ending_to_lines(ending, width=WIDTH):
        out += line.text.split("\n")
    assert len(out) - 1 - out.index("record: r") - ("next: n" in out[: out.index("record: r") + 2]) <= ENDING_ROWS


def test_control_characters_of_names_reach_no_terminal() -> None:
    out = list[str]()
    finding = Finding(message="'\x1b[2Jevil\x07' is odd\tname", remedy="rename \x9b it")
    PlainConsole(out.append).on_event(CheckFinished(outcome=outcome("X", CheckState.FAILED, finding), stops=True))
    text = "".join(out)
    assert r"'\x1b[2Jevil\x07' is odd" in text
    assert all(one.isprintable() for one in text.replace("\n", ""))


def test_a_log_says_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.cli.terminal.console._HEARTBEAT", 0.05)
    out = list[str]()
    with PlainConsole(out.append) as console:
        console.on_event(StepStarted(title="confirm on testpypi"))
        text = "waiting for testpypi to list acme 1.0 (1 s of at most 30 min)"
        time.sleep(0.15)
        console.on_event(Progress(text=text, done=1, total=1800, unit="seconds"))
        time.sleep(0.15)
        with console.paused():
            length = len(out)
            time.sleep(0.1)
            assert len(out) == length, "not under a prompt"
        console.on_event(StepFinished(title="confirm on testpypi", status="done", note="", seconds=31))
        time.sleep(0.1)
    assert list(dict.fromkeys(out)) == [
        "  … confirm on testpypi\n", f"  … {text}\n", "✓ confirm on testpypi  done in 31 s\n"
    ]  # fmt: skip
    assert out[-1].startswith("✓")
