"""The expected errors: one base class with a message, a remedy and an exit status."""

from __future__ import annotations

import errno
from enum import IntEnum

from release.core.quoting import quote_path


class Exit(IntEnum):
    """The exit statuses of the program, which are documented in the README."""

    DONE = 0
    #: a check failed; this run uploaded nothing
    REFUSED = 1
    #: the command line or the configuration is wrong
    USAGE = 2
    #: an upload failed, and the index is unchanged
    UNCHANGED = 3
    #: the index has some of the files, but the release is not complete
    INCOMPLETE = 4
    #: nothing is broken, but something needs attention soon (token health)
    WARNED = 5
    #: the network or a credential source did not answer, so the state is unknown (token health)
    UNKNOWN = 6


class ReleaseError(Exception):
    """An expected failure.

    `message` says what is wrong and where: lower case, no full stop, the offending value quoted.
    `remedy` is in the imperative, with the exact command or address; empty only if nothing can be done.
    `cause` is the id of the known failure in the catalog, if it is one.
    `option` is what the same command needs in addition, where the remedy is that: ("--new-project", "acme").
    """

    exit = Exit.REFUSED

    def __init__(self, message: str, *, remedy: str, cause: str | None = None, option: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.cause = cause
        self.option = option


class UsageError(ReleaseError):
    """The command line is not valid."""

    exit = Exit.USAGE


class ConfigError(UsageError):
    """`[tool.release]`, or another file that the user writes, is not valid; the message names the key."""


class RefusedError(ReleaseError):
    """A check or an index refused the release: the run stops."""


class ToolError(ReleaseError):
    """A program that was run (git, build, pip, uv) failed; the message quotes the end of its output."""


class UnreachableError(ReleaseError):
    """No usable answer from the network: name resolution, connection, TLS, timeout, or an invalid response."""


def lower_first(text: str) -> str:
    """A message of another program as a clause: its first letter in lower case, unless it begins an abbreviation.

    The rest keeps its case: a secret in another case would not be recognised when the text is redacted.
    """
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def os_error_reason(error: OSError) -> str:
    """Why the operating system refuses something, as a clause: "permission denied"."""
    if is_process_limit(error):
        return PROCESS_LIMIT
    words = error.strerror or str(error)
    return lower_first(words) if words else type(error).__name__


#: that of a user, or of a container. Source: setrlimit(2), RLIMIT_NPROC; Linux, "Process Number Controller"
PROCESS_LIMIT = "the limit on processes and threads is reached"
PROCESS_LIMIT_REMEDY = (
    "end other programs, or raise the limit (ulimit -u, or the pids limit of the container), then run the same command "
    "again"
)


def is_process_limit(error: BaseException) -> bool:
    """Whether no further process or thread can be started. Python has no class for that.

    Observed: CPython 3.11 to 3.13, `threading.py`, `_thread.c`.
    """
    if isinstance(error, OSError):  # a write that would block has the same number
        return error.errno == errno.EAGAIN and not hasattr(error, "characters_written")
    return isinstance(error, RuntimeError) and str(error) == "can't start new thread"


def process_limit_error() -> ReleaseError:
    """The error for a process or thread that cannot be started."""
    return ReleaseError(PROCESS_LIMIT, remedy=PROCESS_LIMIT_REMEDY)


def from_os_error(error: OSError) -> ReleaseError:
    """An error of the operating system as a `ReleaseError`."""
    if is_process_limit(error):
        return process_limit_error()
    where = f": {quote_path(error.filename)}" if error.filename else ""
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return ReleaseError(
            f"no space left on the disk{where}",
            remedy="free some space, then run it again: it continues where it stopped",
        )
    return ReleaseError(f"{os_error_reason(error)}{where}", remedy="check the path, its permissions and the disk")
