"""The screen: nothing is wider than it, and a secret that a run was given reaches what masks it, and no reader."""

from __future__ import annotations

import io
import re

import pytest

from release.cli.terminal import console
from release.core.events import Event, Message, Progress, SecretObtained, StepFinished, StepStarted
from release.core.secret import Secret
from release.publishing.upload.progress import progress_to_text
from tests.fake_tokens import token


@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("kind", [console.PlainConsole, console.ActionsConsole])
@pytest.mark.parametrize("masks", [True, False])
def test_a_secret_goes_to_what_masks_it_and_nowhere_else(
    kind: type[console.PlainConsole], masks: bool, quiet: bool
) -> None:
    secret, shown, masked = token(), list[str](), list[str]()
    with kind(shown.append, mask=masked.append if masks else None, quiet=quiet) as screen:
        screen.on_event(SecretObtained(secret=Secret(secret)))
    assert masked == ([f"::add-mask::{secret}\n"] if masks else [])
    assert shown == []


WHEEL = "acme_widget-1.0-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
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
    with console.TerminalConsole(write) as screen:
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
        Progress(text=f"installing {WHEEL} into a clean environment", unit="files"),
        Message(text="a line of somebody else's: " + "x" * 200, tool_output=True),
        StepFinished(title="upload to pypi", status="done", note="500 of 500 files sent, all of them", seconds=61.3),
    )
    assert max(map(len, shown)) <= 80
    assert any(FAR in line for line in shown)
    assert "  acme_widget-1.0-cp313-cp313-manyli…7_x86_64.manylinux2014_x86_64.whl: accepted" in map(str.rstrip, shown)
    (installing,) = {line.split("0:")[0].strip(" ⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") for line in shown if "installing" in line}
    assert re.fullmatch(r"installing acme_widget\S+…\S*\.whl into a clean environment", installing)
