"""Where each verb runs. The release sessions are the product's own; the rest is this project's."""

import os
from pathlib import Path

import nox

from pypi_preflight import sessions

nox.needs_version = ">=2026.8.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint", "types"]
nox.options.error_on_missing_interpreters = False  # `judgement` runs on those that are installed

sessions.register()

PROJECT = nox.project.load_toml("pyproject.toml")


_WITH_TWINE_7 = (
    "test_real_files.py",
    "test_recorded_answers.py::test_a_recorded_answer_is_given_and_foreseen[metadata_version 2.5]",
    "test_twine_form.py",
)


def _with(session: nox.Session, *groups: str, env: dict[str, str] | None = None) -> None:
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, *groups), env=env)


@nox.session(reuse_venv=True)
def tests(session: nox.Session) -> None:
    """Run the tests."""
    # They start thousands of processes: compiled modules save a quarter of the time. pip compiles anyway, uv does not,
    # and where PYTHONDONTWRITEBYTECODE is set, no process would.
    compiled = os.environ.get("UV_COMPILE_BYTECODE", "1")
    _with(session, "tests", env={"UV_COMPILE_BYTECODE": compiled})
    if compiled != "0":
        session.run("python", "-m", "compileall", "-q", "-j", "0", "-x", "/test_", "release", "pypi_preflight", "tests")
        session.run("python", "tests/compiled_tests.py")
    # Many tests wait for servers and clocks: four workers keep two cores busy. Each begins with a quarter of the tests,
    # so that it makes what the tests of a module share once, and takes over tests of others at its end.
    session.run("python", "-m", "pytest", *(session.posargs or ["-n", "4", "--dist", "worksteal", "--durations=10"]))


@nox.session(reuse_venv=True)
def tests_under_load(session: nox.Session) -> None:
    """Run the tests beside four processes that keep the processors, the memory and the disk busy."""
    _with(session, "tests")
    words = session.posargs or ["-n", "4", "--dist", "worksteal", "--durations=10"]
    session.run("python", "tests/load.py", "python", "-m", "pytest", *words)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"], reuse_venv=True, download_python="never")
@nox.parametrize("packaging", ["25.0", "26.2", "newest"])
def judgement(session: nox.Session, packaging: str) -> None:
    """Run the tests of the index's rules: one verdict, whichever Python and packaging are installed."""
    _with(session, "acceptance")
    wanted = ["packaging" if packaging == "newest" else f"packaging=={packaging}"]
    tests = ["tests/acceptance", "-n", "3"]
    if packaging == "25.0":  # twine 7 does not run with it, and twine 6 refuses what is new in metadata 2.5
        wanted += ["twine==6.2.0"]
        tests += [f"--deselect=tests/acceptance/{one}" for one in _WITH_TWINE_7]
    session.install("--no-deps", "--upgrade", *wanted)  # apart, so that no requirement of another package replaces it
    session.run("python", "-m", "pytest", *tests, *session.posargs)


@nox.session(reuse_venv=True)
def benchmarks(session: nox.Session) -> None:
    """Measure what has a goal of speed or size, and print one table; with names of modules only those of them."""
    # compiled on both sides: uv leaves that to the first start, and a measured start would do it
    _with(session, "benchmarks", env={"UV_COMPILE_BYTECODE": "1"})
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(reuse_venv=True)
def clients(session: nox.Session) -> None:
    """Test clients of other projects, which come from the package registries, against the sandbox."""
    _with(session, "tests")
    session.run("python", "-m", "pytest", "-m", "slow", "tests/sandbox/test_installed_clients.py", *session.posargs)


@nox.session(reuse_venv=True)
def mutation(session: nox.Session) -> None:
    """Change functions of the product, and test that its tests notice; all changes with MUTATION_SAMPLE=all."""
    _with(session, "mutation")
    session.run("python", "-m", "pytest", "-m", "slow or not slow", "tests/mutation", *session.posargs)


@nox.session(reuse_venv=True)
def docs(session: nox.Session) -> None:
    """Build the site of the documentation, and check its links, its commands and what is generated in it."""
    _with(session, "docs")
    site = Path("build", "docs")
    # every file anew: a page that is taken from the cache shows no warnings
    session.run("sphinx-build", "-W", "--keep-going", "-E", "-b", "html", "docs", str(site))
    session.run("python", "-m", "pytest", "-m", "slow or not slow", "tests/docs", *session.posargs,
                env={"DOCS_SITE": str(site.resolve())})  # fmt: skip


@nox.session(reuse_venv=True)
def lint(session: nox.Session) -> None:
    """Run the linter and check the formatting."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(reuse_venv=True)
def types(session: nox.Session) -> None:
    """Run the type checker."""
    _with(session, "types", "tests")
    session.run("mypy")


@nox.session(reuse_venv=True)
def platforms(session: nox.Session) -> None:
    """Run the type checker for Windows and macOS, on what users install."""
    _with(session, "types", "tests")
    for platform in ("win32", "darwin"):  # each with a cache of its own: mypy's is for one platform
        # what a platform does not reach is no mistake there
        options = ["--platform", platform, "--no-warn-unreachable", "--cache-dir", f".mypy_cache/{platform}"]
        session.run("mypy", *options, "-p", "release", "-p", "pypi_preflight")
