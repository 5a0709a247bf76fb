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
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from release.adapters.install.installer import choose_installer, find_uv
from release.adapters.system.system import real_system
from release.core.redaction import CREDENTIAL_VARIABLES

#: in an environment: what was installed into it, and by which Python
_STAMP = "pypi-preflight.json"
_BIN, _PYTHON = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
#: a requirement for one version
_PINNED = re.compile(r"[\w.-]+(\[[^\]]*\])?==[^*]+")


class RunCommand(Protocol):
    """Runs a command, or raises an exception; `env` None removes a variable. As `nox.Session.run_install`."""

    def __call__(self, *argv: str, env: Mapping[str, str | None]) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnvironment:
    """A virtual environment that sessions share."""

    directory: Path
    #: its interpreter
    python: Path
    #: the variables of a program that runs in it
    variables: Mapping[str, str]


def prepare_environment(directory: Path, packages: Sequence[str], run: RunCommand) -> SessionEnvironment:
    """Make the environment, and install into it, unless it has these packages already. Safe between processes.

    `packages` are the words of a requirement for pip. Raises `UsageError` where RELEASE_INSTALLER is wrong, and what
    `run` raises.
    """
    from filelock import FileLock

    system = real_system()
    uv = str(find_uv(system)) if choose_installer(system) == "uv" else None
    directory = directory.absolute()
    scripts = directory / _BIN
    made = SessionEnvironment(directory=directory, python=scripts / _PYTHON, variables=_variables(directory, uv))
    _prepare_parent(directory.parent)
    with FileLock(directory.with_name(f"{directory.name}.lock")):
        stamp = _stamp(packages)
        if stamp != _read(directory / _STAMP) or not made.python.exists():
            _install(made, packages, uv, run)
            if stamp is not None and made.python.exists():
                (directory / _STAMP).write_text(stamp, encoding="utf-8")
    return made


def _install(made: SessionEnvironment, packages: Sequence[str], uv: str | None, run: RunCommand) -> None:
    env = _install_variables()
    if not _is_of_this_python(made):
        shutil.rmtree(made.directory, ignore_errors=True)
        if uv:
            options = ["--quiet", "--no-project", "--no-config", "--python", sys.executable]
            run(uv, "venv", *options, str(made.directory), env=env)
        else:
            options = ["--quiet", "--no-periodic-update"]
            run(sys.executable, "-P", "-m", "virtualenv", *options, str(made.directory), env=env)
    (made.directory / _STAMP).unlink(missing_ok=True)
    if uv:
        # uv does not install a directory again whose version is the same
        again = ["--reinstall-package", "pypi-preflight"] if _is_directory(packages) else []
        run(uv, "pip", "install", "--quiet", "--python", str(made.python), *again, *packages, env=env)
    else:
        options = ["--quiet", "--disable-pip-version-check", "--no-input"]
        run(str(made.python), "-P", "-m", "pip", "install", *options, *packages, env=env)
    if made.directory.is_dir():
        (made.directory / f"{_STAMP}.python").write_text(_this_python(), encoding="utf-8")


def _is_of_this_python(made: SessionEnvironment) -> bool:
    return made.python.exists() and _read(made.directory / f"{_STAMP}.python") == _this_python()


def _this_python() -> str:
    return json.dumps([sys.version, sys.base_prefix])


def _stamp(packages: Sequence[str]) -> str | None:
    """What an environment with these packages has; None where only an installation shows it."""
    stamp: dict[str, object] = {"packages": list(packages), "python": _this_python()}
    if len(packages) == 2 and packages[0] == "-e":  # noqa: PLR2004 - an option and its value
        text = _read(Path(packages[1]) / "pyproject.toml")
        stamp["pyproject"] = hashlib.sha256((text or "").encode()).hexdigest()
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
    """What pip and uv do not see: credentials, except those of their own indexes, and directories of the project."""
    hidden = [name for name in os.environ if CREDENTIAL_VARIABLES.match(name) and not name.startswith("UV_INDEX_")]
    variables: dict[str, str | None] = dict.fromkeys([*hidden, "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX"])
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
