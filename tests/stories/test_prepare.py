"""A project goes from 1.1.0 to a release of 1.2.0 by one command; what stops on the way is undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stories import tiny_backend
from tests.stories.project import Indexes, Told, UserProject, files_on, indexes, posts, release_table

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "acme-widget"  # the widget
version = "1.1.0"
{more}
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n- A lid.\n\n## [1.1.0] - 2026-01-31\n\n- A hinge.\n"


def released_once(tmp_path: Path, on: Indexes | None = None, *, more: str = "") -> UserProject:
    """A project with a release 1.1.0 by its tag, and a commit since."""
    project = UserProject(root=tmp_path / "project", home=tmp_path / "home")
    project.root.mkdir()
    project.home.mkdir()
    project.write("pyproject.toml", PYPROJECT.format(more=(release_table(on) if on else "") + more))
    project.write("backend.py", Path(tiny_backend.__file__).read_text(encoding="utf-8"))
    project.write("acme_widget/__init__.py", "x = 1\n")
    project.write("CHANGELOG.md", CHANGELOG.replace("- A lid.\n\n", ""))
    project.commit()
    project.git("config", "user.name", "A")
    project.git("config", "user.email", "a@example.org")
    project.git("tag", "v1.1.0")
    project.write("CHANGELOG.md", CHANGELOG)
    project.git("commit", "-q", "-a", "-m", "feat: add a lid")
    if on:
        project.credentials(on)
    return project


def with_remote(project: UserProject) -> Path:
    """A remote that has everything so far."""
    remote = project.root.parent / "remote.git"
    project.git("init", "-q", "--bare", str(remote))
    project.git("remote", "add", "origin", str(remote))
    project.git("push", "-q", "--tags", "-u", "origin", "main")
    return remote


def at_remote(project: UserProject, ref: str) -> str:
    return project.git("ls-remote", "origin", ref).partition("\t")[0]


def test_the_preparation_is_one_commit(tmp_path: Path) -> None:
    project = released_once(tmp_path)
    head = project.git("rev-parse", "HEAD")
    told = project.run("prepare", "--yes")
    assert told.status == 0, told.all
    shown = [line.strip() for line in told.out.splitlines()]
    assert "version: 1.1.0 → 1.2.0  (feat: add a lid" in told.out
    assert shown[-1] == "next: pypi-preflight release"
    assert "is prepared: commit" in told.out
    assert project.git("log", "-1", "--format=%s|%P") == f"Release 1.2.0|{head}"
    assert 'version = "1.2.0"\n' in (project.root / "pyproject.toml").read_text()
    assert "## [Unreleased]\n\n## [1.2.0] - 20" in (project.root / "CHANGELOG.md").read_text()
    assert project.git("tag") == "v1.1.0"


@pytest.mark.slow
def test_from_one_release_to_the_next_by_one_command(tmp_path: Path) -> None:
    with indexes() as on:
        project = released_once(tmp_path, on)
        with_remote(project)
        head = project.git("rev-parse", "HEAD")
        told = project.run("prepare", "minor", "--yes", "--release")
        assert told.status == 0, told.all
        assert set(files_on(on.pypi)) == {"acme_widget-1.2.0-py3-none-any.whl", "acme_widget-1.2.0.tar.gz"}
        assert files_on(on.pypi) == files_on(on.testpypi)
        commit = project.git("rev-parse", "HEAD")
        assert project.git("log", "-1", "--format=%s %P") == f"Release 1.2.0 {head}"
        assert at_remote(project, "refs/heads/main") == commit
        assert at_remote(project, "refs/tags/v1.2.0^{}") == commit
        assert "acme-widget 1.2.0 is on testpypi and pypi, confirmed" in told.out
        assert "push the branch first" not in told.out
        assert project.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_a_release_that_is_refused_undoes_the_preparation(tmp_path: Path) -> None:
    """Before anything is sent; the next run of the same command does it all."""
    smoke = "[tool.release.smoke]\ncommands = [\"python -c 'import acme_widget; assert acme_widget.x == 2'\"]\n"
    with indexes() as on:
        project = released_once(tmp_path, on, more=smoke)
        with_remote(project)
        head = project.git("rev-parse", "HEAD")
        told = project.run("prepare", "--yes", "--release")
        assert told.status == 1, told.all
        assert "the preparation is undone" in told.out
        assert project.git("rev-parse", "HEAD") == head
        assert project.git("status", "--porcelain") == ""
        assert (project.root / "CHANGELOG.md").read_text() == CHANGELOG
        assert not posts(on.testpypi)
        assert at_remote(project, "refs/heads/main") == head
        project.write("acme_widget/__init__.py", "x = 2\n")
        project.git("commit", "-q", "-a", "-m", "fix: oil the hinge")
        again = project.run("prepare", "--yes", "--release", "--json")
        assert again.status == 0, again.all
        assert (again.data["version"], again.data["exit"]) == ("1.2.0", 0)
        assert again.data["release"]["message"].startswith("acme-widget 1.2.0 is on testpypi and pypi, confirmed")
        assert again.data["commit"] == project.git("rev-parse", "HEAD")


@pytest.mark.slow
def test_a_credential_that_does_not_work_stops_it_before_the_commit(tmp_path: Path) -> None:
    with indexes() as on:
        project = released_once(tmp_path, on)
        (project.home / ".pypirc").unlink()
        head = project.git("rev-parse", "HEAD")
        told = project.run("prepare", "--yes")
        assert told.status == 1, told.all
        assert "no credential for testpypi" in told.all
        assert project.git("rev-parse", "HEAD") == head
        assert project.git("status", "--porcelain") == ""


HOOK = """\
#!/bin/sh
echo $$ > "{ready}"
sleep 60
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals, and the hook is a shell script")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_a_run_that_is_ended_while_it_commits(tmp_path: Path, name: str) -> None:
    assert sys.platform != "win32"
    project = released_once(tmp_path)
    ready, hook = tmp_path / "ready", project.root / ".git/hooks/pre-commit"
    hook.write_text(HOOK.format(ready=ready))
    hook.chmod(0o755)
    head = project.git("rev-parse", "HEAD")
    with subprocess.Popen(
        [sys.executable, "-m", "release", "prepare", "--yes"], cwd=project.root, env=project.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        while not (ready.exists() and ready.read_text().strip()):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(getattr(signal, name))
        if name == "SIGKILL" and sys.platform != "win32":  # git outlives it; a machine that stops ends both
            os.killpg(os.getpgid(int(ready.read_text())), signal.SIGKILL)
        out = process.communicate()[0]
    if name == "SIGKILL":
        _undo_after_kill(project)
    else:
        assert process.returncode == 1, out
        assert "everything is as it was before" in out
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""
    assert (project.root / "CHANGELOG.md").read_text() == CHANGELOG


def _undo_after_kill(project: UserProject) -> None:
    """What is left, and how the next run undoes it."""
    assert "1.2.0" in project.git("diff", "HEAD")
    plan = project.run("prepare", "--plan")
    assert "a preparation was killed here" in plan.err
    (project.root / ".git/hooks/pre-commit").unlink()
    locked = project.root / ".git/index.lock"
    locked.touch()  # as of a git that was killed
    told: Told = project.run("prepare", "--yes")
    assert "if no git is running, delete that file" in told.err
    locked.unlink()
    undone = project.run("prepare", "3.0", "--plan", "--json")
    assert undone.status == 1
    undone = project.run("prepare", "0.1", "--yes")
    assert undone.status == 2, undone.all
    assert "undid a preparation that was killed: Release 1.2.0" in undone.out


@pytest.mark.slow
def test_the_plan_changes_nothing_and_json_is_one_document(tmp_path: Path) -> None:
    project = released_once(tmp_path)
    head = project.git("rev-parse", "HEAD")
    plan = project.run("prepare", "--dry-run", "--json").data
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == ""
    assert (plan["version"], plan["bump"], plan["commit_message"]) == ("1.2.0", "minor", "Release 1.2.0")
    assert plan["edits"][0] == {
        "path": "pyproject.toml", "what": "project.version 1.1.0 → 1.2.0",
        "diff": ['- version = "1.1.0"', '+ version = "1.2.0"'],
    }  # fmt: skip
    prompt = project.run("prepare")
    assert prompt.status == 1
    assert "pass --yes to skip the prompt" in prompt.err
    told = project.run("prepare", "--yes", "--json", "1.0")
    assert (told.status, json.loads(told.out)["exit"]) == (2, 2)
    done = project.run("prepare", "--yes", "--json", "2.0.0rc1").data
    assert (done["version"], done["exit"], done["release"]) == ("2.0.0rc1", 0, None)
    assert done["commit"] == project.git("rev-parse", "HEAD")
    assert {one["state"] for one in done["check"]["checks"]} <= {"passed", "not applicable"}
