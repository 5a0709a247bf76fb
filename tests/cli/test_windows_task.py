"""As Task Scheduler runs it, the program keeps its output in a file, since nobody else does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.stories.project import make


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("status",), 0, "nothing has been released"),
        (("leaks", "--directory", "/nowhere"), 2, "nowhere"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_the_log_has_the_output_and_the_status_of_the_last_run(
    tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    project, log = make(tmp_path), tmp_path / "logs" / "tokens.log"
    for _ in range(2):
        told = project.command(sys.executable, "-P", "-m", "pypi_preflight.windows_task", str(log), *words)
    assert (told.status, told.all) == (status, "")
    text = log.read_text(encoding="utf-8")
    assert said in text
    assert text.count("exit status ") == 1
    assert text.endswith(f"exit status {status}\n")
