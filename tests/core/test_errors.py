"""The expected errors: what users read of an error of the system."""

from __future__ import annotations

import errno
import sys

import pytest

from release.core.errors import (
    ConfigError,
    Exit,
    RefusedError,
    ReleaseError,
    ToolError,
    UnreachableError,
    UsageError,
    from_os_error,
    is_process_limit,
    lower_first,
    os_error_reason,
    process_limit_error,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ReleaseError, Exit.REFUSED),
        (RefusedError, Exit.REFUSED),
        (ToolError, Exit.REFUSED),
        (UnreachableError, Exit.REFUSED),
        (UsageError, Exit.USAGE),
        (ConfigError, Exit.USAGE),
    ],
)
def test_an_error_has_its_message_its_remedy_and_its_exit_status(kind: type[ReleaseError], status: Exit) -> None:
    found = kind("it is wrong", remedy="correct it", cause="some.cause")
    assert (str(found), found.message, found.remedy, found.cause) == (
        "it is wrong", "it is wrong", "correct it", "some.cause",
    )  # fmt: skip
    assert kind("it is wrong", remedy="").cause is None
    assert found.exit is status


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "dist/a.whl"), "no space left on the disk: 'dist/a.whl'"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on the disk"),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "a"), "no space left on the disk: 'a'"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no quota error")
def test_a_full_disk_is_called_so(error: OSError, message: str) -> None:
    found = from_os_error(error)
    assert found.message == message
    assert found.remedy == "free some space, then run it again: it continues where it stopped"


@pytest.mark.parametrize(
    "error", [OSError(errno.EAGAIN, "Resource temporarily unavailable"), RuntimeError("can't start new thread")]
)
def test_the_limit_on_processes_is_called_so(error: Exception) -> None:
    assert is_process_limit(error)
    found = process_limit_error()
    assert found.message == "the limit on processes and threads is reached"
    assert found.remedy.startswith("end other programs, or raise the limit (ulimit -u")
    if isinstance(error, OSError):
        assert os_error_reason(error) == from_os_error(error).message == found.message
        assert from_os_error(error).remedy == found.remedy


@pytest.mark.parametrize(
    "error",
    [
        BlockingIOError(errno.EAGAIN, "write could not complete without blocking", 3),
        RuntimeError("can't start"),
        ValueError("can't start new thread"),
    ],
)
def test_another_error_is_not_taken_for_the_limit_on_processes(error: Exception) -> None:
    assert not is_process_limit(error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "a"), "permission denied: 'a'"),
        (OSError(errno.EIO, "Input/output error"), "input/output error"),
        (OSError("Bad CRC-32"), "bad CRC-32"),
    ],
)
def test_another_error_of_the_system_is_in_its_own_words(error: OSError, message: str) -> None:
    found = from_os_error(error)
    assert (found.message, found.remedy) == (message, "check the path, its permissions and the disk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Permission denied", "permission denied"), ("HTTP 500", "HTTP 500"), ("A b", "a b"), ("X", "x"), ("", "")],
)
def test_a_message_becomes_a_clause(text: str, expected: str) -> None:
    assert lower_first(text) == expected


def test_an_error_without_words_is_named_by_its_type() -> None:
    assert os_error_reason(TimeoutError()) == "TimeoutError", "the name of a class keeps its case"
    assert os_error_reason(OSError("Bad CRC-32")) == "bad CRC-32"
