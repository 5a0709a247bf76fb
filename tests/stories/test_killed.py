"""A run that is killed in the middle of the upload, and run again, ends with each file there exactly once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stories.project import files_on, indexes, make, posts, release_table


def _journal(root: Path) -> list[dict[str, str]]:
    text = "".join(path.read_text() for path in root.glob(".release/1.0/*/journal.jsonl"))
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process group")
@pytest.mark.parametrize("moment", ["before the first answer", "after the first answer", "at any time"])
def test_killed_and_run_again(tmp_path: Path, moment: str) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on))
        project.write("acme_widget/data.bin", "".join(random.choices("abcdefgh", k=2_000_000)))  # noqa: S311 - bulk
        project.credentials(on)
        project.commit()
        assert project.run("build").status == 0
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "testpypi"], cwd=project.root, env=project.environment(),
            stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        with process:
            _wait(process, project.root, moment)
            os.killpg(process.pid, signal.SIGKILL)
        assert not any(e["event"] == "ended" and e["verb"] == "testpypi" for e in _journal(project.root))

        again = project.run("testpypi", "--json")
        assert again.status == 0, again.all
        built = {f["file"]: f["sha256"] for f in again.data["files"]}
        assert files_on(on.testpypi) == built
        accepted = [r for r in posts(on.testpypi) if r.status == 200]
        assert len(accepted) <= len(built) + 1  # the one whose answer was lost may have been sent twice
        events = _journal(project.root)
        assert {e["file"] for e in events if e["event"] == "accepted"} == set(built)
        assert events[-1]["event"] == "ended"


def _wait(process: subprocess.Popen[bytes], root: Path, moment: str) -> None:
    if moment == "at any time":
        time.sleep(random.uniform(0.3, 2.5))  # noqa: S311 - any time will do
        return
    wanted = {"before the first answer": "sending", "after the first answer": "accepted"}[moment]
    while process.poll() is None and not any(e["event"] == wanted for e in _journal(root)):
        time.sleep(0.002)
