"""The log of `--debug`: what ran, and no secret."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from release.adapters.system import debug_log, process
from release.cli.main import main
from tests.fake_tokens import token as make_token


def test_a_run_is_recorded_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = make_token("acme")
    monkeypatch.setenv("PYPI_PREFLIGHT_STATE", str(tmp_path))
    monkeypatch.setenv("TWINE_PASSWORD", token)
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", "correct-horse")
    with debug_log.open_debug_log(["verify", token], dict(os.environ)) as path:
        process.run_program([sys.executable, "-c", f"print({token!r}, 'correct-horse')"], env={})
        debug_log.record("for correct-horse")
    text = path.read_text(encoding="utf-8")
    assert "run [" in text
    assert "exit status 0" in text
    assert token not in text
    assert "correct-horse" not in text
    assert "<token " in text
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    debug_log.record("after its end")
    assert "after its end" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("cut", [5, 12, 40])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_a_long_entry_is_cut_without_a_part_of_a_secret(tmp_path: Path, cut: int, before: int) -> None:
    token, password = make_token("acme"), "correct-horse"
    env = {"PYPI_PREFLIGHT_STATE": str(tmp_path), "UV_PUBLISH_PASSWORD": password}
    with debug_log.open_debug_log([], env) as path:
        for secret in (token, password):
            text = "." * (before * 1000 - cut) + secret + "." * (before * 1000 - len(secret) + cut)
            debug_log.record(f"{text}\n{text}")
    text = path.read_text(encoding="utf-8")
    assert token[:40] not in text
    assert token[-20:] not in text
    assert not any(part in text for part in ("correct", "horse", "ect-ho"))


def test_the_option_names_the_file_and_an_error_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYPI_PREFLIGHT_STATE", str(tmp_path / "state"))
    assert main(["check", "--debug", "-C", str(tmp_path)]) == 2
    path = Path(capsys.readouterr().err.split("debug log: ")[1].splitlines()[0])
    assert path.is_relative_to(tmp_path / "state")
    assert "ConfigError" in path.read_text(encoding="utf-8")


def test_a_state_directory_that_cannot_be_written_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with debug_log.open_debug_log([], {"PYPI_PREFLIGHT_STATE": str(tmp_path / "file")}) as path:
        assert path.exists()
    path.unlink()
