"""The hooks of `.pre-commit-hooks.yaml`: each refuses what it is for, and nothing that looks like it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from release.cli.main import main
from tests import fake_tokens
from tests.publishing.ci.workflow_files import parsed

ROOT = Path(__file__).parents[1]
HOOKS: list[dict[str, Any]] = parsed((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
PYPROJECT = '[project]\nname = "acme"\nversion = "1.0"\nreadme = "README.rst"\n'


def words(hook: str) -> list[str]:
    """The command line of a hook, without the names of files."""
    one = next(one for one in HOOKS if one["id"] == hook)
    program, *rest = one["entry"].split()
    assert program == "pypi-preflight"
    return [*rest, *one.get("args", ())]


def test_no_token_finds_tokens_of_package_indexes_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {"token": f"password = {fake_tokens.token()}", "key": fake_tokens.private_key(), "word": "pypi-AgE… here"}
    paths = {name: tmp_path / f"{name}.txt" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    assert main([*words("no-token"), str(paths["key"]), str(paths["word"])]) == 0
    assert capsys.readouterr().out == ""
    assert main([*words("no-token"), *map(str, paths.values())]) == 1
    assert "token.txt:1" in capsys.readouterr().out
    assert main(["leaks", str(paths["key"])]) == 1


def test_check_metadata_needs_no_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "README.rst").write_text("Acme\n====\n\nIt works.\n", encoding="utf-8")
    assert main(words("check-metadata")) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "README.rst").write_text(":unknown:`x`\n", encoding="utf-8")
    assert main(words("check-metadata")) == 1
    told = capsys.readouterr().out
    assert told.startswith("REFUSE  pyproject.toml\n  FAIL  project.readme: the description failed to render")
    assert main(["inspect", "--json", "pyproject.toml"]) == 1
    assert '"verdict": "refuse"' in capsys.readouterr().out
    (tmp_path / "pyproject.toml").write_text('[tool.poetry]\nname = "acme"\n', encoding="utf-8")
    assert main(words("check-metadata")) == 2, "what only a build shows is not called accepted"
    assert "no table [project]" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_pre_commit_installs_and_runs_each_hook(tmp_path: Path) -> None:
    """By the real pre-commit, from a clone of this repository, in a project with one fault for each hook."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    source, project = tmp_path / "source", tmp_path / "project"
    ignore = shutil.ignore_patterns(".git", ".nox", ".release", "__pycache__", ".*_cache", ".hypothesis", "tests")
    shutil.copytree(ROOT, source, ignore=ignore)
    project.mkdir()
    files = {"pyproject.toml": PYPROJECT, "README.rst": ":unknown:`x`\n", "a.ini": f"token = {fake_tokens.token()}\n"}
    for name, text in files.items():
        (project / name).write_text(text, encoding="utf-8")
    for where in (source, project):
        subprocess.run([*git, "init", "-q", "-b", "main"], cwd=where, check=True)
        subprocess.run([*git, "add", "-A"], cwd=where, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "all of it"], cwd=source, check=True)
    run = [sys.executable, "-m", "pre_commit", "try-repo", str(source), "--all-files", "--verbose"]
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": "/dev/null"}
    for healthy in (False, True):
        if healthy:
            (project / "README.rst").write_text("Acme\n====\n\nIt works.\n", encoding="utf-8")
            (project / "a.ini").write_text("token = none\n", encoding="utf-8")
            subprocess.run([*git, "add", "-A"], cwd=project, check=True)
        done = subprocess.run(
            run, cwd=project, env={**os.environ, **home}, capture_output=True, text=True, check=False, timeout=800
        )
        assert done.returncode == (0 if healthy else 1), done.stdout + done.stderr
        outcome = "Passed" if healthy else "Failed"
        assert done.stdout.count(outcome) == len(HOOKS), done.stdout
