"""Smoke-test an installed project: import it and run its scripts, in empty directories and without credentials.

The tests are those of the configuration, else the default ones.
"""

from __future__ import annotations

import configparser
import json
import keyword
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from release.adapters.install.venv import Environment, Installed, load_installed
from release.adapters.system import program_output
from release.adapters.system.parallel import run_jobs
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System, explain_os_errors, temporary_directory
from release.core.config import SmokeTestSettings
from release.core.errors import ConfigError, ToolError
from release.core.facts import SmokeTest, SmokeTestResult
from release.core.models.check_result import Finding
from release.core.redaction import without_credentials

#: seconds for one test
LIMIT = 60.0
_CHILD = Path(__file__).with_name("smoke_test_child.py")
#: modules that older Pythons had and this one may not have. Source: PEP 594, PEP 632, "What's New In Python 3.12"
_REMOVED = re.compile(
    "aifc|asynchat|asyncore|audioop|cgi|cgitb|chunk|crypt|distutils|imghdr|imp|lib2to3|mailcap|msilib|nis|nntplib"
    "|ossaudiodev|pipes|smtpd|sndhdr|spwd|sunau|telnetlib|uu|xdrlib"
)
#: modules that the standard library itself tries to import, for other systems and other Pythons
_OPTIONAL = sys.stdlib_module_names | {"org", "vms_lib", "_winreg"}
_USAGE = re.compile(r"(?im)^\s*usage\b|^\s*options:|--help\b")
_SOURCE = re.compile(r"\.(?:py|pyc|[\w.-]*so|[\w.-]*pyd)$")
#: usually shipped by mistake; importing a setup.py would even run it
_NOT_API = {
    "test", "tests", "testing", "doc", "docs", "example", "examples", "benchmarks", "scripts", "setup", "conftest",
}  # fmt: skip
#: the most imports to test: hundreds of modules in a namespace would take minutes
_MOST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTestOutcome:
    """How a test ended."""

    #: exit status, negative for a signal; None where it was still running at the limit
    status: int | None
    #: all that it wrote
    output: str
    #: the report of the child; empty where it could not write one
    report: dict[str, Any]
    #: seconds that it was given
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUnderTest:
    """What belongs to the project itself."""

    name: str
    #: its top-level modules, dotted
    roots: tuple[str, ...]
    #: its "Requires-Dist" lines
    requires: tuple[str, ...]


def run_smoke_tests(
    system: System,
    environment: Environment,
    *,
    name: str,
    tests: Sequence[SmokeTest] | None = None,
    limit: float = LIMIT,
) -> tuple[SmokeTestResult, ...]:
    """Run the tests, two at a time; None: the default tests for what is installed.

    Every test has an empty working directory and an empty home directory, and gets no credential.
    """
    installed = load_installed(environment, name)
    chosen = default_smoke_tests(installed.files, installed.entry_points) if tests is None else tests
    own = ProjectUnderTest(name=name, roots=import_roots(installed.files), requires=installed.requires)
    run = partial(_run_one, environment=environment, installed=installed, own=own, limit=limit)
    with temporary_directory("the temporary directory", prefix="release-smoke-") as work:
        jobs = [partial(run, test=one, work=work / str(n)) for n, one in enumerate(chosen)]
        return tuple(run_jobs(system, jobs, workers=2))


def _run_one(  # noqa: PLR0913 - one test and its environment
    system: System,
    *,
    environment: Environment,
    test: SmokeTest,
    installed: Installed,
    own: ProjectUnderTest,
    work: Path,
    limit: float,
) -> SmokeTestResult:
    directory, home, report = work / "here", work / "home", work / "report.json"
    with explain_os_errors("the temporary directory"):
        directory.mkdir(parents=True)
        home.mkdir()
    env = smoke_test_environment(system, environment, home)
    started = time.monotonic()
    status: int | None = None
    try:
        argv = _argv(environment, test, installed, report, env)
        done = system.run(argv, cwd=directory, env=env, timeout=limit)
        status, output = done.status, done.output
    except TimedOutError as error:
        output = error.output
    except ToolError as error:
        problem: Finding | None = Finding(message=f"cannot run {test.title!r}: {error.message}", remedy=error.remedy)
        return SmokeTestResult(what=test.title, problem=problem, took=time.monotonic() - started)
    outcome = SmokeTestOutcome(status=status, output=output, report=_load_report(report), limit=limit)
    problem = smoke_test_problem(test, outcome, own)
    return SmokeTestResult(what=test.title, problem=problem, took=time.monotonic() - started)


