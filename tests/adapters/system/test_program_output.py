"""Logs as shells write them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from release.adapters.system import program_output


@pytest.mark.parametrize("size", [10, 14])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_beginning_and_the_end_of_a_long_log_are_read_in_its_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, size: int
) -> None:
    monkeypatch.setattr(program_output, "PART", size)
    path = tmp_path / "log"
    path.write_bytes(("begin" + "." * 40 + "at end").encode(encoding))
    log = program_output.load_log(str(path))
    assert log.skipped
    assert log.text.startswith("begi")
    assert log.text.endswith("end")
    assert log.text.isascii()


def test_bytes_that_are_no_text_do_not_hide_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("403 “Forbidden”".encode("cp1252"))))
    assert "Forbidden" in program_output.load_log("-").text


def test_what_a_program_in_rust_writes_behind_a_panic_is_no_cause() -> None:
    """Observed: uv 0.13.9, 2026-11."""
    output = (
        "Using Python 3.11.7 environment at: environments/wheel\n"
        "thread 'main2' (19295) panicked at library/std/src/thread/functions.rs:131:29:\n"
        'failed to spawn thread: Os { code: 11, kind: WouldBlock, message: "Resource temporarily unavailable" }\n'
        "stack backtrace:\n"
        "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.\n"
    )
    assert program_output.cause_line(output).startswith("failed to spawn thread: ")
