"""Install one released file, identified by URL and hash, into a clean environment, and explain why it fails."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from release.adapters.install import installer, interpreters, unreleased
from release.adapters.install.unreleased import ExplainMissing
from release.adapters.system import program_output
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import PROCESS_LIMIT, PROCESS_LIMIT_REMEDY, ToolError
from release.core.foreign_json import parse_foreign_json
from release.core.models.check_result import Finding, Unknown
from release.core.models.interpreter import Interpreter, version_to_text

#: seconds for one install, with builds of dependencies
_LIMIT = 1800
#: seconds for the install of extras, which only prove that a failure is intended
_EXTRAS_LIMIT = 180


class Environment(Struct, frozen=True, kw_only=True):
    """A virtual environment that has nothing installed, except perhaps pip."""

    directory: Path
    #: its interpreter
    python: Path
    #: the directory of its scripts
    bin: Path
    installer: installer.Installer
    #: the one that it was created with
    created_by: Interpreter


class Installed(Struct, frozen=True, kw_only=True):
    """An installed project, from its own metadata."""

    version: str
    #: the URL that it was installed from; None where it came from an index by name
    url: str | None
    #: 64 lower-case hex digits; None where the installer does not record it: uv checks the hash, but does not store it
    sha256: str | None
    #: relative to site-packages, with forward slashes
    files: tuple[str, ...]
    #: the text of entry_points.txt; empty where there is none
    entry_points: str
    #: its "Requires-Dist" lines
    requires: tuple[str, ...]


def create_environment(system: System, directory: Path) -> Environment:
    """Create a virtual environment for the interpreter of `system` in a new directory. Raises `ToolError`."""
    interpreter = interpreters.chosen_interpreter(system)
    chosen = installer.choose_installer(system)
    with explain_os_errors("the clean environment"):
        directory.parent.mkdir(parents=True, exist_ok=True)
    if chosen == "uv":
        options = ["--quiet", "--no-project", "--no-config", "--python", str(interpreter.path)]
        argv = [str(installer.find_uv(system)), "venv", *options, str(directory)]
    else:
        # Our own pip can install into the environment (pip >= 22.3); installing pip there would take seconds.
        bare = ["--without-pip"] if _has_pip() else []
        argv = [str(interpreter.path), "-I", "-m", "venv", *bare, str(directory)]
    made = system.run(argv, env=installer.installer_environment(system), timeout=_LIMIT)
    if made.status:
        raise ToolError(
            f"cannot create a virtual environment: {made.output.strip()!r}",
            remedy="install uv, or the operating system's package for venv (python3-venv on Debian)",
        )
    # Keeps uv from reading the settings of a project around this directory. Observed: uv 0.13, 2026-11
    with explain_os_errors("the clean environment"):
        (directory / "uv.toml").touch()
    bin_, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    scripts = directory.resolve() / bin_
    return Environment(
        directory=directory.resolve(), python=scripts / name, bin=scripts, installer=chosen, created_by=interpreter
    )


def prepare_install(system: System, environment: Environment) -> None:
    """Let uv find out what the interpreter is, which it remembers; else the install does. A failure is left to that."""
    if environment.installer != "uv":
        return
    argv = [str(installer.find_uv(system)), "pip", "list", "--quiet", "--python", str(environment.python)]
    env = installer.installer_environment(system)
    with contextlib.suppress(ToolError):
        system.run(argv, cwd=environment.directory, env=env, timeout=_LIMIT, apart=True)


def _has_pip() -> bool:
    return importlib.util.find_spec("pip") is not None


def install_file(  # noqa: PLR0913 - a released file is these four values
    system: System,
    environment: Environment,
    *,
    name: str,
    version: str,
    url: str,
    sha256: str,
    refresh: bool = True,
    on_line: Callable[[str], None] | None = None,
    explain: ExplainMissing | None = None,
) -> Finding | Unknown | None:
    """Install the file at `url`, and its dependencies from the user's own index.

    None if it succeeded; a finding where the release does not install; unknown where there is no network or no
    space. `sha256` is 64 lower-case hex digits. `refresh`: whether the cache of the installer may have another file
    from this URL. `explain` is asked about a dependency that no index has.
    """
    requirement = f"{name} @ {url}#sha256={sha256}"
    done = system.run(
        [*_installation(system, environment, name if refresh else None, url), requirement],
        cwd=environment.directory, env=installer.installer_environment(system), timeout=_LIMIT, on_line=on_line,
        umask=0o022,
    )  # fmt: skip
    if done.status:
        return install_problem(done.output, name=name, url=url, explain=explain)
    return _mismatch(load_installed(environment, name), name=name, version=version, url=url, sha256=sha256)


def install_extras(  # noqa: PLR0913 - a released file, and its extras
    system: System, environment: Environment, *, name: str, url: str, sha256: str, extras: Sequence[str]
) -> str | None:
    """Install what these extras of an installed file require: None if it succeeded, else why not.

    The extras are those of the same URL and hash, so the file itself stays as it is.
    """
    requirement = f"{name}[{','.join(extras)}] @ {url}#sha256={sha256}"
    try:
        done = system.run(
            [*_installation(system, environment, name, url), requirement],
            cwd=environment.directory, env=installer.installer_environment(system), timeout=_EXTRAS_LIMIT, umask=0o022,
        )  # fmt: skip
    except TimedOutError:
        return f"not installed after {_EXTRAS_LIMIT} s"
    return f"cannot be installed: {program_output.cause_line(done.output)!r}" if done.status else None


def _installation(system: System, environment: Environment, name: str | None, url: str) -> list[str]:
    """The start of the command; `name`: the project that the installer must not have from its cache."""
    python = str(environment.python)
    if environment.installer == "uv":
        # With that, uv runs the interpreter, too, though `prepare_install` did. Observed: uv 0.13.9, 2026-11
        fresh = ["--refresh-package", name] if name is not None else []
        return [str(installer.find_uv(system)), "pip", "install", "--python", python, *fresh]
    pip = [sys.executable, "-P", "-m", "pip", "--python", python] if _has_pip() else [python, "-I", "-m", "pip"]
    # pip caches the wheels that it builds by the URL of the sdist, and would not fetch the sdist again.
    fresh = [] if url.endswith(".whl") else ["--no-cache-dir"]
    return [*pip, "install", "--no-user", "--prefer-binary", "--progress-bar=off", *fresh]


def load_installed(environment: Environment, name: str) -> Installed:
    """A project that is installed in the environment. Raises `ToolError` where it is not."""
    # Computed without running the environment's interpreter, of which only the version may differ from this one.
    base = {"base": str(environment.directory), "platbase": str(environment.directory)}
    base["py_version_short"] = version_to_text(environment.created_by.version[:2])
    paths = (sysconfig.get_path(kind, scheme="venv", vars=base) for kind in ("purelib", "platlib"))
    finder = importlib.metadata.DistributionFinder.Context(name=name, path=list(dict.fromkeys(paths)))
    found = next(iter(importlib.metadata.Distribution.discover(context=finder)), None)
    if found is None:
        raise ToolError(
            f"{name!r} is missing after it was installed without an error",
            remedy="check that the name in the file's metadata is that of the project",
        )
    origin = parse_foreign_json(found.read_text("direct_url.json") or "{}")
    return Installed(
        version=found.version,
        url=origin.get("url"),
        sha256=origin.get("archive_info", {}).get("hashes", {}).get("sha256"),
        files=tuple(file.as_posix() for file in found.files or ()),
        entry_points=found.read_text("entry_points.txt") or "",
        requires=tuple(found.requires or ()),
    )


def _mismatch(found: Installed, *, name: str, version: str, url: str, sha256: str) -> Finding | None:
    from packaging.version import InvalidVersion, Version

    try:
        same = Version(found.version) == Version(version)
    except InvalidVersion:
        same = found.version == version
    if not same:
        return Finding(
            message=f"{name} {version} was installed, but its metadata says version {found.version!r}",
            remedy="build it from a clean checkout of the tag, so that file name and metadata agree",
        )
    if _bare(found.url) != _bare(url) or found.sha256 not in {None, sha256}:
        return Finding(
            message=f"{name} was installed from {found.url!r} instead of {url!r}",
            remedy="unset what redirects installs in the configuration of pip and uv, then run the same command again",
        )
    return None


def _bare(url: str | None) -> str:
    """A URL without its fragment, unquoted: installers differ in both."""
    return unquote((url or "").partition("#")[0])


def best_file(filenames: Iterable[str], interpreter: Interpreter | None = None) -> str | None:
    """The file that an installer chooses for an interpreter: the best wheel, else the sdist, else None.

    `interpreter`: None means the one that runs this program.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    rank = interpreters.rank_tags(interpreter)
    best: list[tuple[int, str]] = []
    sdists = []
    for filename in filenames:
        if filename.endswith((".tar.gz", ".zip")):
            sdists.append(filename)
            continue
        try:
            tags = parse_wheel_filename(filename)[3]
        except InvalidWheelFilename:
            continue
        best += [(rank[tag], filename) for tag in tags if tag in rank]
    return min(best)[1] if best else next(iter(sdists), None)


