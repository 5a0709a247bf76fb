"""A run that would stop for its credential, before anything was sent, takes a new token on a terminal and continues."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.project import Indexes, UserProject, files_on, indexes, make, posts, release_table
from tests.stories.terminal import talk

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")


@pytest.fixture
def on() -> Iterator[Indexes]:
    with indexes() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, on: Indexes) -> UserProject:
    made = make(tmp_path, more=release_table(on), tiny=True)
    made.commit()
    return made


def broken(project: UserProject, on: Indexes) -> str:
    """A `.pypirc` with a truncated token for TestPyPI. Returns the whole one."""
    good: str = on.testpypi.tokens["account"].reveal()
    project.credentials(on, tokens={"testpypi": good[:-9], "pypi": on.pypi.tokens["account"].reveal()})
    return good


@on_posix
def test_on_a_terminal_it_continues_with_the_new_token(project: UserProject, on: Indexes) -> None:
    good = broken(project, on)
    answers = [("and continue?", "y"), ("API token for testpypi", good)]
    screen = talk(project, "testpypi", "--yes", answers=answers, timeout=120)
    assert screen.status == 0, screen.text
    assert screen.text.count("the token is truncated") == 1
    assert good[20:] not in screen.text
    assert len(files_on(on.testpypi)) == 2
    record = json.loads((project.root / ".release" / "1.0" / "record.json").read_bytes())
    prompted = {step["title"]: step["prompted"] for step in record["runs"][-1]["steps"]}
    assert [title for title, seconds in prompted.items() if seconds] == ["check the credentials for testpypi"]
    assert f"password = {good}\n" in (project.home / ".pypirc").read_text(encoding="utf-8")


@on_posix
@pytest.mark.slow
def test_without_a_keyring_the_token_is_used_for_this_run(project: UserProject, on: Indexes) -> None:
    good = on.testpypi.tokens["account"].reveal()
    answers = [("Use a new token for this run and continue?", "y"), ("API token for testpypi", good)]
    screen = talk(project, "testpypi", "--yes", answers=answers, timeout=120)
    assert screen.status == 0, screen.text
    assert len(files_on(on.testpypi)) == 2
    assert not (project.home / ".pypirc").exists()


@on_posix
def test_who_declines_gets_the_cause_and_the_remedy(project: UserProject, on: Indexes) -> None:
    broken(project, on)
    screen = talk(project, "testpypi", "--yes", answers=[("and continue?", "n")])
    assert screen.status == 1
    assert "→ pypi-preflight diagnose" in screen.text
    assert posts(on.testpypi) == []


@on_posix
def test_a_new_token_that_does_not_work_stops_the_run(project: UserProject, on: Indexes) -> None:
    broken(project, on)
    foreign = on.pypi.tokens["account"].reveal()
    answers = [("and continue?", "y"), ("API token for testpypi", foreign)]
    screen = talk(project, "testpypi", "--yes", answers=answers)
    assert screen.status == 1
    assert "not stored: " in screen.text
    assert posts(on.testpypi) == []


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_without_a_terminal_nothing_is_asked(project: UserProject, on: Indexes, more: tuple[str, ...]) -> None:
    broken(project, on)
    told = project.run("testpypi", "--yes", *more, stdin="y\n")
    assert told.status == 1
    assert "and continue?" not in told.all
    assert "cred.truncated" in told.all


@on_posix
def test_with_json_nothing_is_asked_on_a_terminal_either(project: UserProject, on: Indexes) -> None:
    broken(project, on)
    screen = talk(project, "testpypi", "--yes", "--json", answers=())
    assert screen.status == 1
    assert "and continue?" not in screen.text
