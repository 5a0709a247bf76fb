"""The environments of the nox sessions: shared by several of them, and installed into only when something has changed.

nox has an environment for each session. These are made by the sessions themselves, in the same directory.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from release.adapters.install.installer import choose_installer, find_uv
from release.adapters.system.system import real_system
from release.core.child_environment import without_credentials

#: in an environment: what was installed into it, and by which Python
_STAMP = "pypi-preflight.json"
_BIN, _PYTHON = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
#: a requirement for one version
_PINNED = re.compile(r"[\w.-]+(\[[^\]]*\])?==[^*]+")


class RunCommand(Protocol):
    """Runs a command, or raises an exception; `env` None removes a variable. As `nox.Session.run_install`."""

    def __call__(self, *argv: str, env: Mapping[str, str | None]) -> object: ...


class SessionEnvironment(Struct, frozen=True, kw_only=True):
    """A virtual environment that sessions share."""

    directory: Path
    #: its interpreter
    python: Path
    #: the variables of a program that runs in it
    variables: Mapping[str, str]


def prepare_environment(
    directory: Path, packages: Sequence[str], run: RunCommand, *, like: Path | None = None
) -> SessionEnvironment:
    """Make the environment, and install into it, unless it has these packages already. Safe between processes.

    `packages` are the words of a requirement for pip. `like` is an environment to copy, if it has the same packages:
    a copy takes a fraction of the time of pip, and changes in one are none in the other. Raises `UsageError` where
    RELEASE_INSTALLER is wrong, and what `run` raises.
    """
    system = real_system()
    uv = str(find_uv(system)) if choose_installer(system) == "uv" else None
    directory = directory.absolute()
    scripts = directory / _BIN
    made = SessionEnvironment(directory=directory, python=scripts / _PYTHON, variables=_variables(directory, uv))
    _prepare_parent(directory.parent)
    with _locked(directory):
        stamp = _stamp(packages, uv)
        if stamp is None or stamp != _read(directory / _STAMP) or not made.python.exists():
            _create(made, uv, run)
            if stamp is None or not _copy(like, made, stamp):
                _install(made, packages, uv, run)
            if stamp is not None and made.python.exists():
                (directory / _STAMP).write_text(stamp, encoding="utf-8")
    return made


def _locked(directory: Path) -> AbstractContextManager[object]:
    from filelock import FileLock

    return FileLock(directory.with_name(f"{directory.name}.lock"))


def _create(made: SessionEnvironment, uv: str | None, run: RunCommand) -> None:
    """Create the environment, unless it is of this Python already."""
    (made.directory / _STAMP).unlink(missing_ok=True)
    mark = made.directory / f"{_STAMP}.python"
    if made.python.exists() and _read(mark) == _origin(uv):
        return
    shutil.rmtree(made.directory, ignore_errors=True)
    if uv:
        options = ["--quiet", "--no-project", "--no-config", "--python", sys.executable]
        run(uv, "venv", *options, str(made.directory), env=_install_variables())
    else:
        options = ["--quiet", "--no-periodic-update"]
        run(sys.executable, "-P", "-m", "virtualenv", *options, str(made.directory), env=_install_variables())
    if made.directory.is_dir():
        mark.write_text(_origin(uv), encoding="utf-8")


def _copy(like: Path | None, made: SessionEnvironment, stamp: str) -> bool:
    """Copy the installed packages of another environment with this stamp; its scripts are not needed."""
    if like is None or not like.is_dir():
        return False
    like = like.absolute()
    with _locked(like):
        if _read(like / _STAMP) != stamp or not made.python.exists():
            return False
        for there, here in zip(_libraries(like), _libraries(made.directory), strict=True):
            shutil.rmtree(here, ignore_errors=True)
            shutil.copytree(there, here)
    return True


def _libraries(directory: Path) -> list[Path]:
    """The directories of installed packages, each once."""
    base = {"base": str(directory), "platbase": str(directory)}
    paths = (Path(sysconfig.get_path(kind, scheme="venv", vars=base)).resolve() for kind in ("purelib", "platlib"))
    return list(dict.fromkeys(paths))


def _install(made: SessionEnvironment, packages: Sequence[str], uv: str | None, run: RunCommand) -> None:
    env = _install_variables()
    if uv:
        # uv does not install a directory again whose version is the same
        again = ["--reinstall-package", "pypi-preflight"] if _is_directory(packages) else []
        run(uv, "pip", "install", "--quiet", "--python", str(made.python), *again, *packages, env=env)
    else:
        # compiling all modules takes as long as the rest; those that are used are compiled when they are
        compiled = [] if os.environ.get("PYTHONDONTWRITEBYTECODE") else ["--no-compile"]
        options = ["--quiet", "--disable-pip-version-check", "--no-input", *compiled]
        run(str(made.python), "-P", "-m", "pip", "install", *options, *packages, env=env)


def _origin(uv: str | None) -> str:
    """What an environment is created by; one that uv created has no pip."""
    return json.dumps([sys.version, sys.base_prefix, "uv" if uv else "virtualenv"])


def _stamp(packages: Sequence[str], uv: str | None) -> str | None:
    """What an environment with these packages has; None where only an installation shows it."""
    stamp: dict[str, object] = {"packages": list(packages), "origin": _origin(uv)}
    path = Path(packages[-1])
    if packages[0] == "-e":  # its modules are used where they are, its dependencies are installed
        path /= "pyproject.toml"
    if path.is_file():
        stamp["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    elif not all(_PINNED.fullmatch(word) for word in packages):
        return None
    return json.dumps(stamp)


def _is_directory(packages: Sequence[str]) -> bool:
    return len(packages) == 1 and Path(packages[0]).is_dir()


def _read(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return None


def _variables(directory: Path, uv: str | None) -> dict[str, str]:
    path = [str(directory / _BIN), *filter(None, [os.environ.get("PATH")])]
    # The uv of this environment is a module of it, which the program in the other one does not find.
    path += [str(Path(uv).parent)] if uv else []
    return {"PATH": os.pathsep.join(path), "VIRTUAL_ENV": str(directory)}


def _install_variables() -> dict[str, str | None]:
    """What pip and uv do not see: secrets, except those of their own indexes, and directories of the project."""
    clean = without_credentials(os.environ, "installer")
    variables = {name: clean.get(name) for name, value in os.environ.items() if clean.get(name) != value}
    variables |= dict.fromkeys(("PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX"))
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):  # each process would compile all modules again
        variables["UV_COMPILE_BYTECODE"] = "1"
    return variables


def _prepare_parent(directory: Path) -> None:
    """The directory of nox's environments, which git and backups ignore, as nox makes it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (".gitignore", "*\n"),
        ("CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"),
    ):
        if not (directory / name).exists():
            (directory / name).write_text(text, encoding="utf-8")