def smoke_test_environment(system: System, environment: Environment, home: Path) -> dict[str, str]:
    """The variables for the installed project: its scripts first on PATH, `home`, and no credentials."""
    hidden = ("PYTHON", "XDG_", "PIP_", "UV_")
    env = {k: v for k, v in without_credentials(system.env).items() if not k.startswith(hidden)}
    env |= {"HOME": str(home), "USERPROFILE": str(home)}
    env["VIRTUAL_ENV"] = str(environment.directory)
    env["PATH"] = os.pathsep.join(filter(None, (str(environment.bin), env.get("PATH", ""))))
    return env | {"PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}


def _argv(
    environment: Environment, test: SmokeTest, installed: Installed, report: Path, env: dict[str, str]
) -> list[str]:
    child = [str(environment.python), "-I", str(_CHILD), str(report)]
    match test.kind:
        case "import":
            return [*child, "import", *test.words]
        case "script":
            script, *arguments = test.words
            target = console_scripts(installed.entry_points)[script]
            plain = environment.bin / script
            path = plain if plain.exists() else plain.with_name(f"{script}.exe")
            return [*child, "script", str(path), target, *arguments]
        case "command":
            # Looked up here, because Windows would use our own PATH.
            program, *arguments = test.words
            return [shutil.which(program, path=env["PATH"]) or program, *arguments]


def _load_report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def smoke_test_problem(test: SmokeTest, outcome: SmokeTestOutcome, own: ProjectUnderTest) -> Finding | None:
    """None where the test passed; a warning where the failure may be intended; else a blocking finding."""
    if outcome.status == 0:
        return None
    if not test.asked_for and (warning := _warning(test, outcome, own)):
        return warning
    if outcome.status is None:
        what = f"is still running after {outcome.limit:g} s"
    elif outcome.status < 0:
        what = f"was ended by signal {-outcome.status}"
    else:
        what = f"fails with status {outcome.status}: {program_output.cause_line(outcome.output)!r}"
    return Finding(
        message=f"{test.title!r} {what}",
        remedy="install the wheel into a new environment, run it there, fix the project and build again",
    )


def _warning(test: SmokeTest, outcome: SmokeTestOutcome, own: ProjectUnderTest) -> Finding | None:
    chain = outcome.report.get("chain", [])
    if missing := _missing_cause(outcome, own):
        return _not_installed(test, missing, own)
    if test.kind == "script" and outcome.status is None:
        what = f"is still running after {outcome.limit:g} s"
    elif test.kind == "script" and chain and chain[0]["exit"] and _USAGE.search(outcome.output):
        what = f"shows its usage and exits with status {outcome.status}"
    else:
        missing = _missing_before(outcome, own)
        return _not_installed(test, missing, own) if missing else None
    return Finding(
        message=f"{test.title!r} {what}",
        remedy="nothing, if this is intended; else fix it, or set commands in [tool.release.smoke]",
        severity="warn",
    )


def _missing_cause(outcome: SmokeTestOutcome, own: ProjectUnderTest) -> str | None:
    """The module of another project whose absence is the only cause of the failure; else None."""
    missing: list[str] = []
    for link in outcome.report.get("chain", []):
        if link["not_found"] and link["module"]:
            missing.append(link["module"])
        # The next link is a cause of this one if it is explicit, or the context of a failed import.
        if not (link["import_error"] or link["exit"] or link["explicit"]):
            break
    others = [name for name in missing if _is_foreign(name, own.roots)]
    return others[-1] if len(others) == len(missing) > 0 else None


def _missing_before(outcome: SmokeTestOutcome, own: ProjectUnderTest) -> str | None:
    """The last module that was missing before the project raised an ImportError itself, or exited."""
    chain = outcome.report.get("chain", [])
    deliberate = chain and (chain[0]["exit"] or (chain[0]["import_error"] and chain[0]["module"] is None))
    if not deliberate:
        return None
    missing = [name for name in outcome.report["absent"] if "." not in name and name not in _OPTIONAL]
    return next((name for name in reversed(missing) if _is_foreign(name, own.roots)), None)


def _is_foreign(name: str, roots: Iterable[str]) -> bool:
    """Whether a module belongs neither to this project nor to the standard library of some Python."""
    ours = any(f"{name}.".startswith(f"{root}.") or f"{root}.".startswith(f"{name}.") for root in roots)
    return not ours and not _REMOVED.fullmatch(name.partition(".")[0])


def _not_installed(test: SmokeTest, missing: str, own: ProjectUnderTest) -> Finding:
    top = missing.partition(".")[0]
    extra = extra_of(top, own.requires)
    if top in sys.stdlib_module_names:
        remedy = f"nothing, if this is intended: this Python has no {top!r}; else set [tool.release.smoke]"
    elif extra:
        remedy = f"nothing, if users install {own.name}[{extra}]; else move it to the project's dependencies"
    else:
        remedy = f"add the project that provides {top!r} to dependencies, or to a documented extra"
    return Finding(message=f"{test.title!r} fails where {missing!r} is not installed", remedy=remedy, severity="warn")


def extra_of(module: str, requires: Iterable[str]) -> str | None:
    """The extra that installs the project of a module's name; None where there is none."""
    from packaging.utils import canonicalize_name

    for line in requires:
        found = re.match(r"\s*([\w.-]+).*;.*\bextra\s*==\s*[\"']([^\"']+)", line)
        if found and canonicalize_name(found[1]) in {canonicalize_name(module), f"python-{canonicalize_name(module)}"}:
            return found[2]
    return None


def default_smoke_tests(names: Iterable[str], entry_points: str) -> tuple[SmokeTest, ...]:
    """An import of each top-level module, and each console script with `--help`.

    `names` are the members of a wheel or the files of an installed distribution, with forward slashes;
    `entry_points` is the text of entry_points.txt.
    """
    imports = [SmokeTest(kind="import", words=(name,)) for name in import_roots(names)[:_MOST]]
    return (*imports, *(SmokeTest(kind="script", words=(name, "--help")) for name in console_scripts(entry_points)))


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
                f"tool.release.smoke.commands: cannot split {line!r} into words: {str(error).lower()}",
                remedy="close its quotes, and double its backslashes",
            ) from error
        wanted.append(SmokeTest(kind="command", words=split, asked_for=True))
    return tuple(wanted)


