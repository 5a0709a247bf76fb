"""Run a program until it exits, and end everything that it started; or exchange JSON with a child process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self, TextIO

from msgspec import Struct

from release.adapters.system import debug_log
from release.adapters.system.guardian import guard_program, prepare_guard
from release.adapters.system.own_group import OWN_GROUP
from release.adapters.system.program_path import with_program_path
from release.core.child_environment import without_credentials
from release.core.errors import PROCESS_LIMIT_REMEDY, ToolError, is_process_limit, lower_first, os_error_reason
from release.core.quoting import quote_path

#: seconds between two checks of the time limit and of `stop`; on Windows, Ctrl-C does not interrupt a longer wait
_TICK = 0.1
#: seconds for a program to exit after SIGTERM, or after its stdin was closed
_GRACE = 2.0


class Completed(Struct, frozen=True, kw_only=True):
    """A program that has exited."""

    #: exit status; negative where a signal ended it (POSIX)
    status: int
    #: its stdout as text, invalid bytes replaced; with stderr, unless that was kept apart
    output: str
    #: its stderr where that was kept apart; else empty
    errors: str = ""


class TimedOutError(ToolError):
    """A program did not exit in time; it was ended with everything that it had started."""

    def __init__(self, message: str, *, remedy: str, output: str) -> None:
        super().__init__(message, remedy=remedy)
        #: its output until then
        self.output = output


def run_program(  # noqa: PLR0913 - see `RunProgram`
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    timeout: float | None = None,
    input: str | Iterable[str] | None = None,  # noqa: A002 - subprocess calls it so
    on_line: Callable[[str], None] | None = None,
    apart: bool = False,
    umask: int = -1,
    stop: Callable[[], bool] | None = None,
    started: subprocess.Popen[str] | None = None,
) -> Completed:
    """See `RunProgram`."""
    debug_log.record_program(argv, cwd)
    process = started or _start(argv, cwd=cwd, env=env, umask=umask, feed=input is not None, apart=apart)
    with guard_program(process):
        done = _communicate(process, argv, timeout=timeout, input=input, on_line=on_line, apart=apart, stop=stop)
    debug_log.record(f"exit status {done.status} of {argv[0]!r}\n{done.output}{done.errors}")
    return done


def _communicate(  # noqa: PLR0913 - see `RunProgram`
    process: subprocess.Popen[str],
    argv: Sequence[str],
    *,
    timeout: float | None,
    input: str | Iterable[str] | None,  # noqa: A002 - subprocess calls it so
    on_line: Callable[[str], None] | None,
    apart: bool,
    stop: Callable[[], bool] | None,
) -> Completed:
    """Wait for a program, which is ended on any exception."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    output: list[str] = []
    errors: list[str] = []
    try:
        in_thread(read_lines, process.stdout, lines.put)
        if apart:
            drain = in_thread(read_lines, process.stderr, lambda line: errors.append(line or ""))
        if input is not None:
            in_thread(_feed, process.stdin, input)
        for line in _output_lines(process, lines, timeout=timeout, stop=stop):
            output.append(line)
            if on_line:
                on_line(line.rstrip("\r\n"))
    except TimeoutError:
        _end(process)
        raise TimedOutError(
            f"{Path(argv[0]).name} did not exit within {timeout:g} s",
            remedy="run it by hand to find out what it waits for, then run the same command again",
            output="".join(output),
        ) from None
    except BaseException:
        _end(process)
        raise
    if apart:
        drain.join(_GRACE)
    return Completed(status=process.returncode, output="".join(output), errors="".join(errors))


def _start(  # noqa: PLR0913 - options of Popen
    argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], umask: int, feed: bool, apart: bool
) -> subprocess.Popen[str]:
    prepare_guard()
    pipe, by_platform = subprocess.PIPE, {} if sys.platform == "win32" else {"umask": umask}
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return] # the options depend on the platform
            with_program_path(argv, env), cwd=cwd, env=dict(env), encoding="utf-8", errors="replace",
            stdin=pipe if feed else subprocess.DEVNULL, stdout=pipe, stderr=pipe if apart else subprocess.STDOUT,
            **OWN_GROUP, **by_platform,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        name = Path(argv[0]).name
        if cwd is not None and not cwd.is_dir():
            message, remedy = f"no directory {quote_path(cwd)} to run {name} in", "check that it was not removed"
        elif isinstance(error, FileNotFoundError):
            message, remedy = f"no program {name!r} on PATH", f"install {name}, or put its directory on PATH"
        else:
            reason = os_error_reason(error) if isinstance(error, OSError) else lower_first(str(error))
            remedy = PROCESS_LIMIT_REMEDY if is_process_limit(error) else "check that it runs by hand"
            message = f"cannot start {name}: {reason}"
        raise ToolError(message, remedy=remedy) from error


def in_thread(work: Callable[..., None], *arguments: object) -> threading.Thread:
    """Start `work` in a daemon thread. Raises `OSError` if no further thread can be started."""
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error
    return thread


