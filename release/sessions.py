"""The nox sessions: one for each command, each in its own environment.

A project's own `noxfile.py` is two lines:

    from pypi_preflight import sessions
    sessions.register()

The environments contain this package and nothing of the project. Only sessions that need credentials can see them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from release.core.redaction import CREDENTIAL_VARIABLES

if TYPE_CHECKING:
    import nox

_DISTRIBUTION = "pypi-preflight"
_NEW = "--new-project"

_OPTIONS: dict[str, Any] = {
    "default": False, "venv_backend": "uv|virtualenv", "reuse_venv": True, "download_python": "never"
}  # fmt: skip

#: command → (its description in `nox -l`, the sessions that must pass before, whether it may see credentials)
_COMMANDS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "check": ("Check the source and the credentials for each index.", (), True),
    "build": ("Build sdist and wheel from a clean clone of the commit.", ("check",), False),
    "rehearse": ("Rehearse the release on an embedded index.", (), False),
    "testpypi": ("Upload to TestPyPI, install from there and run smoke tests.", ("build", "rehearse"), True),
    "publish": ("Release: all of the above, then PyPI. Without a terminal: -- --yes.", ("testpypi",), True),
}
#: the action of `set` → as above; each session is complete: a release begins with its gate
_SET_COMMANDS: dict[str, tuple[str, bool]] = {
    "check": ("Check the source and the credentials of all members of a set.", True),
    "rehearse": ("Rehearse the release of a set on an embedded index.", False),
    "release": ("Release a set: a gate for all members, TestPyPI, PyPI. Without a terminal: -- --yes.", True),
}


def register(prefix: str = "", *, package: str | None = None) -> None:
    """Register the commands of a release with nox, as a chain of sessions; those of sets, `inspect`, `token-health`.

    `prefix` is put before each name ("release-" makes "release-publish"). `package` is a requirement for pip, to be
    installed into each session; by default the installed version of this package. No session runs by default.
    """
    import nox

    packages = [package] if package else _this_package()
    nox.session(name=f"{prefix}inspect", **_OPTIONS)(_inspection(packages))
    nox.session(name=f"{prefix}token-health", **_OPTIONS)(_token_health(packages))
    for action, (text, credentials) in _SET_COMMANDS.items():
        nox.session(name=f"{prefix}set-{action}", **_OPTIONS)(_set_session(action, text, packages, credentials))
    chain: list[str] = []
    for command, (text, required, credentials) in _COMMANDS.items():
        requires = [f"{prefix}{name}" for name in required]
        session = _session(command, text, packages, chain, credentials=credentials)
        nox.session(name=f"{prefix}{command}", requires=requires, **_OPTIONS)(session)


def _session(
    command: str, text: str, packages: list[str], chain: list[str], *, credentials: bool
) -> Callable[..., None]:
    """A session for a command; `chain` are the commands of this nox run so far, each followed by "… passed"."""

    def session(session: nox.Session) -> None:
        if chain and not chain[-1].endswith(" passed"):
            session.error(f"{chain[-1]} failed, so {command} is not run")
        chain.append(command)
        session.install(*packages)
        options = ["--built"] if command == "rehearse" and "build passed" in chain else []
        env = {} if credentials else _no_credentials()
        words = [command, *options, *_options_for(command, session.posargs)]
        session.run("python", "-P", "-m", "pypi_preflight", *words, env=env)
        chain.append(f"{command} passed")

    session.__doc__ = text
    return session


def _set_session(action: str, text: str, packages: list[str], credentials: bool) -> Callable[..., None]:
    """A session for an action of `set`."""

    def session(session: nox.Session) -> None:
        session.install(*packages)
        env = {} if credentials else _no_credentials()
        session.run("python", "-P", "-m", "pypi_preflight", "set", action, *session.posargs, env=env)

    session.__doc__ = text
    return session


def _no_credentials() -> dict[str, None]:
    return {name: None for name in os.environ if CREDENTIAL_VARIABLES.match(name)}


def _inspection(packages: list[str]) -> Callable[..., None]:
    """Runs third-party checkers too, from the extra `checks`."""

    def session(session: nox.Session) -> None:
        files = session.posargs or sorted(str(path) for path in Path("dist").glob("*") if path.is_file())
        if not files:
            session.skip("dist/ is empty: pass files after --")
        session.install(*packages[:-1], _with_checks(packages[-1]))
        session.run("python", "-P", "-m", "pypi_preflight", "inspect", "--others", *files, env=_no_credentials())

    session.__doc__ = "Inspect files, with third-party checkers: -- FILE…, or those in dist/."
    return session


def _with_checks(package: str) -> str:
    """The requirement with the extra that contains the checkers."""
    name, equals, version = package.partition("==")
    return f"{name}[checks]{equals}{version}"


def _token_health(packages: list[str]) -> Callable[..., None]:
    """Nox turns every exit status except 0 into 1; run the program itself to distinguish them."""

    def session(session: nox.Session) -> None:
        session.install(*packages)
        session.run("python", "-P", "-m", "pypi_preflight", "tokens", *session.posargs)

    session.__doc__ = "Show the health of all tokens. Exits with 0 or 1: for a schedule, run the program itself."
    return session


def _options_for(command: str, words: list[str]) -> list[str]:
    """The options after `--` that the command has: `--yes` and `--new-project` are not for all of them."""
    options = [word for word in words if word != "--yes" or command in {"testpypi", "publish"}]
    if command == "publish" or _NEW not in options:
        return options
    at = options.index(_NEW)
    return options[:at] + options[at + 2 :]


def _this_package() -> list[str]:
    """The requirement for this package: the path that it was installed from, or its version.

    Source: PEP 610, "direct_url.json".
    """
    try:
        installed = distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        return [str(Path(__file__).resolve().parents[1])]
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    if not url.startswith("file:"):
        return [f"{_DISTRIBUTION}=={installed.version}"]
    path = url2pathname(urlsplit(url).path)
    return ["-e", path] if origin.get("dir_info", {}).get("editable") else [path]
