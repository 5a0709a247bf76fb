"""Each reading command of git is run once in a directory; all others every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.git.shared_answers import GitAnswers
from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError


def recording(ran: list[Any]) -> System:
    def run(argv: Any, *, cwd: Path | None = None, **_: Any) -> Completed:
        ran.append((cwd, *argv))
        if "ls-remote" in argv:
            raise ToolError("no answer", remedy="wait")
        return Completed(status=0, output=str(len(ran)))

    return replace(real_system(), run=run)


@pytest.mark.parametrize(
    ("argv", "once"),
    [
        (["git", "status", "-z"], True),
        (["git", "-c", "core.askPass=", "rev-parse", "HEAD"], True),
        (["git", "--no-pager", "show", "x"], True),
        (["git", "clone", "show", "status"], False),
        (["git", "-c", "status", "tag", "v1"], False),
        (["git", "update-ref", "HEAD", "x"], False),
        (["uv", "status"], False),
        (["git"], False),
    ],
)
def test_what_reads_is_run_once_in_a_directory(tmp_path: Path, argv: list[str], *, once: bool) -> None:
    ran: list[Any] = []
    answers = GitAnswers()
    first, second = answers.shared(recording(ran)), answers.shared(recording(ran))
    (tmp_path / "other").mkdir()
    for system in (first, second):
        for place in (tmp_path, tmp_path / "other" / ".."):
            system.run(argv, cwd=place)
    assert len(ran) == (1 if once else 4)
    first.run(argv, cwd=tmp_path / "other")
    first.run(argv)
    first.run(argv)
    assert len(ran) == (4 if once else 7), "another directory, and twice without one"


def test_a_failure_is_an_answer(tmp_path: Path) -> None:
    """A remote that does not answer is not waited for again by each project."""
    ran: list[Any] = []
    system = GitAnswers().shared(recording(ran))
    for _ in range(2):
        with pytest.raises(ToolError, match="no answer"):
            system.run(["git", "ls-remote", "origin"], cwd=tmp_path)
    assert len(ran) == 1