def read_lines(stream: IO[Any], put: Callable[[Any], object]) -> None:
    """Pass on each line, and None at the end."""
    with contextlib.suppress(OSError, ValueError), stream:
        for line in stream:
            put(line)
    put(None)


def _feed(stream: TextIO, text: str | Iterable[str]) -> None:
    # A program may exit without reading its input; its exit status says whether that is an error.
    # As bytes: a text stream would write "\r\n" on Windows.
    with contextlib.suppress(OSError, ValueError), stream:
        for part in [text] if isinstance(text, str) else text:
            stream.buffer.write(part.encode("utf-8", "replace"))
            stream.buffer.flush()


def _output_lines(
    process: subprocess.Popen[str],
    lines: queue.SimpleQueue[str | None],
    *,
    timeout: float | None,
    stop: Callable[[], bool] | None,
) -> Iterator[str]:
    """The lines of a program, until it has exited and its output is complete. Raises `TimeoutError`.

    Background processes that it started may keep the output open: they are ended after `_GRACE` seconds.
    """
    deadline = time.monotonic() + timeout if timeout is not None else float("inf")
    ended, closed = float("inf"), False
    while not (closed and process.poll() is not None):
        try:
            line = lines.get(timeout=_TICK)
        except queue.Empty:
            line = ""  # none within a tick; None would be the end of the output
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
            raise ToolError("stopped because a parallel job failed", remedy="see the other failure")


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and everything that it has started."""
    if sys.platform == "win32":
        words, env = ["taskkill", "/F", "/T", "/PID", str(process.pid)], without_credentials(os.environ)
        with contextlib.suppress(OSError):
            subprocess.run(words, env=env, capture_output=True, check=False)
        process.kill()  # where that is missing or refused
    else:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        _signal_group(process, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def _signal_group(process: subprocess.Popen[str], number: int) -> None:
    # The group exists while it has members; an error means that none is left.
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, number)


class Pipe:
    """A child that exchanges JSON, one object a line; in its own group, so that Ctrl-C reaches only its parent."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the child. Raises `OSError`."""
        prepare_guard()
        pipe = subprocess.PIPE
        process = subprocess.Popen(list(argv), env=dict(env), stdin=pipe, stdout=pipe, stderr=pipe, **OWN_GROUP)
        self._connect(process)
        self._guard.enter_context(guard_program(process))

    @classmethod
    def of(cls, process: subprocess.Popen[bytes]) -> Self:
        """Exchange JSON with a child that ends itself when its stdin ends, even during a request. Raises `OSError`."""
        pipe = cls.__new__(cls)
        pipe._connect(process)  # noqa: SLF001 - of this class
        return pipe

    def _connect(self, process: Any) -> None:
        """Exchange JSON with a process, as `subprocess.Popen` has it."""
        self._process: subprocess.Popen[bytes] = process
        self._killed = False
        self._guard = contextlib.ExitStack()
        self._errors: deque[bytes] = deque(maxlen=20)
        self._threads: list[threading.Thread] = []
        try:
            self._threads.append(in_thread(read_lines, process.stderr, lambda line: self._errors.append(line or b"")))
            self._start_reading()
        except OSError:
            self.kill()
            self.close()
            for stream in (process.stdout, process.stderr):  # which no thread closes
                stream.close()
            raise

    def _start_reading(self) -> None:
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads.append(in_thread(read_lines, self._process.stdout, self._lines.put))

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def has_message(self) -> bool:
        """Whether `read` returns or raises at once."""
        return not self._lines.empty()

    def write(self, message: dict[str, Any]) -> None:
        """Send one object. Raises `OSError` where the child has exited."""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def read(self, timeout: float) -> dict[str, Any]:
        """The next object. Raises `TimeoutError`, `EOFError` where the child has exited, `ValueError`."""
        line = self._read_line(timeout)
        if line is None:
            raise EOFError
        event = json.loads(line)
        if not isinstance(event, dict) or "is" not in event:
            raise ValueError("no event")
        return event

    def _read_line(self, timeout: float) -> bytes | None:
        """The next line; None where the child has exited. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return self._lines.get(timeout=_TICK)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise TimeoutError from None

    def last_error_line(self) -> str:
        """The last line that the child wrote to stderr; waits briefly for it to exit."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._threads[0].join(_GRACE)
        lines = [line.decode("utf-8", "replace").strip() for line in self._errors]
        return next((line for line in reversed(lines) if line), self._ending())

    def _ending(self) -> str:
        """How the process ended, where it wrote nothing about it."""
        return f"exit status {self._process.poll()}"

    def kill(self) -> None:
        """Kill the child, from any thread; a waiting `read` raises `EOFError`."""
        self._killed = True
        self._process.kill()

    def close(self) -> None:
        """End the child by closing its stdin; kill it if it does not exit."""
        with contextlib.suppress(OSError):  # a broken pipe: it has exited already
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(None if self._killed else _GRACE)  # with a limit, it waits in steps of milliseconds
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guard.close()
        for thread in self._threads:
            thread.join(_GRACE)
