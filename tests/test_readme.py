"""Every command of the README is run as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from release.core import config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
FRESH = [text.strip() for kind, text in BLOCKS if kind == "sh"][:2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone and a fresh virtual environment."""
    there = tmp_path_factory.mktemp("fresh") / "pypi-preflight"
    ignore = shutil.ignore_patterns(".git", ".nox", ".release", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
    shutil.copytree(ROOT, there, ignore=ignore)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "all of it"]):
        subprocess.run([*git, *words], cwd=there, check=True)
    # with the newest pip, which `venv` would install and compile for seconds
    words = ["--quiet", "--seed", "--no-project", "--python", sys.executable, str(there.parent / "venv")]
    subprocess.run([sys.executable, "-m", "uv", "venv", *words], check=True)
    return there


def run(command: str, clone: Path, **env: str) -> subprocess.CompletedProcess[str]:
    bin_ = clone.parent / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    path = f"{bin_}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "VIRTUAL_ENV", "PYTHONPATH", "NOX"))}
    # Each module is compiled when it is imported, not all of them at the install: that is for speed alone.
    kept |= {"PIP_NO_COMPILE": "1", "UV_COMPILE_BYTECODE": "0", "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(
        ["bash", "-c", command], cwd=clone, env=kept | {"PATH": path, "PYPI_PREFLIGHT_OFFLINE": "1"} | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=800,
    )  # fmt: skip


@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_first_command_rehearses_this_very_project(clone: Path) -> None:
    done = run(FRESH[0], clone)
    assert done.returncode == 0, done.stdout[-5000:]
    assert re.search(r"pypi-preflight \S+ was rehearsed", done.stdout)


@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_second_command_runs_the_tests(clone: Path) -> None:
    """Run as written, over one file of tests: this one is among the others."""
    done = run(FRESH[1], clone, PYTEST_ADDOPTS="tests/core/test_secret.py")
    assert done.returncode == 0, done.stdout[-5000:]
    assert re.search(r"=+ .*\d+ passed.* in [0-9.]+s", done.stdout), done.stdout[-3000:]


def test_every_verb_of_the_readme_is_a_verb_of_the_program() -> None:
    verbs = set(re.findall(r"pypi-preflight ([a-z]+)", README))
    assert verbs
    for verb in sorted(verbs):
        done = subprocess.run(
            [sys.executable, "-m", "release", verb, "--help"], capture_output=True, check=False, cwd=ROOT
        )
        assert done.returncode == 0, verb


def test_the_configuration_of_the_readme_is_valid() -> None:
    (toml,) = [text for kind, text in BLOCKS if kind == "toml"]
    made = config.parse_config(tomllib.loads(toml)["tool"]["release"])
    assert made.index("internal").kind == "other"
    from release.checks import credential_checks, distributions, post_upload, source_checks

    names = {c.name for checks in (credential_checks, distributions, post_upload, source_checks) for c in checks.CHECKS}
    assert set(made.waive) | set(made.block) <= names
