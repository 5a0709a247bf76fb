"""A clean environment, and the released file in it: that very file, by address and hash."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from release.adapters.install import installer
from release.adapters.install.errors import install_problem
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import ToolError
from release.core.models.finding import Finding, Unknown

#: seconds for one install, builds of dependencies included
_LIMIT = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment that holds nothing yet but perhaps pip."""

    directory: Path
    #: its interpreter
    python: Path
    #: where its scripts are
    bin: Path
    installer: installer.Installer


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What an environment has of a project, as its own metadata says."""

    version: str
    #: address that it came from; None where it came from an index by name
    url: str | None
    #: 64 lower-case hex digits; None where the installer did not keep it (uv checks it, and does not)
    sha256: str | None
    #: paths relative to site-packages, with forward slashes
    files: tuple[str, ...]
    #: text of entry_points.txt, empty where there is none
    entry_points: str
    #: core metadata "Requires-Dist" lines
    requires: tuple[str, ...]


def create_environment(system: System, directory: Path) -> Environment:
    """Make a virtual environment of this interpreter in a new directory. Raises `ToolError`."""
    chosen = installer.choose_installer(system)
    with explain_os_errors("the clean environment"):
        directory.parent.mkdir(parents=True, exist_ok=True)
    made = system.run(_creation(system, chosen, directory), env=installer.installer_environment(system), timeout=_LIMIT)
    if made.status:
        raise ToolError(
            f"no virtual environment can be made: {made.output.strip()!r}",
            remedy="install uv, or the operating system's package for venv (python3-venv on Debian)",
        )
    # Stops uv from taking settings from the project that this directory may lie in. Observed: uv 0.13, 2026-11
    with explain_os_errors("the clean environment"):
        (directory / "uv.toml").touch()
    bin_, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    scripts = directory.resolve() / bin_
    return Environment(directory=directory.resolve(), python=scripts / name, bin=scripts, installer=chosen)


def _creation(system: System, chosen: installer.Installer, directory: Path) -> list[str]:
    if chosen == "uv":
        program = str(installer.find_uv(system))
        return [program, "venv", "--quiet", "--no-project", "--no-config", "--python", sys.executable, str(directory)]
    # Our own pip serves the environment from outside (pip >= 22.3): putting one inside takes seconds.
    bare = ["--without-pip"] if _pip_is_here() else []
    return [sys.executable, "-I", "-m", "venv", *bare, str(directory)]


def _pip_is_here() -> bool:
    return importlib.util.find_spec("pip") is not None


def install_file(  # noqa: PLR0913 - a file of a release is these four values
    system: System,
    environment: Environment,
    *,
    name: str,
    version: str,
    url: str,
    sha256: str,
    on_line: Callable[[str], None] | None = None,
) -> Finding | Unknown | None:
    """Install the file at `url`, and no other, with its dependencies from the user's own index.

    None where it went well; a finding where the release does not install; unknown where the network
    kept it from being tried. `sha256` is 64 lower-case hex digits.
    """
    wanted = f"{name} @ {url}#sha256={sha256}"
    done = system.run(
        [*_installation(system, environment, name, url), wanted],
        cwd=environment.directory, env=installer.installer_environment(system), timeout=_LIMIT, on_line=on_line,
        umask=0o022,
    )  # fmt: skip
    if done.status:
        return install_problem(done.output, name=name, url=url)
    return _mismatch(load_installed(environment, name), name=name, version=version, url=url, sha256=sha256)


def _installation(system: System, environment: Environment, name: str, url: str) -> list[str]:
    python = str(environment.python)
    if environment.installer == "uv":
        # A file that was there under the same address yesterday is not this one.
        return [str(installer.find_uv(system)), "pip", "install", "--python", python, "--refresh-package", name]
    pip = [sys.executable, "-m", "pip", "--python", python] if _pip_is_here() else [python, "-I", "-m", "pip"]
    # pip keeps wheels that it built by the address of their sdist, and would not fetch that again.
    fresh = [] if url.endswith(".whl") else ["--no-cache-dir"]
    return [*pip, "install", "--no-user", "--prefer-binary", "--progress-bar=off", *fresh]


def load_installed(environment: Environment, name: str) -> Installed:
    """What the environment has of a project. Raises `ToolError` where it has nothing of it."""
    finder = importlib.metadata.DistributionFinder.Context(name=name, path=_packages(environment))
    found = next(iter(importlib.metadata.Distribution.discover(context=finder)), None)
    if found is None:
        raise ToolError(
            f"{name!r} is not there, though its install went well",
            remedy="make sure that the name in the file's metadata is the project's",
        )
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return Installed(
        version=found.version,
        url=origin.get("url"),
        sha256=origin.get("archive_info", {}).get("hashes", {}).get("sha256"),
        files=tuple(file.as_posix() for file in found.files or ()),
        entry_points=found.read_text("entry_points.txt") or "",
        requires=tuple(found.requires or ()),
    )


def _packages(environment: Environment) -> list[str]:
    """Its site-packages, without asking it: it is of this very interpreter."""
    base = {"base": str(environment.directory), "platbase": str(environment.directory)}
    paths = (sysconfig.get_path(kind, scheme="venv", vars=base) for kind in ("purelib", "platlib"))
    return list(dict.fromkeys(paths))


def _mismatch(found: Installed, *, name: str, version: str, url: str, sha256: str) -> Finding | None:
    from packaging.version import InvalidVersion, Version

    try:
        same = Version(found.version) == Version(version)
    except InvalidVersion:
        same = found.version == version
    if not same:
        return Finding(
            message=f"{name} {version} was installed, and calls itself {found.version!r}",
            remedy="build it from a clean checkout of the tag, so that file name and metadata agree",
        )
    if _bare(found.url) != _bare(url) or found.sha256 not in {None, sha256}:
        return Finding(
            message=f"{name} came from {found.url!r}, not from {url!r}",
            remedy="unset what redirects installs in the configuration of pip and uv, and run the same command again",
        )
    return None


def _bare(url: str | None) -> str:
    """An address without what installers may add to it or spell in another way."""
    return unquote((url or "").partition("#")[0])


def best_file(filenames: Iterable[str]) -> str | None:
    """The file that an installer would take for this interpreter: its best wheel, else the sdist, else None."""
    from packaging.tags import sys_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    rank = {tag: place for place, tag in enumerate(sys_tags())}
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
