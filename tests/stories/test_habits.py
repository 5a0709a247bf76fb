"""What people type first who come from another tool, and what they get: transcripts, kept in `habits/`.

To accept new texts, run `HABITS=write python -m pytest tests/stories/test_habits.py`, and read the difference.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from release.cli.main import main
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import UserProject, indexes, make, release_table

TRANSCRIPTS = Path(__file__).with_name("habits")
CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n- Widgets can be frobnicated.\n\n## [1.0] - 2026-01-01\n\n- First release.\n"
)
_CHANGING = (
    # a long step has its time on the line, in place of what does not fit
    (re.compile(r"(?: done)? (?:in|after) [0-9.]+ s\b|, \d+ not applicable"), ""),
    (re.compile(r"(?: +done| +)$", re.MULTILINE), ""),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?:[0-9a-f]{12,64}|[0-9a-f]{7})\b"), "HASH"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1"),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserProject]:
    """A project with built files, and tokens for two sandboxes, as `pypi` and `testpypi`."""
    with indexes() as on:
        made = make(tmp_path, more=release_table(on))
        made.credentials(on)
        for name, content in ((wheel_name(), wheel()), (sdist_name(), sdist())):
            (made.root / "dist").mkdir(exist_ok=True)
            (made.root / "dist" / name).write_bytes(content)
        made.write(".gitignore", "dist/\n")
        made.write("CHANGELOG.md", CHANGELOG)
        made.write("tasks.py", "from pypi_preflight import tasks\nnamespace = tasks.collection()\n")
        made.write("noxfile.py", "from pypi_preflight import sessions\nsessions.register()\n")
        made.commit()
        made.git("tag", "v1.0")
        made.git("commit", "-q", "--allow-empty", "-m", "feat: frobnicate widgets")
        made.env |= {
            f"GIT_{one}_{part}": "a@example.org" for one in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        env = made.environment()
        for name in set(os.environ) - set(env):
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.chdir(made.root)
        yield made


@pytest.mark.parametrize("path", sorted(TRANSCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_a_transcript(path: Path, project: UserProject, capfd: pytest.CaptureFixture[str]) -> None:
    before = path.read_text(encoding="utf-8")
    now = "".join(_replayed(before, project, capfd))
    if os.environ.get("HABITS") == "write":
        path.write_text(now, encoding="utf-8")
    assert now == before


def _replayed(transcript: str, project: UserProject, capfd: pytest.CaptureFixture[str]) -> Iterator[str]:
    head, *steps = re.split(r"^\$ ", transcript, flags=re.MULTILINE)
    yield head
    for step in steps:
        line = step.splitlines()[0]
        words = [found for word in shlex.split(line) for found in (sorted(glob.glob(word)) or [word])]  # noqa: PTH207 - as a shell
        status = _run(words)
        said = capfd.readouterr()
        text = (said.out + said.err).replace(str(project.root), "PROJECT")
        for pattern, constant in _CHANGING:
            text = pattern.sub(constant, text)
        ended = f"[exit status {status}]\n" if status else ""
        yield f"$ {line}\n{text}{ended}\n"


def _run(words: list[str]) -> int:
    if words[0] == "pypi-preflight":
        return main(words[1:])
    return subprocess.run([sys.executable, "-m", *words], check=False, stdin=subprocess.DEVNULL).returncode
