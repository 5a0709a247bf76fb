"""The log of `--debug`, for a bug report: programs, requests, events and errors, each without secrets.

An unexpected exception makes one without `--debug`: see `crash_report`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from release.core.harmless import harmless_lines
from release.core.quoting import quote_path

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from release.core.redaction import Redactor

#: characters of the start and of the end of a long entry
_LONGEST = 2000

_record: Callable[[str], None] | None = None
#: the log, if there is one
_path: Path | None = None
#: the exception that ended the last one, and that log
_ended_by: tuple[BaseException, Path] | None = None


def record(text: str) -> None:
    """Add an entry to the log, if there is one."""
    if _record is not None:
        _record(text)


def record_program(argv: Sequence[str], cwd: Path | None) -> None:
    """Add the start of a program to the log."""
    if _record is not None:
        _record(f"run {list(argv)!r}" + (f" in {quote_path(cwd)}" if cwd else ""))


@contextmanager
def open_debug_log(words: Sequence[str], env: Mapping[str, str]) -> Iterator[Path]:
    """Record this run, until the context ends: a file that only its owner can read, outside of the project.

    The file is in the user's state directory, or in the temporary directory where that cannot be written.
    """
    global _record, _path, _ended_by  # noqa: PLW0603 - one log for a process
    import platform
    from datetime import UTC, datetime

    redact = redactor_of(env)
    path, stream = _create(env)
    start = time.monotonic()

    def write(text: str) -> None:
        text = redact(text).rstrip("\n")  # before it is cut: a part of a secret is not recognized
        if len(text) > 2 * _LONGEST:
            text = f"{text[:_LONGEST]}\n[...]\n{text[-_LONGEST:]}"
        text = harmless_lines(text).replace("\n", "\n    ")  # lines after the first are indented
        stream.write(f"{time.monotonic() - start:8.3f}  {text}\n")
        stream.flush()

    with stream:
        _record, _path = write, path
        try:
            write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} Python {platform.python_version()} {platform.platform()}")
            write(f"pypi-preflight {list(words)!r}")
            yield path
        except BaseException as error:
            record_exception(error)
            _ended_by = error, path
            raise
        finally:
            _record = _path = None


def record_exception(error: BaseException) -> None:
    """Add a traceback to the log."""
    from traceback import format_exception

    record("".join(format_exception(error)))


def log_of(error: BaseException) -> Path | None:
    """The log that has the traceback of an exception; it is added to the log, if there is one now."""
    if _path is not None:
        record_exception(error)
        return _path
    return _ended_by[1] if _ended_by is not None and _ended_by[0] is error else None


def redactor_of(env: Mapping[str, str]) -> Redactor:
    """What removes the values of the environment's secret variables, and all that has the form of a token."""
    from release.core.child_environment import is_credential, known_secrets
    from release.core.redaction import Redactor
    from release.core.secret import Secret

    secrets = {*known_secrets(env), *(value for name, value in env.items() if is_credential(name))}
    return Redactor(map(Secret, secrets))


def _create(env: Mapping[str, str]) -> tuple[Path, TextIO]:
    import tempfile
    from datetime import UTC, datetime
    from pathlib import Path

    from release.adapters.system.state_directory import state_directory

    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.log"
    try:
        directory = state_directory(env) / "debug"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return directory / name, _open_private(directory / name)
    except OSError:
        path = Path(tempfile.gettempdir()) / f"pypi-preflight-{name}"
        return path, _open_private(path)


def _open_private(path: Path) -> TextIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    return open(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="backslashreplace")  # noqa: PTH123 - a descriptor
