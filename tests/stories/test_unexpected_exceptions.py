"""A fault of the program itself, anywhere: what is told has no secret, and the exit status is what the indexes have."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from release.cli import main as program
from release.publishing import recorder, runner
from release.publishing.journal import Journal
from release.publishing.run_resources import RunResources
from release.publishing.upload import uploader
from tests import fake_tokens
from tests.stories.project import Indexes, files_on
from tests.stories.test_uploads import PUBLISH, elsewhere

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Indexes]:
    """A directory with two files to publish, in the process of the test."""
    with elsewhere(tmp_path) as (on, machine):
        monkeypatch.chdir(machine.root)
        monkeypatch.setenv("HOME", str(machine.home))
        monkeypatch.setenv("USERPROFILE", str(machine.home))
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        monkeypatch.setenv("PYPI_PREFLIGHT_STATE", str(tmp_path / "state"))
        monkeypatch.delenv("PYPI_PREFLIGHT_OFFLINE", raising=False)
        yield on


def boom(error: BaseException) -> Callable[..., Any]:
    def raised(*_: object, **__: object) -> Any:
        raise error

    return raised


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((RunResources, "fetch_uploaded"), []), ((recorder, "record_run"), ["--json"]),
        ((runner, "open_run"), ["--json"]), ((Journal, "accepted"), []), ((program, "_require_directory"), []),
        ((uploader.Uploader, "_finish"), ["--json"]),
    ],
)  # fmt: skip
def test_the_status_is_what_the_index_has(
    on: Indexes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: tuple[Any, str],
    words: list[str],
) -> None:
    token = fake_tokens.token()
    monkeypatch.setattr(place[0], place[1], boom(RuntimeError(f"unexpected {token}")))
    got = program.main([*PUBLISH, "--dry-run-on", "none", *words])
    told = "".join(capsys.readouterr())
    assert got == (4 if files_on(on.pypi) else 1), told
    assert "internal error: " in told
    assert "report it as a bug of pypi-preflight, with the log " in told
    assert token[20:50] not in told
    assert "Traceback" not in told
    assert ("on pypi: " in told or "pypi has 2 files of this release" in told) == bool(files_on(on.pypi))


def test_interrupts_in_quick_succession_end_with_the_status_of_the_journal(
    on: Indexes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second and the third arrive where the first is handled already, also while the run is recorded."""

    def record_and_interrupt(*args: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return record_run(*args, **options)

    def accept_and_interrupt(self: Any, state: Any, listing: Any) -> None:
        finish(self, state, listing)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    record_run, finish = recorder.record_run, uploader.Uploader._finish
    monkeypatch.setattr(recorder, "record_run", record_and_interrupt)
    monkeypatch.setattr(uploader.Uploader, "_finish", accept_and_interrupt)
    got = program.main([*PUBLISH, "--dry-run-on", "none", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert got == told["exit"] == 4
    assert told["message"].startswith("interrupted; on pypi: acme_widget")
    assert (Path.cwd() / ".release" / "1.0" / "record.json").exists()


def test_ctrl_c_where_none_can_be_caught_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted:
        def __del__(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(program, "_require_directory", lambda _: Interrupted() and None)
    assert program.main(["explain", "server.outage"]) == 0
    assert "internal error" not in "".join(capsys.readouterr())


def test_an_exception_in_a_thread_is_told_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    token = fake_tokens.token()

    def run_a_thread(_: object) -> None:
        thread = threading.Thread(target=boom(RuntimeError(token)))
        thread.start()
        thread.join()

    monkeypatch.setenv("PYPI_PREFLIGHT_STATE", str(tmp_path))
    monkeypatch.setattr(program, "_require_directory", run_a_thread)
    program.main(["explain", "--directory", str(tmp_path)])
    told = "".join(capsys.readouterr())
    assert "internal error: test_unexpected_exceptions.py:" in told
    assert token[20:50] not in told
    assert "Traceback" not in told
