"""Text that fits a screen: no word torn, names known again, and what is to be copied left alone."""

from __future__ import annotations

import io
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.cli.terminal import live_display
from release.cli.terminal.live_display import TerminalConsole
from release.core.events import Event, Message, Progress, StepFinished, StepStarted
from release.publishing.upload.workers import progress_to_text
from release.reports.ending import Ending, ending_to_lines
from release.reports.line_width import fit_line, truncate_middle

WHEEL = "acme_widget-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@given(st.text().filter(lambda text: "…" not in text), st.integers(1, 100))
def test_what_is_shortened_keeps_both_its_ends(text: str, width: int) -> None:
    short = truncate_middle(text, width)
    assert len(short) == min(width, len(text))
    head, _, tail = short.partition("…") if short != text else (text, "", "")
    assert text.startswith(head)
    assert text.endswith(tail)


CASES = {
    "short": ("  done in 2.6 s", ["  done in 2.6 s"]),
    "a name and what became of it": (
        f"  {WHEEL}: accepted",
        ["  acme_widget-1.0-cp313-cp313-manyli…7_x86_64.manylinux2014_x86_64.whl: accepted"],
    ),
    "a check folds under its title": (
        "  ok     No file with credentials goes out: .pypirc, netrc, .env, .git-credentials, and their like",
        [
            "  ok     No file with credentials goes out: .pypirc, netrc, .env,",
            "         .git-credentials, and their like",
        ],
    ),
    "a sentence": (
        "  not signed, because an API token is used: PyPI takes attestations from trusted publishers alone",
        [
            "  not signed, because an API token is used: PyPI takes attestations from trusted",
            "  publishers alone",
        ],
    ),
    "a remedy in words": (
        f"         → {'create a token and set it as the secret behind TWINE_PASSWORD: https://acme.test/settings'}",
        [
            "         → create a token and set it as the secret behind TWINE_PASSWORD:",
            "           https://acme.test/settings",
        ],
    ),
    "a remedy that begins like a command": (
        "  → set a token as the secret behind TWINE_PASSWORD in the settings of GitHub Actions",
        ["  → set a token as the secret behind TWINE_PASSWORD in the settings of GitHub", "    Actions"],
    ),
    "two names": (
        f"  done in 3.1 s: acme_widget-1.0.tar.gz, {WHEEL}",
        ["  done in 3.1 s: acme_widget-1.0.tar.gz,", f"  {WHEEL}"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_line_fits_eighty_columns(text: str, expected: list[str]) -> None:
    assert fit_line(text, 80).splitlines() == expected
    assert max(map(len, expected)) <= 80


@pytest.mark.parametrize(
    "text",
    [
        f"         → run: python -m twine check --strict /home/somebody/project/dist/{WHEEL}",
        "  → unset TWINE_PASSWORD && pypi-preflight store --index pypi --directory '/home/somebody/my project'",
        "  → pypi-preflight store --index pypi --project acme-widget --directory '/home/somebody/my project'",
        "  → gh api --method PUT repos/acme/widget/actions/oidc/customization/sub -F use_default=true -F a=b",
        f"next: pypi-preflight publish --config preflight.toml --files {WHEEL} wheelhouse",
        f"record: /home/somebody/a/long/way/down/to/the/project/.release/1.0/{'ab' * 20}/record.json",
    ],
)
def test_what_is_to_be_copied_stays_one_line(text: str) -> None:
    assert fit_line(text, 80) == text


def test_lines_of_configuration_stand_below_the_last_remedy_as_they_are_pasted() -> None:
    remedy = 'accept it, in pyproject.toml:\n[tool.release.waive]\nthe-tree-is-clean = "known"'
    ending = Ending(command="check", message="it fails", remedy=remedy, passed=False)
    lines = [line.text for line in ending_to_lines(ending, width=80)]
    assert lines == [
        "it fails",
        "→ accept it, in pyproject.toml:",
        "  [tool.release.waive]",
        '  the-tree-is-clean = "known"',
    ]


#: as long as it gets
FAR = progress_to_text(files=1000, of_files=1000, done=998e6, total=999e6, rate=123e6)


def drawn(monkeypatch: pytest.MonkeyPatch, *events: Event) -> list[str]:
    """Every line that a terminal of 80 columns was given, each state of those that change included."""
    out = io.StringIO()

    def write(text: str) -> None:
        out.write(text)

    monkeypatch.setattr("sys.stdout", out)
    for name, value in {"COLUMNS": "80", "LINES": "24", "TTY_COMPATIBLE": "1", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    with TerminalConsole(write) as screen:
        for event in events:
            screen.on_event(event)
            if screen._bar is not None:
                screen._bar.refresh()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())
    return [line for line in re.split(r"[\r\n]+", plain) if line.strip()]


def test_an_upload_of_hundreds_stays_within_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of the progress is to be read beside its bar; names are shortened in the middle, not wrapped."""
    shown = drawn(
        monkeypatch,
        StepStarted(title="upload to pypi"),
        Message(text=f"{WHEEL}: accepted"),
        Message(text=f"{WHEEL}: no clear answer (status 503); pypi asks us to wait 25 s"),
        Progress(text=FAR, done=998e6, total=999e6),
        Progress(text="waiting 25 s for pypi", total=25, unit="seconds"),
        Progress(text=f"installing acme-widget 1.0 from pypi (wheel): {WHEEL}", unit="files"),
        Message(text="a line of somebody else's: " + "x" * 200, tool_output=True),
        StepFinished(title="upload to pypi", status="done", note="500 of 500 files sent, all of them", seconds=61.3),
    )
    assert max(map(len, shown)) <= 80
    assert any(FAR in line for line in shown)
    assert "  acme_widget-1.0-cp313-cp313-manyli…7_x86_64.manylinux2014_x86_64.whl: accepted" in map(str.rstrip, shown)
    (installing,) = {line.split("0:")[0].strip(" ⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") for line in shown if "installing" in line}
    assert re.fullmatch(r"installing acme-widget 1.0 f.*…\S*\.whl", installing)


@pytest.mark.parametrize(
    ("platform", "session", "name"), [("win32", "", "line"), ("win32", "a7e0", "dots"), ("linux", "", "dots")]
)
def test_the_old_console_of_windows_gets_a_spinner_that_its_fonts_have(
    monkeypatch: pytest.MonkeyPatch, platform: str, session: str, name: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("WT_SESSION", session)
    assert live_display.spinner_name() == name
