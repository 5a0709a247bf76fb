"""Programs, run to their end and no further."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.adapters.system.parallel import run_jobs
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System, explain_os_errors, real_system, stoppable
from release.core.errors import ReleaseError, ToolError
from tests.patience import PATIENCE, wait_until

PYTHON = sys.executable


def python(code: str, *arguments: str) -> list[str]:
    return [PYTHON, "-I", "-X", "utf8", "-c", code, *arguments]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or ") Z " not in stat.read_text(encoding="utf-8")


def gone(pid: int) -> bool:
    return wait_until(lambda: not alive(pid))


#: starts a grandchild, writes its pid to a file, and waits for ever
FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
print("started", flush=True)
time.sleep(600)
"""

#: seconds: the first is enough for a program to start, unless the machine is busy
LIMITS = (1.0, 10.0, 60.0)


def test_output_and_status_are_those_of_the_program() -> None:
    lines: list[str] = []
    done = real_system().run(
        python("import sys; print('a', flush=True); print('b', file=sys.stderr); sys.exit(3)"), on_line=lines.append
    )
    assert (done.status, done.output, done.errors) == (3, "a\nb\n", "")
    assert lines == ["a", "b"]


def test_a_program_that_cannot_be_started_at_the_limit_on_processes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(ToolError, match="the limit on processes and threads is reached") as caught:
        real_system().run(python("pass"))
    assert "ulimit -u" in caught.value.remedy


def test_stderr_can_be_kept_apart() -> None:
    done = real_system().run(python("import sys; print('a'); print('b', file=sys.stderr)"), apart=True)
    assert (done.output, done.errors) == ("a\n", "b\n")


def test_bytes_that_are_no_text_are_replaced() -> None:
    done = real_system().run(python(r"import sys; sys.stdout.buffer.write(b'a\xff\n')"))
    assert done.output == "a\ufffd\n"


@pytest.mark.parametrize(("given", "seen"), [(None, ""), ("x" * 300_000, "x" * 300_000)])
def test_stdin_is_the_input_or_closed(given: str | None, seen: str) -> None:
    assert real_system().run(python("import sys; print(sys.stdin.read(), end='')"), input=given).output == seen


def test_input_may_come_later_than_the_start_of_the_program(tmp_path: Path) -> None:
    started = tmp_path / "started"

    def parts() -> Iterator[str]:
        yield "now\n"
        pause = threading.Event()
        while not started.exists():
            pause.wait(0.01)
        yield "later\n"

    code = f"""import pathlib, sys
print(sys.stdin.readline(), end="")
pathlib.Path({str(started)!r}).touch()
print(sys.stdin.read(), end="")"""
    assert real_system().run(python(code), input=parts()).output == "now\nlater\n"


def test_the_environment_is_the_one_given(tmp_path: Path) -> None:
    code = "import os; print('PATH' in os.environ, os.environ['X'], os.getcwd())"
    assert real_system().run(python(code), env={"X": "é"}, cwd=tmp_path).output.split() == ["False", "é", str(tmp_path)]


@pytest.mark.skipif(sys.platform == "win32", reason="no umask there")
def test_the_umask_is_the_one_given(tmp_path: Path) -> None:
    real_system().run(python("open('f', 'w')"), cwd=tmp_path, umask=0o077)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no program 'no-such-program' on PATH") as caught:
        real_system().run(["no-such-program"])
    assert "install no-such-program" in caught.value.remedy
    with pytest.raises(ToolError, match="no directory"):
        real_system().run([PYTHON], cwd=tmp_path / "gone")


@pytest.mark.parametrize("code", ["print('x', flush=True); import time; time.sleep(600)", "while True: print('x')"])
def test_a_program_that_takes_too_long_is_ended(code: str) -> None:
    for limit in LIMITS:
        with pytest.raises(TimedOutError, match=rf"did not exit within {limit:g} s") as caught:
            real_system().run(python(code), timeout=limit)
        if caught.value.output:
            break
    assert caught.value.output.startswith("x\n")


def test_nothing_that_it_started_survives_a_timeout(tmp_path: Path) -> None:
    for limit in LIMITS:
        with pytest.raises(TimedOutError):
            real_system().run(python(FAMILY, str(tmp_path / "pid")), timeout=limit)
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
    assert gone(int((tmp_path / "pid").read_text()))


def test_nothing_that_it_started_survives_an_interrupt(tmp_path: Path) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        real_system().run(python(FAMILY, str(tmp_path / "pid")), on_line=interrupt)
    assert gone(int((tmp_path / "pid").read_text()))


@pytest.mark.skipif(sys.platform == "win32", reason="a detached child is not in the tree there")
def test_what_it_leaves_in_the_background_does_not_hold_us_up(tmp_path: Path) -> None:
    code = FAMILY.replace("time.sleep(600)\n", "")
    assert real_system().run(python(code, str(tmp_path / "pid"))).status == 0
    assert gone(int((tmp_path / "pid").read_text()))


def test_together_gives_all_results_in_order() -> None:
    def job(text: str) -> str:
        return real_system().run(python(f"print({text!r})")).output.strip()

    assert run_jobs(real_system(), [lambda _, t=text: job(t) for text in "abc"]) == ["a", "b", "c"]  # type: ignore[misc]


def test_the_first_failure_ends_the_others() -> None:
    running = threading.Event()

    def wait(system: System) -> str:
        return system.run(
            python("print('on', flush=True); import time; time.sleep(600)"), on_line=lambda _: running.set()
        ).output

    def fail(_: System) -> str:
        assert running.wait(PATIENCE)
        raise ReleaseError("no", remedy="stop")

    with pytest.raises(ReleaseError, match="no"):
        run_jobs(real_system(), [wait, fail])


def test_what_stops_the_programs_of_the_caller_also_stops_those_of_its_jobs() -> None:
    stop = threading.Event()

    def wait(system: System) -> str:
        code = "print('on', flush=True); import time; time.sleep(600)"
        return system.run(python(code), on_line=lambda _: stop.set()).output

    with pytest.raises(ReleaseError, match="stopped"):
        run_jobs(stoppable(real_system(), stop.is_set), [wait])


@pytest.mark.parametrize(("number", "remedy"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "writable")])
def test_a_failing_disk_is_told_in_plain_words(number: int, remedy: str) -> None:
    with pytest.raises(ReleaseError, match="cannot use the disk '/x'") as caught, explain_os_errors("the disk"):
        raise OSError(number, os.strerror(number), "/x")
    assert remedy in caught.value.remedy
