"""The nox sessions: one for each command, in two environments.

A project's own `noxfile.py` is two lines:

    from pypi_preflight import sessions
    sessions.register()

The sessions that publish have one environment, those that run the project's own code another one. Both contain this
package and nothing of the project. Only sessions that need credentials can see them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit
from urllib.request import url2pathname

from msgspec import Struct

from release.adapters.install.session_environment import prepare_environment
from release.core.child_environment import is_credential
from release.core.errors import ReleaseError
from release.core.foreign_json import parse_foreign_json
from release.core.harmless import harmless_lines

if TYPE_CHECKING:
    import nox

__all__ = ["register"]

_DISTRIBUTION = "pypi-preflight"
_NEW = "--new-project"
_OLD_NAME = "token-health"

#: the sessions make their environments themselves
_OPTIONS: dict[str, Any] = {"default": False, "venv_backend": "none"}


class _Command(Struct, frozen=True, kw_only=True):
    """A command of the program as a session."""

    #: its description in `nox -l`
    text: str
    #: the name of its environment
    environment: str
    #: the sessions that must pass before
    requires: tuple[str, ...] = ()
    #: whether it may see credentials
    credentials: bool = True


#: for what publishes, and for what runs the project's own code: its build backend and its smoke test
_PUBLISHING, _PROJECT = "pypi-preflight-publishing", "pypi-preflight-project"

#: the chain
_CHAIN: Mapping[str, _Command] = {
    "check": _Command(text="Check the source and the credentials for each index.", environment=_PUBLISHING),
    "build": _Command(
        text="Build sdist and wheel from a clean clone of the commit.",
        environment=_PROJECT, requires=("check",), credentials=False,
    ),
    "rehearse": _Command(
        text="Rehearse the release on an embedded index.", environment=_PROJECT, credentials=False
    ),
    "testpypi": _Command(
        text="Upload to TestPyPI, install from there and run smoke tests.",
        environment=_PUBLISHING, requires=("build", "rehearse"),
    ),
    "publish": _Command(
        text="Release: all of the above, then upload to PyPI and confirm. Without a terminal: -- --yes.",
        environment=_PUBLISHING, requires=("testpypi",),
    ),
}  # fmt: skip
#: commands that are complete: the release of a set begins with its gate
_SINGLE: Mapping[str, _Command] = {
    "tokens": _Command(
        text="Show the health of all tokens. Exits with 0 or 1: for a schedule, run the program itself.",
        environment=_PUBLISHING,
    ),
    "set check": _Command(
        text="Check the source and the credentials of all members of a set.", environment=_PUBLISHING
    ),
    "set rehearse": _Command(
        text="Rehearse the release of a set on an embedded index.", environment=_PROJECT, credentials=False
    ),
    "set release": _Command(
        text="Release a set: a gate for all members, TestPyPI, PyPI. Without a terminal: -- --yes.",
        environment=_PUBLISHING,
    ),
}  # fmt: skip


def register(prefix: str = "", *, package: str | None = None) -> None:
    """Register the commands of a release with nox: the chain, `release` for all of it, and those that stand alone.

    `prefix` is put before each name ("release-" makes "release-publish"). `package` is a requirement for pip, to be
    installed into the environments; by default the installed version of this package. No session runs by default.
    Stops nox, with exit status 2, if the noxfile has a session of one of these names, before or after this call.
    """
    import nox

    packages = [package] if package else _this_package()
    chain: list[str] = []
    sessions: dict[str, tuple[tuple[str, ...], Callable[..., None]]] = {}
    sessions["inspect"] = (), _inspection(packages)
    for command, one in _SINGLE.items():
        sessions[command.replace(" ", "-")] = (), _single_session(command, one, packages)
    if f"{prefix}{_OLD_NAME}" in _requested():
        sessions[_OLD_NAME] = (), _single_session("tokens", _SINGLE["tokens"], packages)
    for command, one in _CHAIN.items():
        sessions[command] = one.requires, _chain_session(command, one, packages, chain)
    sessions["release"] = ("publish",), _whole_chain()
    _protect_names([f"{prefix}{name}" for name in sessions], prefix)
    for name, (requires, session) in sessions.items():
        nox.session(name=f"{prefix}{name}", requires=[f"{prefix}{one}" for one in requires], **_OPTIONS)(session)


def _requested() -> list[str]:
    """The words that may name a session: an old name is not listed, but works."""
    return [*sys.argv, *os.environ.get("NOXSESSION", "").replace(",", " ").split()]


def _protect_names(names: Iterable[str], prefix: str) -> None:
    """Let no session of these names replace another one, which nox would do with a warning.

    Source: nox 2026.10.20, `registry.session_decorator`.
    """
    from nox import registry

    sessions = registry._REGISTRY  # noqa: SLF001 - nox has no other place to notice it
    if not isinstance(sessions, _Registry):
        sessions = registry._REGISTRY = _Registry(sessions)  # noqa: SLF001 - the same
    for name in names:
        if name in sessions:
            _stop(name, prefix, sessions[name])
        sessions.protected[name] = prefix


class _Registry(dict[str, Any]):
    """The sessions by name; those of `protected`, with their prefixes, are not replaced."""

    def __init__(self, sessions: Mapping[str, Any]) -> None:
        super().__init__(sessions)
        self.protected: dict[str, str] = {}

    def __setitem__(self, name: str, session: Any) -> None:
        if name in self and name in self.protected:
            _stop(name, self.protected[name], session)
        super().__setitem__(name, session)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def clear(self) -> None:
        super().clear()
        self.protected.clear()


def _stop(name: str, prefix: str, session: Any) -> NoReturn:
    code = getattr(getattr(session, "func", session), "__code__", None)
    place = f"{Path(code.co_filename).name}, line {code.co_firstlineno}" if code else "the noxfile"
    other = "release-" if prefix != "release-" else "pypi-preflight-"
    sys.stderr.write(
        f"two sessions are named {name!r}: one in {place}, and one from sessions.register() of pypi_preflight\n"
        f'→ give those of pypi_preflight a prefix: sessions.register(prefix="{other}")\n'
    )
    raise SystemExit(2)


def _run(session: nox.Session, one: _Command, packages: list[str], *words: str) -> None:
    """Run the program in the environment of a command."""
    try:
        made = prepare_environment(
            session.cache_dir.parent / one.environment, packages,
            lambda *argv, env: session.run_install(*argv, env=env, external=True, silent=True),
            like=session.cache_dir.parent / _PUBLISHING if one.environment == _PROJECT else None,
        )  # fmt: skip
    except ReleaseError as error:
        session.error(harmless_lines(f"{error.message}: {error.remedy}"))
    if not made.python.exists():
        session.error(f"{made.directory} does not exist: run nox without --no-install")
    hidden: dict[str, None] = {} if one.credentials else _credentials()
    session.run(
        str(made.python), "-P", "-m", "pypi_preflight", *words, env={**made.variables, **hidden}, external=True
    )  # fmt: skip


def _chain_session(command: str, one: _Command, packages: list[str], chain: list[str]) -> Callable[..., None]:
    """A session for a command; `chain` are the commands of this nox run so far, each followed by "… passed"."""

    def session(session: nox.Session) -> None:
        if chain and not chain[-1].endswith(" passed"):
            session.error(f"{chain[-1]} failed, so {command} is not run")
        chain.append(command)
        options = ["--built"] if command == "rehearse" and "build passed" in chain else []
        _run(session, one, packages, command, *options, *_options_for(command, session.posargs))
        chain.append(f"{command} passed")

    session.__doc__ = one.text
    return session


def _whole_chain() -> Callable[..., None]:
    def session(session: nox.Session) -> None:
        session.log("released: the sessions before this one did it")

    session.__doc__ = "The whole chain, as publish: check, build, rehearse, testpypi, publish. Options: -- --yes."
    return session


def _single_session(command: str, one: _Command, packages: list[str]) -> Callable[..., None]:
    """A session that needs no other one."""

    def session(session: nox.Session) -> None:
        _run(session, one, packages, *command.split(), *session.posargs)

    session.__doc__ = one.text
    return session


def _credentials() -> dict[str, None]:
    return {name: None for name in os.environ if is_credential(name)}


def _inspection(packages: list[str]) -> Callable[..., None]:
    """Runs third-party checkers too, from the extra `checks`, in an environment of its own."""
    one = _Command(
        text="Inspect files, with third-party checkers: -- FILE…, or those in dist/.",
        environment="pypi-preflight-inspect", credentials=False,
    )  # fmt: skip

    def session(session: nox.Session) -> None:
        files = session.posargs or sorted(str(path) for path in Path("dist").glob("*") if path.is_file())
        if not files:
            session.skip("dist/ is empty: pass files after --")
        _run(session, one, [*packages[:-1], _with_checks(packages[-1])], "inspect", "--others", *files)

    session.__doc__ = one.text
    return session


def _with_checks(package: str) -> str:
    """The requirement with the extra that contains the checkers."""
    name, equals, version = package.partition("==")
    return f"{name}[checks]{equals}{version}"


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
    origin = parse_foreign_json(installed.read_text("direct_url.json") or "{}")
    url = origin.get("url", "")
    if not url.startswith("file:"):
        return [f"{_DISTRIBUTION}=={installed.version}"]
    path = url2pathname(urlsplit(url).path)
    return ["-e", path] if origin.get("dir_info", {}).get("editable") else [path]
