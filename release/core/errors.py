"""What can go wrong: one root exception that says what, where, and what to do about it."""

from __future__ import annotations

import errno
from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses of the program, a public contract (see the README)."""

    DONE = 0
    #: a check refused; nothing was uploaded anywhere by this run
    REFUSED = 1
    #: the command line or the configuration is wrong
    USAGE = 2
    #: an upload failed, and the index is as it was
    UNCHANGED = 3
    #: something is on the index, and the release is not complete
    INCOMPLETE = 4
    #: nothing is broken, and something wants attention before long (token health)
    WARNED = 5
    #: the network, or a place where a credential lives, did not answer: nobody can say (token health)
    UNKNOWN = 6


class ReleaseError(Exception):
    """An expected failure.

    `message` says what and where: lower case, no full stop, the offending value quoted.
    `remedy` is an order: the exact command or address; empty only where nobody could do anything.
    `cause` is the id of the known failure in the catalog, where it is one.
    """

    exit = Exit.REFUSED

    def __init__(self, message: str, *, remedy: str, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.cause = cause


class UsageError(ReleaseError):
    """The command line asks for something that can't be done."""

    exit = Exit.USAGE


class ConfigError(UsageError):
    """`[tool.release]`, or the file that holds it, can't be used; the message names the key."""


class RefusedError(ReleaseError):
    """A check, or an index, said no: the run stops here."""


class ToolError(ReleaseError):
    """A program that we drive (git, build, pip, uv) failed; the message quotes its last words."""


class UnreachableError(ReleaseError):
    """No usable answer from the network: name resolution, connection, TLS, time-out, or garbage."""


def from_os_error(error: OSError) -> ReleaseError:
    """An error of the operating system in the words of this program."""
    where = f": {str(error.filename)!r}" if error.filename else ""
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return ReleaseError(f"no space left on the disk{where}", remedy="make room, then run it again: it goes on")
    return ReleaseError(
        f"{(error.strerror or str(error)).lower()}{where}", remedy="check the path, its permissions and the disk"
    )
