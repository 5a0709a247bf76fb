"""The environment, clock and programs of this machine, as one value of callables that is passed in.

Tests pass another value. Only `real_system()` uses the process's own environment and clock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from release.core.errors import PROCESS_LIMIT_REMEDY, ReleaseError, is_process_limit, os_error_reason
from release.core.quoting import quote_path
from release.core.struct_fields import repr_without

if TYPE_CHECKING:
    from subprocess import Popen

    from release.adapters.system.process import Completed
    from release.core.models.build_requirement import PinnedBuild
    from release.core.models.interpreter import RequiredPython


class RunProgram(Protocol):
    """Runs a program until it exits.

    `env` None: the environment of this process without secrets. `timeout` is in seconds. `input` is written to stdin,
    which is closed otherwise; its parts are asked for in another thread, which nothing waits for, and written at once.
    `on_line` is called in the caller's thread with each line of stdout (and of stderr, unless it is kept `apart`),
    without its newline. `umask` is that of the child (POSIX). `stop` is called several
    times a second; once it returns true, the program is ended. `started` is the program where it runs already.

    Raises `ToolError` where the program cannot be started or was stopped, and `TimedOutError`. On any exception,
    also on Ctrl-C, the program and everything that it started are ended first.
    """

    def __call__(  # noqa: PLR0913 - all but the first have defaults
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        input: str | Iterable[str] | None = None,  # noqa: A002 - subprocess calls it so
        on_line: Callable[[str], None] | None = None,
        apart: bool = False,
        umask: int = -1,
        stop: Callable[[], bool] | None = None,
        started: Popen[str] | None = None,
    ) -> Completed: ...


class System(Struct, frozen=True, kw_only=True):
    """What adapters need of the machine."""

    #: the variables of this process; not in the `repr`, because they may be secrets
    env: Mapping[str, str]
    home: Path
    #: the current time, aware, UTC
    now: Callable[[], datetime]
    #: in seconds
    sleep: Callable[[float], None]
    run: RunProgram
    #: the interpreter for builds and clean installs, and why it is not the one that runs this program; else None
    python: RequiredPython | None = None
    #: names of variables that the project's own code gets, though they may be secrets: `pass-environment`
    passed: tuple[str, ...] = ()
    #: what the requirements of builds are held to; None where the project names no constraints
    pinned_build: PinnedBuild | None = None

    def __repr__(self) -> str:
        return repr_without(self, "env")


def real_system() -> System:
    """This machine."""
    env = dict(os.environ)

    def run(argv: Sequence[str], **options: object) -> Completed:
        from release.adapters.system.process import run_program
        from release.core.child_environment import without_credentials

        if options.get("env") is None:
            options["env"] = without_credentials(env)
        return run_program(argv, **options)  # type: ignore[arg-type] # the protocol checks the callers

    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    return System(env=env, home=home, now=partial(datetime.now, UTC), sleep=time.sleep, run=run)


def stoppable(system: System, stop: Callable[[], bool]) -> System:
    """The same system, whose programs are also ended once `stop` returns true, besides what ends them already."""

    def run(argv: Sequence[str], **options: Any) -> Completed:
        other = options.pop("stop", None)
        return system.run(argv, stop=lambda: stop() or (other is not None and other()), **options)

    return replace(system, run=run)


@contextlib.contextmanager
def explain_os_errors(what: str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `ReleaseError` about `what`, for example "the build directory"."""
    try:
        yield
    except OSError as error:
        where = f" {quote_path(error.filename)}" if error.filename else ""
        reason = os_error_reason(error)
        remedy = "check that it exists and is readable and writable"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            remedy = "free some space on that disk, then run the same command again"
        elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            remedy = "make it writable for this user, or use another directory"
        elif is_process_limit(error):
            remedy = PROCESS_LIMIT_REMEDY
        raise ReleaseError(f"cannot use {what}{where}: {reason}", remedy=remedy) from error


def path_from_here(path: Path) -> str:
    """The path as a user in the current directory writes it."""
    with contextlib.suppress(ValueError, OSError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
