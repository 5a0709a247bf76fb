"""Smoke-test an installed project: import it and run its scripts, in empty directories and without credentials.

The tests are those of the configuration, else the default ones. What fails by default is tried once more: a script with
`--version`, a private module after its package, and all that missed a module with an extra of the project.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.install.venv import Environment, Installed, load_installed
from release.adapters.system import program_output
from release.adapters.system.parallel import run_jobs
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory, temporary_variables
from release.core import module_names
from release.core.child_environment import without_credentials
from release.core.config import SmokeTestSettings
from release.core.errors import ConfigError, ToolError, lower_first
from release.core.foreign_json import parse_foreign_json
from release.core.models.check_result import Finding
from release.core.models.smoke_test import (
    ExceptionLink,
    ExtraAttempt,
    SmokeTest,
    SmokeTestAttempt,
    SmokeTestResult,
    TestedProject,
)

#: seconds for one test
LIMIT = 60.0
#: seconds for a script with --version, after it did not end with --help
_SHORT_LIMIT = 15.0
_CHILD = Path(__file__).with_name("smoke_test_child.py")
#: the most imports to test: hundreds of modules in a namespace would take minutes
_MOST = 24
#: the most extras to try, and the seconds after which no further one is tried
_MOST_EXTRAS, _EXTRAS_LIMIT = 3, 180.0
#: variables that name a screen; a program that has none of them cannot open a window
_SCREEN = ("DISPLAY", "WAYLAND_DISPLAY", "MIR_SOCKET")

#: installs extras of the project: None if that succeeded, else why not
InstallExtras = Callable[[Sequence[str]], str | None]


class _Run(Struct, frozen=True, kw_only=True):
    """What each test needs."""

    environment: Environment
    installed: Installed
    project: TestedProject
    #: a directory for the directories of the tests
    work: Path
    limit: float


def run_smoke_tests(  # noqa: PLR0913 - an installed project, and what to do with it
    system: System,
    environment: Environment,
    *,
    name: str,
    tests: Sequence[SmokeTest] | None = None,
    install_extras: InstallExtras | None = None,
    limit: float = LIMIT,
) -> tuple[SmokeTestResult, ...]:
    """Run the tests, two at a time; None: the default tests for what is installed.

    Every test has an empty working directory and an empty home directory, and gets no credential. `install_extras`
    is called where a default test failed for want of a module, until an extra helps.
    """
    installed = load_installed(environment, name)
    chosen = default_smoke_tests(installed.files, installed.entry_points) if tests is None else tests
    scripts = module_names.console_scripts(installed.entry_points, "gui_scripts")
    scripts |= module_names.console_scripts(installed.entry_points)
    roots = module_names.import_roots(installed.files)
    project = TestedProject(name=name, roots=roots, requires=installed.requires, scripts=scripts)
    with temporary_directory() as work:
        run = _Run(environment=environment, installed=installed, project=project, work=work, limit=limit)
        results = tuple(run_jobs(system, [partial(_run_test, run=run, test=one) for one in chosen], workers=2))
        results = _after_their_package(system, run, results)
        return _with_extras(system, run, results, install_extras) if install_extras else results


def _run_test(system: System, *, run: _Run, test: SmokeTest) -> SmokeTestResult:
    started = time.monotonic()
    attempts: tuple[SmokeTestAttempt, ...] = ()
    not_run: Finding | None = None
    try:
        first = _attempt(system, run, test)
        attempts = (first,)
        if not first.passed and test.kind in {"script", "gui script"} and not test.asked_for:
            other = replace(test, words=(test.words[0], "--version"))
            limit = min(run.limit, _SHORT_LIMIT) if first.status is None else run.limit
            attempts = (first, _attempt(system, replace(run, limit=limit), other))
    except ToolError as error:
        not_run = Finding(message=f"cannot run {test.title!r}: {error.message}", remedy=error.remedy)
    took = time.monotonic() - started
    return SmokeTestResult(test=test, attempts=attempts, not_run=not_run, took=took, project=run.project)


def _attempt(system: System, run: _Run, test: SmokeTest) -> SmokeTestAttempt:
    """Run a test once. Raises `ToolError` where it cannot be run."""
    with explain_os_errors("the temporary directory"):
        work = Path(tempfile.mkdtemp(dir=run.work))
        directory, home, report = work / "here", work / "home", work / "report.json"
        directory.mkdir()
        home.mkdir()
    env = smoke_test_environment(system, run.environment, home)
    if test.kind == "gui script":
        env = {name: value for name, value in env.items() if name not in _SCREEN}
    status: int | None = None
    try:
        done = system.run(_argv(run, test, report, env), cwd=directory, env=env, timeout=run.limit)
        status, output = done.status, done.output
    except TimedOutError as error:
        output = error.output
    found = _load_report(report)
    chain = found.get("chain")
    return SmokeTestAttempt(
        test=test, status=status, output=output, line=program_output.cause_line(output),
        chain=None if chain is None else tuple(map(_link, chain)),
        absent=tuple(found.get("absent", ())), limit=run.limit,
    )  # fmt: skip


def _link(link: dict[str, Any]) -> ExceptionLink:
    return ExceptionLink(**{**link, "places": tuple(link["places"])})


def smoke_test_environment(system: System, environment: Environment, home: Path) -> dict[str, str]:
    """The variables for the installed project: its scripts first on PATH, `home`, and no credentials."""
    hidden = ("PYTHON", "XDG_", "PIP_", "UV_")
    env = without_credentials(system.env, passed=system.passed)
    env = {name: value for name, value in env.items() if not name.startswith(hidden)}
    env |= {"HOME": str(home), "USERPROFILE": str(home)}
    env["VIRTUAL_ENV"] = str(environment.directory)
    env["PATH"] = os.pathsep.join(filter(None, (str(environment.bin), env.get("PATH", ""))))
    return env | temporary_variables() | {"PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}


def _argv(run: _Run, test: SmokeTest, report: Path, env: dict[str, str]) -> list[str]:
    child = [str(run.environment.python), "-I", str(_CHILD), str(report)]
    match test.kind:
        case "import":
            return [*child, "import", *test.words]
        case "script" | "gui script":
            script, *arguments = test.words
            plain = run.environment.bin / script
            path = plain if plain.exists() else plain.with_name(f"{script}.exe")
            return [*child, "script", str(path), run.project.scripts[script], *arguments]
        case "command":
            # Looked up here, because Windows would use our own PATH.
            program, *arguments = test.words
            return [shutil.which(program, path=env["PATH"]) or program, *arguments]


def _load_report(path: Path) -> dict[str, Any]:
    try:
        found = parse_foreign_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


# -- what failed is tried again ----------------------------------------------------------------------


def _after_their_package(
    system: System, run: _Run, results: tuple[SmokeTestResult, ...]
) -> tuple[SmokeTestResult, ...]:
    """Try private modules that failed after the modules that passed: some extensions need what their package loads."""
    loaded = [one.test.words[0] for one in results if one.passed and one.test.kind == "import"]
    if not loaded:
        return results

    def again(system: System, *, result: SmokeTestResult) -> SmokeTestResult:
        test = replace(result.test, words=(*loaded, *result.test.words))
        return replace(result, attempts=(*result.attempts, _attempt(system, run, test)))

    private = [n for n, one in enumerate(results) if not one.passed and _is_private(one.test, run.installed.files)]
    done = run_jobs(system, [partial(again, result=results[n]) for n in private])
    repeated = dict(zip(private, done, strict=True))
    return tuple(repeated.get(n, one) for n, one in enumerate(results))


def _is_private(test: SmokeTest, files: Iterable[str]) -> bool:
    if test.kind != "import" or test.asked_for:
        return False
    name = test.words[0].replace(".", "/")
    extension = any(file.startswith(f"{name}.") and file.endswith((".so", ".pyd")) for file in files)
    return extension or name.rpartition("/")[2].startswith("_") or name.endswith("__mypyc")


def _with_extras(
    system: System, run: _Run, results: tuple[SmokeTestResult, ...], install: InstallExtras
) -> tuple[SmokeTestResult, ...]:
    """Install extras of the project, the likely ones first, and repeat what failed, until all of it passes."""
    failed = {n: one for n, one in enumerate(results) if _may_need_extra(one)}
    modules = [name for one in failed.values() for name in _missing_modules(one)]
    output = "\n".join(attempt.output for one in failed.values() for attempt in one.attempts)
    ranked = module_names.rank_extras(modules, output, run.project.requires) if failed else []
    started = time.monotonic()
    present: list[str] = []
    for extra in ranked[:_MOST_EXTRAS]:
        open_ = {n: one for n, one in failed.items() if not one.needed_extras}
        if not open_ or time.monotonic() - started > _EXTRAS_LIMIT:
            break
        problem = install([*present, extra])
        present += [] if problem else [extra]
        for n, one in open_.items():
            tried = ExtraAttempt(extras=(extra,), problem=problem or "")
            if problem is None:
                tried = _repeat(system, run, one, tuple(present))
            failed[n] = replace(one, extras=(*one.extras, tried))
    return tuple(failed.get(n, one) for n, one in enumerate(results))


def _repeat(system: System, run: _Run, result: SmokeTestResult, extras: tuple[str, ...]) -> ExtraAttempt:
    again = _run_test(system, run=run, test=result.test)
    if again.passed:
        return ExtraAttempt(extras=extras)
    first = next(iter(again.attempts), None)
    link = next(iter(first.chain or ()), None) if first else None
    text = link.line if link and not link.exit else first.line if first else ""
    return ExtraAttempt(extras=extras, problem=f"fails with it too: {text!r}")


def _may_need_extra(result: SmokeTestResult) -> bool:
    return not (result.passed or result.test.asked_for or result.not_run) and bool(_missing_modules(result))


def _missing_modules(result: SmokeTestResult) -> list[str]:
    """The modules of other projects that the first run missed, the likely cause of the failure first."""
    first = result.attempts[0]
    links = [link.module for link in first.chain or () if link.not_found and link.module]
    found = dict.fromkeys([*links, *reversed(first.absent)])
    return [
        name
        for name in found
        if not module_names.is_part_of(name, result.project.roots) and not module_names.in_standard_library(name)
    ]


# -- which tests -------------------------------------------------------------------------------------


def default_smoke_tests(names: Iterable[str], entry_points: str) -> tuple[SmokeTest, ...]:
    """An import of each top-level module, and each script with `--help`.

    `names` are the members of a wheel or the files of an installed distribution, with forward slashes;
    `entry_points` is the text of entry_points.txt.
    """
    imports = [SmokeTest(kind="import", words=(name,)) for name in module_names.import_roots(names)[:_MOST]]
    scripts = module_names.console_scripts(entry_points)
    gui = [name for name in module_names.console_scripts(entry_points, "gui_scripts") if name not in scripts]
    tests = [SmokeTest(kind="script", words=(name, "--help")) for name in scripts]
    return (*imports, *tests, *(SmokeTest(kind="gui script", words=(name, "--help")) for name in gui))


def configured_smoke_tests(settings: SmokeTestSettings) -> tuple[SmokeTest, ...] | None:
    """The configured tests; None where the default ones are used.

    Raises `ConfigError` where a command line cannot be split into words.
    """
    if settings.imports is None and settings.commands is None:
        return None
    wanted = [SmokeTest(kind="import", words=(name,), asked_for=True) for name in settings.imports or ()]
    for line in settings.commands or ():
        try:
            split = tuple(shlex.split(line))
        except ValueError as error:
            raise ConfigError(
                f"tool.release.smoke.commands: cannot split {line!r} into words: {lower_first(str(error))}",
                remedy="close its quotes, and double its backslashes",
            ) from error
        wanted.append(SmokeTest(kind="command", words=split, asked_for=True))
    return tuple(wanted)
