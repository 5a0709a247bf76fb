"""A small project of a user, with two indexes that play TestPyPI and PyPI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from release.core.child_environment import without_credentials
from release.sandbox import server
from release.sandbox.certificates import Certificates
from release.sandbox.seed import SeedData, seed_for_project
from tests.forked_program import run_forked
from tests.stories import tiny_backend

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"
description = "A widget."
readme = "README.md"
requires-python = ">=3.9"
scripts = {{ acme-widget = "acme_widget:main" }}
{more}
"""
MODULE = 'def main() -> None:\n    print("usage: acme-widget")\n'


@dataclass(kw_only=True)
class Indexes:
    """Two embedded indexes."""

    testpypi: Any
    pypi: Any


@contextmanager
def indexes(
    *,
    test: SeedData | None = None,
    real: SeedData | None = None,
    name: str = "acme-widget",
    clock: Callable[[], datetime] = server.utc_now,
    staged: bool = False,
    tls: bool | Certificates = False,
) -> Iterator[Indexes]:
    """The project is the user's on the index that plays PyPI, and is not known yet on the other.

    `staged`: the index that plays PyPI has staged releases.
    """
    test, real = test or seed_for_project(name), real or seed_for_project(name, exists=True)
    with (
        server.start_sandbox(test, clock=clock, tls=tls) as testpypi,
        server.start_sandbox(real, clock=clock, staged=staged, tls=tls) as pypi,
    ):
        yield Indexes(testpypi=testpypi, pypi=pypi)


@dataclass(kw_only=True)
class Told:
    """What a run of the program said."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def all(self) -> str:
        return self.out + self.err


class UserProject(Struct, kw_only=True):
    """A project directory, a home directory, and the program run in between."""

    root: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.root

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words],
            cwd=self.root, capture_output=True, text=True, check=True, env=self.environment(),
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self) -> str:
        if not (self.root / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all of it")
        return self.git("rev-parse", "HEAD")

    def credentials(self, on: Indexes, *, tokens: Mapping[str, str] | None = None) -> None:
        """A `.pypirc` with a token for each index, as their users keep it."""
        tokens = tokens or {n: getattr(on, n).tokens["account"].reveal() for n in ("testpypi", "pypi")}
        lines = ["[distutils]", "index-servers = testpypi pypi"]
        for name, token in tokens.items():
            url = getattr(on, name).upload_url
            lines += [f"[{name}]", f"repository = {url}", "username = __token__", f"password = {token}"]
        path = self.home / ".pypirc"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def environment(self) -> dict[str, str]:
        clean = {
            k: v for k, v in without_credentials(os.environ).items() if not k.startswith(("GIT_", "GITHUB_", "CI"))
        }
        offline = {"PYPI_PREFLIGHT_OFFLINE": "" if self._has_indexes() else "1"}
        quiet = offline | {"GIT_CONFIG_GLOBAL": os.devnull, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        return clean | quiet | {"HOME": str(self.home), "USERPROFILE": str(self.home)} | self.env

    def _has_indexes(self) -> bool:
        """Whether embedded indexes play the real ones, which no test may ask."""
        return any(b"indexes.pypi]" in path.read_bytes() for path in self.root.glob("*.toml"))

    def run(self, *words: str, stdin: str | None = None, timeout: float = 240) -> Told:
        """Run the program as its user would, in the project's directory."""
        env = self.environment()
        done = run_forked(words, cwd=self.directory, env=env, stdin=stdin, timeout=timeout)
        if done is None:
            return self.command(sys.executable, "-m", "release", *words, stdin=stdin, timeout=timeout)
        return Told(status=done.returncode, out=done.stdout, err=done.stderr)

    def command(self, *argv: str, stdin: str | None = None, timeout: float = 240, cwd: Path | None = None) -> Told:
        done = subprocess.run(
            argv, cwd=cwd or self.directory, env=self.environment(), capture_output=True, text=True, timeout=timeout,
            check=False, **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}),
        )  # fmt: skip
        return Told(status=done.returncode, out=done.stdout, err=done.stderr)


def release_table(on: Indexes) -> str:
    """`[tool.release]` with the embedded indexes in the places of the real ones."""
    return "".join(
        f'[tool.release.indexes.{name}]\nupload-url = "{index.upload_url}"\nsimple-url = "{index.simple_url}"\n'
        for name, index in (("testpypi", on.testpypi), ("pypi", on.pypi))
    )


def make(
    tmp_path: Path, *, name: str = "acme-widget", version: str = "1.0", more: str = "", tiny: bool = False
) -> UserProject:
    """A project in order, committed nowhere yet; `tiny`: its build backend takes half of the time of hatchling."""
    project = UserProject(root=tmp_path / "project", home=tmp_path / "home")
    project.root.mkdir()
    project.home.mkdir()
    project.write("pyproject.toml", PYPROJECT.format(name=name, version=version, more=more))
    if tiny:
        text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
        own = 'requires = []\nbuild-backend = "backend"\nbackend-path = ["."]'
        project.write(
            "pyproject.toml", text.replace('requires = ["hatchling"]\nbuild-backend = "hatchling.build"', own)
        )
        project.write("backend.py", Path(tiny_backend.__file__).read_text(encoding="utf-8"))
    project.write("README.md", "# Widget\n\nIt widgets.\n")
    project.write(f"{name.replace('-', '_')}/__init__.py", MODULE)
    return project


def posts(index: Any) -> list[Any]:
    """The uploads that an index was asked for; the probes, which send no distribution, are none."""
    return [one for one in index.log if one.method == "POST" and one.filename not in {None, "probe.invalid"}]


def files_on(index: Any, project: str = "acme-widget") -> dict[str, str]:
    """File name → sha256 of what an index has."""
    from release.adapters.index import simple_api

    found = simple_api.fetch_listing(index.index(), project)
    return {file.filename: str(file.sha256) for file in found.files} if found else {}