# The output of pip and uv. Observed: pip 23.2 and uv 0.13, 2026-11.
_PYTHON = (
    r"Package '(?P<who>[^']+)' requires a different Python: (?P<have>\S+) not in '(?P<want>[^']+)'"
    r"|current Python version \((?P<have2>[^)]+)\) does not satisfy Python(?P<want2>\S+) and (?P<who2>[^\s=]+)\S* dep"
)
#: Observed: pip 23.2 and 26.3, 2026-11. uv's words are those for a missing version.
_EXCLUDED = r"(?m)^ *\S+ \S+ depends on (?P<wanted>[^\n]+)\n *The user requested \(constraint\) (?P<constraint>[^\n(]+)"
_BUILD_FAILED = (
    r"Failed to (?:download and )?build:? `?(?P<a>[\w.-]+)|Failed building wheel for (?P<b>[\w.-]+)"
    r"|subprocess-exited-with-error"
)


def install_problem(output: str, *, name: str, url: str, explain: ExplainMissing | None = None) -> Finding | Unknown:
    """Why an install failed; `output` is all that the installer wrote."""
    return (
        _wrong_file(output, name, url)
        or _wrong_python(output, name)
        or _not_tried(output)
        or _missing_dependency(output, name, explain)
        or _failed_build(output, name)
        or Finding(
            message=f"{name} does not install: {program_output.cause_line(output)!r}",
            remedy=f"install {url} into a new environment, and fix what the installer reports",
        )
    )


