"""Clients that are not among the dependencies of the tests, over TLS: each uploads, and installs what it uploaded.

Each is installed from the package registries into an environment of its own.
Observed: twine 6.2.0, flit 4.2.0, hatch 1.18.2, poetry 2.5.1, pip 23.2, 2026-11.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.sandbox.real_clients import run_client
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client

pytestmark = [pytest.mark.slow, pytest.mark.network]

#: the oldest pip that this project supports
OLD_PIP = "pip==23.2"
PYPROJECT = """\
[build-system]
requires = ["{backend}"]
build-backend = "{hook}"

[project]
name = "acme-widget"
version = "{version}"
description = "A widget."
"""
#: a project that is not uploaded, and needs the one that was
CONSUMER = """\
[project]
name = "consumer"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["acme-widget"]
"""
IMPORT = "import acme_widget; print(acme_widget.__version__)"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine that trusts the sandbox."""

    pypi: SandboxClient
    path: Path

    def install(self, requirement: str) -> Path:
        """Install a tool into an environment of its own; returns the directory of its programs."""
        environment = self.path / "tool"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        programs = environment / ("Scripts" if sys.platform == "win32" else "bin")
        words = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "-q",
            "--no-config",
            "--python",
            str(programs / "python"),
        ]
        subprocess.run([*words, requirement], check=True, timeout=500)
        return programs

    def run(self, *argv: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        trusting = {**self.pypi.sandbox.ca_environment, **(env or {})}
        status, told = run_client(*argv, env=trusting, home=self.path, cwd=cwd)
        assert status == 0, told
        return told

    def files(self, version: str) -> list[str]:
        dist = self.path / "dist"
        dist.mkdir()
        (dist / wheel_name(version=version)).write_bytes(wheel(version=version))
        (dist / sdist_name(version=version)).write_bytes(sdist(version=version))
        return sorted(str(path) for path in dist.iterdir())

    def project(self, version: str, *, backend: str, hook: str) -> Path:
        text = PYPROJECT.format(backend=backend, hook=hook, version=version)
        (self.path / "pyproject.toml").write_text(text, encoding="utf-8")
        (self.path / "acme_widget.py").write_text(f'"""A widget."""\n__version__ = "{version}"\n', encoding="utf-8")
        return self.path

    def consumer(self, more: str) -> Path:
        directory = self.path / "consumer"
        directory.mkdir()
        (directory / "pyproject.toml").write_text(CONSUMER + more, encoding="utf-8")
        return directory

    def uploaded(self) -> list[str]:
        """The files of the index, all of which came with the token of the account."""
        assert {one.username for one in self.pypi.sandbox.log if one.method == "POST"} == {"alice"}
        return self.pypi.files()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with sandbox_client(tls=True) as pypi:
        yield Machine(pypi=pypi, path=tmp_path)


def test_twine_6(machine: Machine) -> None:
    programs, where = machine.install("twine>=6,<7"), machine.pypi.sandbox
    words = ("upload", "--non-interactive", "--disable-progress-bar", "--repository-url", where.upload_url)
    credential = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": machine.pypi.token()}
    machine.run(str(programs / "twine"), *words, *machine.files("1.0"), env=credential)
    assert machine.uploaded() == [wheel_name(), sdist_name()]


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pip 23.2 does not run there")
def test_the_oldest_pip(machine: Machine) -> None:
    machine.pypi.upload()
    python = str(machine.install(OLD_PIP) / "python")
    assert "pip 23.2 " in machine.run(python, "-m", "pip", "--version")
    where = ("--no-cache-dir", "--index-url", machine.pypi.sandbox.simple_url)
    machine.run(python, "-m", "pip", "install", *where, "acme-widget==1.0")
    assert machine.run(python, "-c", IMPORT) == "1.0\n"


def test_flit(machine: Machine) -> None:
    flit = str(machine.install("flit>=4.2") / "flit")
    project = machine.project("1.0", backend="flit_core", hook="flit_core.buildapi")
    credential = {"FLIT_INDEX_URL": machine.pypi.sandbox.upload_url, "FLIT_USERNAME": "__token__"}
    machine.run(flit, "publish", cwd=project, env=credential | {"FLIT_PASSWORD": machine.pypi.token()})
    assert machine.uploaded() == ["acme_widget-1.0-py2.py3-none-any.whl", sdist_name()]


def test_hatch_publishes_and_creates_an_environment(machine: Machine) -> None:
    hatch, where = str(machine.install("hatch>=1.18") / "hatch"), machine.pypi.sandbox
    own = {"HATCH_DATA_DIR": str(machine.path / "data"), "HATCH_CACHE_DIR": str(machine.path / "cache")}
    credential = {"HATCH_INDEX_USER": "__token__", "HATCH_INDEX_AUTH": machine.pypi.token()}
    words = ("publish", "--no-prompt", "--repo", where.upload_url)
    machine.run(hatch, *words, *machine.files("1.0"), env=credential | own)
    assert machine.uploaded() == [wheel_name(), sdist_name()]
    environment = '[tool.hatch.envs.default]\nskip-install = true\ndependencies = ["acme-widget"]\n'
    indexes = {"PIP_INDEX_URL": where.simple_url, "UV_DEFAULT_INDEX": where.simple_url}
    told = machine.run(hatch, "run", "python", "-c", IMPORT, cwd=machine.consumer(environment), env=indexes | own)
    assert told.splitlines()[-1] == "1.0"


def test_poetry_publishes_locks_and_installs(machine: Machine) -> None:
    poetry, where = str(machine.install("poetry>=2.5") / "poetry"), machine.pypi.sandbox
    own = {
        "POETRY_CACHE_DIR": str(machine.path / "cache"), "POETRY_KEYRING_ENABLED": "false",
        "POETRY_VIRTUALENVS_IN_PROJECT": "true",
    }  # fmt: skip
    project = machine.project("1.0", backend="poetry-core", hook="poetry.core.masonry.api")
    machine.files("1.0")
    credential = {
        "POETRY_REPOSITORIES_SANDBOX_URL": where.upload_url,
        "POETRY_PYPI_TOKEN_SANDBOX": machine.pypi.token(),
    }
    machine.run(poetry, "publish", "--no-interaction", "--repository", "sandbox", cwd=project, env=credential | own)
    assert sorted(machine.uploaded()) == [wheel_name(), sdist_name()]
    source = (
        f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "sandbox"\nurl = "{where.simple_url}"\n'
    )
    consumer = machine.consumer(source)
    machine.run(poetry, "install", "--no-interaction", cwd=consumer, env=own)
    assert machine.run(poetry, "run", "python", "-c", IMPORT, cwd=consumer, env=own).splitlines()[-1] == "1.0"
