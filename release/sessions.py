"""The nox sessions: where each verb runs, and what its environment may see.

A project's own `noxfile.py` is two lines:

    from release.sessions import register
    register()

Each session has an environment of its own, with this package in it and nothing of the project's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from release.core.models.credential_variables import CREDENTIAL_VARIABLES

if TYPE_CHECKING:
    import nox

_DISTRIBUTION = "pypi-preflight"
_NEW = "--new-project"

#: verb → (what `nox -l` says, the verb that must have passed, whether it may see credentials)
_VERBS = {
    "check": ("Run the checklist: the source, and the way to each index.", None, True),
    "build": ("Build sdist and wheel from a clean clone of the commit.", "check", False),
    "rehearse": ("Rehearse the release on an embedded index.", None, False),
    "testpypi": ("Upload to TestPyPI, install from there and try it.", "rehearse", True),
    "publish": ("Release: everything above, then PyPI. Without a terminal: -- --yes.", "testpypi", True),
}


def register(prefix: str = "", *, package: str | None = None) -> None:
    """Register the verbs of a release with nox, as a chain; and `inspect` and `token-health` beside them.

    `prefix` comes before each name ("release-" makes "release-publish"). `package` is what is
    installed into each session, as pip would take it; by default the very release of this package
    that the noxfile imports. The sessions run only when asked for.
    """
    import nox

    wanted = [package] if package else _ourselves()
    nox.session(
        name=f"{prefix}inspect", default=False, venv_backend="uv|virtualenv", reuse_venv=True, download_python="never"
    )(_inspection(wanted))
    nox.session(
        name=f"{prefix}token-health", default=False, venv_backend="uv|virtualenv", reuse_venv=True,
        download_python="never",
    )(_token_health(wanted))  # fmt: skip
    chain: list[str] = []
    for verb, (text, needed, trusted) in _VERBS.items():
        nox.session(
            name=f"{prefix}{verb}",
            requires=_requires(prefix, verb, needed),
            default=False,
            venv_backend="uv|virtualenv",
            reuse_venv=True,
            download_python="never",
        )(_session(verb, text, wanted, chain, trusted=trusted))


def _requires(prefix: str, verb: str, needed: str | None) -> list[str]:
    """What must have passed. A rehearsal alone needs nothing, but a dry run needs a rehearsal of the build."""
    before = ["build", "rehearse"] if verb == "testpypi" else [needed] if needed else []
    return [f"{prefix}{name}" for name in before]


def _session(verb: str, text: str, package: list[str], chain: list[str], *, trusted: bool) -> Callable[..., None]:
    def session(session: nox.Session) -> None:
        if _broken(chain):
            session.error(f"{chain[-1]} did not pass, so {verb} is not run")
        chain.append(verb)
        session.install(*package)
        options = ["--built"] if verb == "rehearse" and "build passed" in chain else []
        env = {} if trusted else {name: None for name in os.environ if CREDENTIAL_VARIABLES.match(name)}
        session.run("python", "-m", "release", verb, *options, *_asked(verb, session.posargs), env=env)
        chain.append(f"{verb} passed")

    session.__doc__ = text
    return session


def _inspection(package: list[str]) -> Callable[..., None]:
    """Other people's checkers, in an environment of their own."""

    def session(session: nox.Session) -> None:
        files = session.posargs or sorted(str(path) for path in Path("dist").glob("*") if path.is_file())
        if not files:
            session.skip("dist/ has no files: name some after --")
        session.install(*package[:-1], _with_checks(package[-1]))
        env = {name: None for name in os.environ if CREDENTIAL_VARIABLES.match(name)}
        session.run("python", "-m", "release", "inspect", "--others", *files, env=env)

    session.__doc__ = "Look into files with other people's checkers too: -- FILE…, or those in dist/."
    return session


def _token_health(package: list[str]) -> Callable[..., None]:
    """Nox turns every exit status but 0 into 1; whoever needs them told apart calls the program."""

    def session(session: nox.Session) -> None:
        session.install(*package)
        session.run("python", "-m", "release", "tokens", *session.posargs)

    session.__doc__ = "Say how every token is; any exit status but 0 becomes 1: a schedule calls the program instead."
    return session


def _with_checks(package: str) -> str:
    """The package, as pip would take it, with the extra that brings the checkers."""
    name, equals, version = package.partition("==")
    return f"{name}[checks]{equals}{version}"


def _broken(chain: list[str]) -> bool:
    """Whether a verb of this nox run was begun and did not pass."""
    return bool(chain) and not chain[-1].endswith(" passed")


def _asked(verb: str, words: list[str]) -> list[str]:
    """The user's words after `--`, as far as this verb takes them: `--yes` and `--new-project` are for what asks."""
    asked = [word for word in words if word != "--yes" or verb in {"testpypi", "publish"}]
    if verb == "publish" or _NEW not in asked:
        return asked
    at = asked.index(_NEW)
    return asked[:at] + asked[at + 2 :]


def _ourselves() -> list[str]:
    """This very package, as pip would take it: where it was installed from, or its release.

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