def _wrong_file(output: str, name: str, url: str) -> Finding | None:
    if re.search(r"Hash mismatch for|DO NOT MATCH THE HASHES", output):
        got = re.search(r"(?:Got|Computed:\s+sha256:)\s*([0-9a-f]{64})", output)
        return Finding(
            message=f"{name}: the index serves a file with another hash{f', sha256 {got[1]}' if got else ''}",
            remedy=f"do not announce the release; fetch {url} and compare it with the file that was built",
        )
    if re.search(r"404 (?:Client Error|(?:File )?(?i:not found))", output) and url in output:
        return Finding(message=f"the index does not serve {url!r} (404)", remedy="run the same command again later")
    return None


def _wrong_python(output: str, name: str) -> Finding | None:
    if found := re.search(_PYTHON, output):
        who, have, want = (found[key] or found[f"{key}2"] for key in ("who", "have", "want"))
        return Finding(
            message=f"{who} does not install on Python {have}: it requires '{want}'",
            remedy="use a Python version that it allows, or widen requires-python and release again",
        )
    if re.search(
        r"is not a supported wheel on this platform|has no wheels with a matching|not compatible with", output
    ):
        return Finding(
            message=f"{name} has no wheel for this Python on this machine",
            remedy="use a machine that the wheels are for, or release an sdist too",
        )
    return None


def _not_tried(output: str) -> Unknown | None:
    if found := unreleased.OLD_PIP.search(output):
        return Unknown(
            reason=f"this pip cannot install {found['wheel'] or found['sdist']!r} with extras from a URL",
            remedy=unreleased.UPGRADE_PIP,
        )
    if re.search(r"No space left on device|not enough space", output):
        return Unknown(reason="the disk is full", remedy="free some space, then run the same command again")
    if re.search(program_output.PROCESS_LIMIT_PATTERN, output):
        return Unknown(reason=PROCESS_LIMIT, remedy=PROCESS_LIMIT_REMEDY)
    if re.search(program_output.OFFLINE_PATTERN, output):
        return Unknown(
            reason=f"the clean install cannot reach an index: {program_output.cause_line(output)!r}",
            remedy="connect to the network, or configure an index for pip and uv, then run the same command again",
        )
    return None


def _missing_dependency(output: str, name: str, explain: ExplainMissing | None) -> Finding | None:
    if excluded := re.search(_EXCLUDED, output):
        wanted, constraint = excluded["wanted"], excluded["constraint"].strip()
        return Finding(
            message=f"{name} does not install: the requirement {wanted!r} conflicts with the constraint {constraint!r}",
            remedy="correct that requirement, or the constraint in the configuration of pip",
        )
    missing = unreleased.missing_requirement(output, name)
    if missing is None:
        return None
    known = explain(missing) if explain else None
    return Finding(
        message=f"{name} does not install: {known.message if known else f'no index has its dependency {missing!r}'}",
        remedy=known.remedy
        if known
        else "correct that entry of the project's dependencies, or configure another index for pip and uv",
    )


def _failed_build(output: str, name: str) -> Finding | None:
    found = re.search(_BUILD_FAILED, output)
    if not found:
        return None
    what = found["a"] or found["b"] or name
    # for build requirements only. Observed: uv 0.13.9, 2026-11
    if source := re.search(r"`([^`]+)` references a workspace in `tool\.uv\.sources`", output):
        remedy = f"move {source[1]!r} from [tool.uv.sources] of its pyproject.toml to that of the workspace's root"
    elif what == name:
        remedy = "run `python -m build --wheel FILE.tar.gz` for the sdist, and fix what it reports"
    else:
        remedy = f"install what the build of {what} needs, or depend on a version of it that has wheels"
    return Finding(
        message=f"{what} does not build from its sdist: {program_output.cause_line(output)!r}", remedy=remedy
    )
