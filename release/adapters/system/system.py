"""The machine as everything else sees it: one small value of callables, passed in.

Tests pass another one, so nothing has to be patched; `real()` is the only place that touches the
process's own environment and clock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from release.adapters.system.process import Completed, run_program
from release.core.errors import ReleaseError

if TYPE_CHECKING:
    from concurrent.futures import Future

Result = TypeVar("Result")

#: seconds between two looks at what is done
_TICK = 0.1


class RunProgram(Protocol):
    """Runs a program to its end.

    `env` None: the environment of this process. `timeout` is in seconds. `input` is written to
    stdin, which is closed otherwise. `on_line` gets each line of stdout (and stderr, unless
    `apart` keeps it apart) without its newline, in the caller's thread. `umask` is set in the
    child (POSIX). `stop` is asked several times a second; once it says yes, the program is ended.

    Raises `ToolError` where the program can't be started or was stopped, and `TimedOutError`.
    On any exception, Ctrl-C included, the program and all it started are ended first.
    """

    def __call__(  # noqa: PLR0913 - one door for every program; all but the first have defaults
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        input: str | None = None,  # noqa: A002 - subprocess calls it so
        on_line: Callable[[str], None] | None = None,
        apart: bool = False,
        umask: int = -1,
        stop: Callable[[], bool] | None = None,
    ) -> Completed: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What a door needs of the machine."""

    #: the variables of this process; never shown, since secrets travel in it
    env: Mapping[str, str] = field(repr=False)
    home: Path
    #: the time, aware, UTC
    now: Callable[[], datetime]
    #: waits; in seconds
    sleep: Callable[[float], None]
    run: RunProgram


def real_system() -> System:
    """This machine."""
    env = dict(os.environ)

    def run(argv: Sequence[str], **options: object) -> Completed:
        if options.get("env") is None:
            options["env"] = env
        return run_program(argv, **options)  # type: ignore[arg-type] # the protocol checks the callers

    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    return System(env=env, home=home, now=partial(datetime.now, UTC), sleep=time.sleep, run=run)


def run_jobs(system: System, jobs: Sequence[Callable[[System], Result]], *, workers: int = 2) -> list[Result]:
    """The results of all jobs in their order, `workers` at a time.

    The first failure, or Ctrl-C, ends the programs that the others are running, and is raised.
    Each job gets the system to use.
    """
    from concurrent.futures import ThreadPoolExecutor

    stop = threading.Event()
    scoped = replace(system, run=partial(system.run, stop=stop.is_set))
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(job, scoped) for job in jobs]
        try:
            _settle(futures)
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]


def _settle(futures: list[Future[Result]]) -> None:
    from concurrent.futures import FIRST_EXCEPTION, wait

    pending = set(futures)
    while pending:  # by ticks: on Windows, Ctrl-C does not interrupt a longer wait
        done, pending = wait(pending, timeout=_TICK, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()


@contextlib.contextmanager
def explain_os_errors(what: str) -> Iterator[None]:
    """Turns an `OSError` of the block into a `ReleaseError` about `what`: "the build directory"."""
    try:
        yield
    except OSError as error:
        where = f" {str(error.filename)!r}" if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        raise ReleaseError(f"can't use {what}{where}: {reason}", remedy=_remedy_of(error)) from error


def _remedy_of(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "free some space on that disk, and run the same command again"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "make the place writable for you, or use another directory"
    return "make sure that the place is there, is readable and can be written to"