def import_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules, dotted; of a namespace package, the topmost regular modules."""
    paths = {parts for name in names if (parts := _parts(name))}
    return tuple(dict.fromkeys(_roots(paths, ())))


def console_scripts(entry_points: str) -> dict[str, str]:
    """Console scripts and their targets, "package.module:function"."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive; a documented way
    try:
        parser.read_string(entry_points)
    except configparser.Error:
        return {}  # another check reports the broken file
    found = dict(parser.items("console_scripts")) if parser.has_section("console_scripts") else {}
    return {name: target.partition("[")[0].replace(" ", "") for name, target in found.items()}


def _parts(name: str) -> tuple[str, ...] | None:
    """The dotted parts of an importable module, from its path below site-packages; else None."""
    parts = name.split("/")
    if re.fullmatch(r".+\.data", parts[0]) and parts[1:2] in (["purelib"], ["platlib"]):
        parts = parts[2:]
    if not parts or not _SOURCE.search(parts[-1]) or "__pycache__" in parts:
        return None
    parts = [*parts[:-1], parts[-1].partition(".")[0]]
    good = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return tuple(parts) if good and parts[0] not in _NOT_API and "__main__" not in parts else None


def _roots(paths: set[tuple[str, ...]], at: tuple[str, ...]) -> Iterator[str]:
    below = sorted(path for path in paths if path[: len(at)] == at)
    for child in sorted({path[: len(at) + 1] for path in below}):
        if child in paths or (*child, "__init__") in paths:
            yield ".".join(child)
        else:
            yield from _roots(paths, child)
