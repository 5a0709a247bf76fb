"""An unexpected exception: what is told, and where its traceback is."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from release.adapters.system import debug_log
from release.adapters.system.crash_report import report_crash
from release.core.errors import ReleaseError
from tests import fake_tokens


def _raised(error: Exception, cause: Exception | None = None) -> Exception:
    with pytest.raises(type(error)) as caught:
        raise error from cause
    return caught.value


def _log(report: ReleaseError) -> Path:
    assert report.remedy.startswith("report it as a bug of pypi-preflight, with the log ")
    return Path(report.remedy.rpartition(" ")[2].strip("'"))


def test_the_place_is_told_and_the_traceback_is_in_a_private_log(tmp_path: Path) -> None:
    report = report_crash(_raised(RuntimeError("no such thing")), {"PREFLIGHT_STATE": str(tmp_path)})
    assert report.message.startswith("internal error: test_crash_report.py:")
    assert report.message.endswith(": RuntimeError: no such thing")
    log = _log(report)
    assert log.is_relative_to(tmp_path)
    assert "Traceback (most recent call last)" in log.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_thread_that_cannot_be_started_is_no_fault_of_the_program(tmp_path: Path) -> None:
    report = report_crash(_raised(RuntimeError("can't start new thread")), {"PREFLIGHT_STATE": str(tmp_path)})
    assert report.message == "the limit on processes and threads is reached"
    assert "ulimit -u" in report.remedy
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", ["{}", "a\n{}\nb", "{}" + "x" * 1000, "x" * 280 + " {}", "…{}…"])
@pytest.mark.parametrize("kind", [RuntimeError, OSError, KeyError, UnicodeError, AssertionError])
def test_no_secret_is_in_either(tmp_path: Path, kind: type[Exception], shape: str) -> None:
    token, password = fake_tokens.token(), fake_tokens.random_text(30)
    env = {"PREFLIGHT_STATE": str(tmp_path), "TWINE_PASSWORD": password}
    report = report_crash(_raised(kind(shape.format(token)), ValueError(shape.format(password))), env)
    told = report.message + report.remedy + _log(report).read_text(encoding="utf-8")
    for secret in (token, token[40:70], password):
        assert secret not in told
    assert "<token " in told


def test_the_log_of_debug_is_used_during_and_after_it(tmp_path: Path) -> None:
    env = {"PREFLIGHT_STATE": str(tmp_path)}
    with debug_log.open_debug_log([], env) as log:
        assert _log(report_crash(_raised(RuntimeError("first")), env)) == log
    assert log.read_text(encoding="utf-8").count("RuntimeError: first") == 1
    with pytest.raises(RuntimeError, match="second") as caught, debug_log.open_debug_log([], env) as log:
        raise RuntimeError("second")
    assert _log(report_crash(caught.value, env)) == log
    assert log.read_text(encoding="utf-8").count("RuntimeError: second") == 1
    assert _log(report_crash(_raised(RuntimeError("third")), env)) != log, "of another run"


def test_a_report_is_given_where_no_log_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(debug_log, "_open_private", refuse)
    report = report_crash(_raised(RecursionError()), {"PREFLIGHT_STATE": str(tmp_path)})
    assert report.message.endswith(": RecursionError")
    assert report.remedy == "report it as a bug of pypi-preflight"


def test_a_fault_of_the_redaction_itself_shows_kinds_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = fake_tokens.token()

    def broken(_: object) -> None:
        raise LookupError(token)

    monkeypatch.setattr(debug_log, "redactor_of", broken)
    report = report_crash(_raised(RuntimeError(token)), {"PREFLIGHT_STATE": str(tmp_path)})
    assert (report.message, report.remedy) == (
        "internal error: RuntimeError and LookupError",
        "report it as a bug of pypi-preflight",
    )
