"""An unexpected exception as an error that says where it happened, and names a log with its traceback."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress

from release.adapters.system import debug_log
from release.core.errors import ReleaseError, is_process_limit, process_limit_error
from release.core.quoting import quote_path

#: characters of a message; the log has all of it
_LONGEST = 300


def report_crash(error: BaseException, env: Mapping[str, str]) -> ReleaseError:
    """A fault of this program as a `ReleaseError`, without secrets. Its traceback is in a log that the remedy names.

    A thread that cannot be started is no fault of this program, wherever it is missing, and needs no log.

    The log is that of `--debug`, or a new one; where none can be written, the remedy names none. Where the fault is in
    the redaction itself, or in the log, only the kind of the error is shown.
    """
    if is_process_limit(error):
        return process_limit_error()
    try:
        return _report(error, env)
    except Exception as another:  # noqa: BLE001 - Python would print both as they are
        kinds = " and ".join(dict.fromkeys((type(error).__name__, type(another).__name__)))
        return ReleaseError(f"internal error: {kinds}", remedy="report it as a bug of pypi-preflight")


def _report(error: BaseException, env: Mapping[str, str]) -> ReleaseError:
    log = debug_log.log_of(error)
    if log is None:
        with suppress(OSError, KeyError), debug_log.open_debug_log(sys.argv[1:], env) as log:
            debug_log.record_exception(error)
    attached = f", with the log {quote_path(log)}" if log is not None else ""
    return ReleaseError(
        f"internal error: {_place(error)}{_message(error, env)}",
        remedy=f"report it as a bug of pypi-preflight{attached}",
    )


def _place(error: BaseException) -> str:
    """Where it was raised: "build.py:42: "."""
    from pathlib import PurePath
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}: " if frames else ""


def _message(error: BaseException, env: Mapping[str, str]) -> str:
    # redacted first: a secret that was cut, or that lost its line breaks, is not recognised
    text = " ".join(debug_log.redactor_of(env)(str(error)).split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
