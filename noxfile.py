"""Where each verb runs. The release sessions are the product's own; the rest is this project's."""

import nox

from pypi_preflight import sessions

nox.needs_version = ">=2026.8.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint", "types"]

sessions.register()

PROJECT = nox.project.load_toml("pyproject.toml")


def _with(session: nox.Session, *groups: str, env: dict[str, str] | None = None) -> None:
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, *groups), env=env)


@nox.session(reuse_venv=True)
def tests(session: nox.Session) -> None:
    """Run the tests."""
    # They start thousands of processes: compiled modules save a quarter of the time. pip compiles anyway, uv does not,
    # and where PYTHONDONTWRITEBYTECODE is set, no process would.
    _with(session, "tests", env={"UV_COMPILE_BYTECODE": "1"})
    session.run("python", "-m", "compileall", "-q", "release", "pypi_preflight", "tests")
    # Many tests wait for servers and clocks: three workers keep two cores busy.
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "3"]))


@nox.session(reuse_venv=True)
def clients(session: nox.Session) -> None:
    """Test clients of other projects, which come from the package registries, against the sandbox."""
    _with(session, "tests")
    session.run("python", "-m", "pytest", "-m", "slow", "tests/sandbox/test_installed_clients.py", *session.posargs)


@nox.session(reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Run the linter and check the formatting."""
    _with(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(reuse_venv=True)
def types(session: nox.Session) -> None:
    """Run the type checker."""
    _with(session, "types", "tests")
    session.run("mypy")
