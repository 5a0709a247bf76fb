"""Runs one program to its end, and leaves nothing of it behind. See `release.adapters.system.system.RunProgram`."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from release.core.errors import ToolError

#: seconds between two looks at the clock and at `stop` while a program is silent
_TICK = 0.1
#: seconds that a program gets to end by itself once it was told to
_GRACE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A program that ended."""

    #: exit status; negative where a signal ended it (POSIX)
    status: int
    #: what it wrote, newlines translated, undecodable bytes replaced; stderr too unless it was kept apart
    output: str
    #: stderr where it was kept apart; else empty
    errors: str = ""


class TimedOutError(ToolError):
    """A program did not end in time and was ended, with everything that it had started."""

    def __init__(self, message: str, *, remedy: str, output: str) -> None:
        super().__init__(message, remedy=remedy)
        #: what it had written until then
        self.output = output


def run_program(  # noqa: PLR0913 - see `Run`
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 - subprocess calls it so
    on_line: Callable[[str], None] | None = None,
    apart: bool = False,
    umask: int = -1,
    stop: Callable[[], bool] | None = None,
) -> Completed:
    """See `Run`."""
    process = _start(argv, cwd=cwd, env=env, umask=umask, feed=input is not None, apart=apart)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    output: list[str] = []
    errors: list[str] = []
    _in_thread(_read, process.stdout, lines.put)
    if apart:
        drain = _in_thread(_read, process.stderr, lambda line: errors.append(line or ""))
    if input is not None:
        _in_thread(_feed, process.stdin, input)
    try:
        for line in _arriving(process, lines, timeout=timeout, stop=stop):
            output.append(line)
            if on_line:
                on_line(line.rstrip("\r\n"))
    except TimeoutError:
        _end(process)
        raise TimedOutError(
            f"{_name(argv)} did not end within {timeout:g} s",
            remedy="run it by hand to see what it waits for, then run the same command again",
            output="".join(output),
        ) from None
    except BaseException:
        _end(process)
        raise
    if apart:
        drain.join(_GRACE)
    return Completed(status=process.returncode, output="".join(output), errors="".join(errors))


def _start(  # noqa: PLR0913 - what Popen needs, no more
    argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], umask: int, feed: bool, apart: bool
) -> subprocess.Popen[str]:
    group: dict[str, object] = {"start_new_session": True, "umask": umask}
    if sys.platform == "win32":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return] # the group's keys depend on the platform
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if apart else subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **group,
        )
    except (OSError, ValueError) as error:
        raise _not_started(argv, cwd, error) from error


def _not_started(argv: Sequence[str], cwd: Path | None, error: Exception) -> ToolError:
    name = _name(argv)
    if cwd is not None and not cwd.is_dir():
        return ToolError(f"no directory {str(cwd)!r} to run {name} in", remedy="make sure that it is still there")
    if isinstance(error, FileNotFoundError):
        return ToolError(f"no program {name!r} on PATH", remedy=f"install {name}, or put its directory on PATH")
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return ToolError(f"{name} can't be started: {reason}", remedy="make sure that it runs by hand")


def _name(argv: Sequence[str]) -> str:
    return Path(argv[0]).name


def _in_thread(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _read(stream: IO[str], put: Callable[[str | None], None]) -> None:
    with contextlib.suppress(OSError, ValueError), stream:
        for line in stream:
            put(line)
    put(None)


def _feed(stream: IO[str], text: str) -> None:
    # A program that ends without reading its input is no error of ours; its status will tell.
    with contextlib.suppress(OSError, ValueError), stream:
        stream.write(text)


def _arriving(
    process: subprocess.Popen[str],
    lines: queue.SimpleQueue[str | None],
    *,
    timeout: float | None,
    stop: Callable[[], bool] | None,
) -> Iterator[str]:
    """Lines as they come, until the program has ended and its output is complete.

    Raises `TimeoutError`. What it left behind in the background may hold the output open: that
    gets `_GRACE` seconds, and is ended too.
    """
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    ended, closed = float("inf"), False
    while not (closed and process.poll() is not None):
        line = _next(lines)
        if line:
            yield line
        elif line is None:
            closed = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_TICK)
        elif process.poll() is not None:
            ended = min(ended, time.monotonic())
        if time.monotonic() > ended + _GRACE:
            return _end(process)
        if time.monotonic() > deadline:
            raise TimeoutError
        if stop is not None and stop():
            raise ToolError("stopped, since something beside it failed", remedy="see the other failure")


def _next(lines: queue.SimpleQueue[str | None]) -> str | None:
    """A line; empty where none came within a tick; None at the end of the output."""
    try:
        return lines.get(timeout=_TICK)
    except queue.Empty:
        return ""


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and everything that it started."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        _signal_group(process, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    # The group outlives its leader for as long as it has members; none left is what is wanted.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, number)
