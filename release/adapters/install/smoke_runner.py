"""Tries an installed project: imports it, runs its scripts, from where the checkout can't be seen."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from release.adapters.install import smoke_test_plan
from release.adapters.install.smoke_test_result import AttemptOutcome, ProjectUnderTest, smoke_test_problem
from release.adapters.install.venv import Environment, Installed, load_installed
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System, explain_os_errors, run_jobs
from release.core.errors import ToolError
from release.core.models.credential_variables import without_credentials
from release.core.models.finding import Finding
from release.core.models.smoke_test import SmokeTest, SmokeTestResult

#: seconds for one attempt
LIMIT = 60.0
#: attempts at a time
_WORKERS = 2
_CHILD = Path(__file__).with_name("smoke_test_child.py")


def run_smoke_tests(
    system: System,
    environment: Environment,
    *,
    name: str,
    wanted: Sequence[SmokeTest] | None = None,
    limit: float = LIMIT,
) -> tuple[SmokeTestResult, ...]:
    """Try everything on the list, two at a time; None: the default list of what is installed.

    Every attempt has an empty directory and an empty home of its own, and sees no credential.
    """
    installed = load_installed(environment, name)
    attempts = smoke_test_plan.default_attempts(installed.files, installed.entry_points) if wanted is None else wanted
    own = ProjectUnderTest(name=name, roots=smoke_test_plan.import_roots(installed.files), requires=installed.requires)
    with explain_os_errors("the temporary directory"):
        work = Path(tempfile.mkdtemp(prefix="release-smoke-"))
    try:
        jobs = [
            partial(
                _try,
                environment=environment,
                attempt=one,
                installed=installed,
                own=own,
                work=work / str(n),
                limit=limit,
            )
            for n, one in enumerate(attempts)
        ]
        return tuple(run_jobs(system, jobs, workers=_WORKERS))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _try(  # noqa: PLR0913 - one attempt and its surroundings
    system: System,
    *,
    environment: Environment,
    attempt: SmokeTest,
    installed: Installed,
    own: ProjectUnderTest,
    work: Path,
    limit: float,
) -> SmokeTestResult:
    here, home, report = work / "here", work / "home", work / "report.json"
    with explain_os_errors("the temporary directory"):
        here.mkdir(parents=True)
        home.mkdir()
    env = smoke_test_environment(system, environment, home)
    started = time.monotonic()
    problem: Finding | None
    try:
        done = system.run(_argv(environment, attempt, installed, report, env), cwd=here, env=env, timeout=limit)
    except TimedOutError as error:
        ending = AttemptOutcome(status=None, output=error.output, report=_read(report), limit=limit)
        problem = smoke_test_problem(attempt, ending, own)
    except ToolError as error:
        problem = Finding(message=f"{attempt.title!r} can't be run: {error.message}", remedy=error.remedy)
    else:
        ending = AttemptOutcome(status=done.status, output=done.output, report=_read(report), limit=limit)
        problem = smoke_test_problem(attempt, ending, own)
    return SmokeTestResult(what=attempt.title, problem=problem, took=time.monotonic() - started)


def smoke_test_environment(system: System, environment: Environment, home: Path) -> dict[str, str]:
    """What the installed project sees: its environment first on PATH, no credential, nobody's home."""
    hidden = ("PYTHON", "XDG_", "PIP_", "UV_")
    env = {k: v for k, v in without_credentials(system.env).items() if not k.startswith(hidden)}
    env |= {"HOME": str(home), "USERPROFILE": str(home)}
    env["VIRTUAL_ENV"] = str(environment.directory)
    env["PATH"] = os.pathsep.join(filter(None, (str(environment.bin), env.get("PATH", ""))))
    return env | {"PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}


def _argv(
    environment: Environment, attempt: SmokeTest, installed: Installed, report: Path, env: dict[str, str]
) -> list[str]:
    child = [str(environment.python), "-I", str(_CHILD), str(report)]
    match attempt.kind:
        case "import":
            return [*child, "import", *attempt.words]
        case "script":
            script, *arguments = attempt.words
            target = smoke_test_plan.console_scripts(installed.entry_points)[script]
            return [*child, "script", _script(environment, script), target, *arguments]
        case "command":
            # Looked up here, since Windows would look on our own PATH.
            program, *arguments = attempt.words
            return [shutil.which(program, path=env["PATH"]) or program, *arguments]


def _script(environment: Environment, name: str) -> str:
    plain = environment.bin / name
    return str(plain if plain.exists() else plain.with_name(f"{name}.exe"))


def _read(report: Path) -> dict[str, Any]:
    """What the child reported; empty where it had no chance to."""
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
