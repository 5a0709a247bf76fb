"""Every kind of remedy for a credential, pasted into a shell: the next verdict is better, or names the next cause."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters import project_config
from release.adapters.system.system import real_system
from release.checks.all_checks import check_names
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Verdict
from release.core.tokens import macaroon
from release.credentials.verify import verify_credential
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests.credentials.sources.test_keyring_writing import BACKENDS
from tests.stories.project import Indexes, UserProject, indexes, make, release_table
from tests.stories.terminal import _controlling, _read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the remedies are pasted into a POSIX shell")

WORLD = SeedData(
    users=(User(name="alice"), User(name="bob")),
    projects=(SeedProject(name="acme-widget", owners=("alice",)), SeedProject(name="acme-gadget", owners=("alice",))),
    tokens=(
        ApiToken(name="account", user="alice"),
        ApiToken(name="other", user="alice"),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="gadget", user="alice", projects=("acme-gadget",)),
    ),
)
_WORDS = ("healthy", "warning", "unknown", "broken")


@pytest.fixture(scope="module")
def on() -> Iterator[Indexes]:
    with indexes(test=WORLD, real=WORLD) as running:
        yield running


@dataclass(kw_only=True)
class Machine:
    """A user's machine: a project, a home directory, a keyring, and a shell with variables."""

    project: UserProject
    on: Indexes
    env: dict[str, str] = field(default_factory=dict)

    def token(self, name: str = "account") -> str:
        value: str = self.on.pypi.tokens[name].reveal()
        return value

    def foreign(self) -> str:
        made = macaroon.create_macaroon("test.pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32)
        return macaroon.to_text(made)

    def pypirc(self, *lines: str, name: str = ".pypirc", mode: int = 0o600, start: str = "") -> None:
        path = self.project.home / name
        path.write_text(start + "\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(mode)

    def section(self, password: str, *, url: str | None = None, username: str = "__token__") -> tuple[str, ...]:
        url = self.on.pypi.upload_url if url is None else url
        return "[pypi]", f"repository = {url}", f"username = {username}", f"password = {password}"

    def keyring(self, *entries: tuple[str, str, str]) -> None:
        (self.project.home / "keyring.json").write_text(json.dumps(entries), encoding="utf-8")

    def environment(self) -> dict[str, str]:
        keyring = {
            "PYTHON_KEYRING_BACKEND": "keeping_backends.KeepingKeyring",
            "PREFLIGHT_KEYRING_FILE": str(self.project.home / "keyring.json"),
            "PYTHONPATH": f"{BACKENDS}{os.pathsep}{Path(__file__).parents[2]}",
            "PATH": f"{self.project.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "TERM": "dumb",
        }
        return self.project.environment() | keyring | self.env

    def verdict(self) -> Verdict:
        env = self.environment()
        config = project_config.load_config(self.project.root, None, check_names=check_names)
        return verify_credential(
            replace(real_system(), env=env, home=self.project.home), config.index("pypi"),
            ProjectMetadata(name="acme-widget", version=""), directory=self.project.root,
        ).verdict  # fmt: skip

    def paste(self, command: str, token: str) -> str:
        """Run a command as the user would: prompts are answered with yes and with the token."""
        import pty

        after = self.project.home / "variables"
        script = f"{command}\nstatus=$?\nenv -0 > {shlex.quote(str(after))}\nexit $status"
        ours, theirs = pty.openpty()  # type: ignore[attr-defined,unused-ignore]
        running = subprocess.Popen(
            ["bash", "-c", script], cwd=self.project.root, env=self.environment(), stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True, preexec_fn=_controlling,  # noqa: PLW1509 - as in `talk`
        )  # fmt: skip
        os.close(theirs)
        if command.startswith("read "):
            os.write(ours, token.encode() + b"\n")
        seen, fresh, deadline = "", "", time.monotonic() + 240
        while time.monotonic() < deadline and (data := _read(ours)) is not None:
            seen, fresh = seen + data, fresh + data
            prompt = fresh.rstrip()
            if prompt.endswith(("[y/N]", "hidden):")):
                answer = "n" if "for testpypi now?" in prompt else "y" if prompt.endswith("[y/N]") else token
                os.write(ours, answer.encode() + b"\n")
                fresh = ""
        os.close(ours)
        # `diagnose` reports what was wrong before its repairs
        assert running.wait(60) == 0 or command.endswith("pypi-preflight diagnose"), seen
        variables = dict(one.partition("=")[::2] for one in after.read_text(encoding="utf-8").split("\0") if one)
        names = {*self.env, *(name for name in variables if name.startswith("TWINE_"))}
        self.env = {name: variables[name] for name in names if name in variables}
        return seen


@pytest.fixture
def machine(tmp_path: Path, on: Indexes) -> Machine:
    found = Machine(project=make(tmp_path, more=release_table(on), tiny=True), on=on)
    found.keyring()
    tools = found.project.home / "bin"
    tools.mkdir()
    for name, words in {"python": "", "pypi-preflight": "-m release"}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n', encoding="utf-8")
        (tools / name).chmod(0o755)
    return found


def in_variable(spoil: Callable[[Machine], str]) -> Callable[[Machine], None]:
    return lambda machine: machine.env.update(TWINE_PASSWORD=spoil(machine))


def in_pypirc(spoil: Callable[[Machine], str]) -> Callable[[Machine], None]:
    return lambda machine: machine.pypirc(*machine.section(spoil(machine)))


def in_keyring(spoil: Callable[[Machine], str]) -> Callable[[Machine], None]:
    return lambda machine: machine.keyring((machine.on.pypi.upload_url, "__token__", spoil(machine)))


def both(*parts: Callable[[Machine], None]) -> Callable[[Machine], None]:
    def prepare(machine: Machine) -> None:
        for part in parts:
            part(machine)

    return prepare


def variables(**values: str) -> Callable[[Machine], None]:
    return lambda machine: machine.env.update(values)


def good(machine: Machine) -> str:
    return machine.token("other")


def truncated(machine: Machine) -> str:
    return machine.token()[:-9]


def quoted(machine: Machine) -> str:
    return f'"{machine.token()}"'


#: what is wrong, and the verdicts after the remedy of each verdict was pasted
CASES: dict[str, tuple[Callable[[Machine], None], list[str]]] = {
    "nothing": (lambda _machine: None, ["cred.missing", "healthy"]),
    "no keyring": (
        variables(PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring"), ["cred.missing", "healthy"],
    ),
    "keyring locked": (
        variables(PYTHON_KEYRING_BACKEND="keeping_backends.LockedToRead"), ["keyring.hang", "keyring.hang", "healthy"],
    ),
    "variable truncated": (in_variable(truncated), ["cred.truncated", "healthy"]),
    "variable revoked": (in_variable(lambda one: one.token("revoked")), ["cred.revoked", "healthy"]),
    "variable of another project": (
        in_variable(lambda one: one.token("gadget")), ["cred.project-scope-mismatch", "healthy"],
    ),
    "variable of another index": (in_variable(Machine.foreign), ["cred.wrong-index", "healthy"]),
    "variable empty": (in_variable(lambda _one: ""), ["cred.env-empty", "healthy"]),
    "variable empty before a file": (
        both(in_variable(lambda _one: ""), in_pypirc(good)), ["cred.env-empty", "healthy"],
    ),
    "variable broken before a broken file": (
        both(in_variable(truncated), in_pypirc(lambda one: one.token("revoked"))),
        ["cred.truncated", "cred.revoked", "healthy"],
    ),
    "username": (
        both(variables(TWINE_USERNAME="alice"), in_variable(good)), ["cred.username-not-token", "healthy"],
    ),
    "username and password": (
        both(variables(TWINE_USERNAME="alice"), in_variable(lambda _one: "hunter2-hunter2")),
        ["cred.account-password", "healthy"],
    ),
    "username before the keyring": (
        both(variables(TWINE_USERNAME="alice"), in_keyring(good)), ["cred.username-not-token", "healthy"],
    ),
    "variable that no tool reads": (
        lambda machine: machine.env.update(PYPI_TOKEN=good(machine)), ["src.wrong-env-name", "healthy"],
    ),
    "variable before the keyring": (both(in_variable(good), in_keyring(Machine.token)), ["src.env-shadows", "healthy"]),
    "variable before a file": (both(in_variable(good), in_pypirc(Machine.token)), ["src.env-shadows", "healthy"]),
    "file truncated": (in_pypirc(truncated), ["cred.truncated", "healthy"]),
    "file in quotes": (in_pypirc(quoted), ["cred.quotes", "healthy"]),
    "file revoked": (in_pypirc(lambda one: one.token("revoked")), ["cred.revoked", "healthy"]),
    "file empty": (in_pypirc(lambda _one: ""), ["cred.env-empty", "healthy"]),
    "file with a token of another index": (
        in_pypirc(Machine.foreign), ["cred.wrong-index", "healthy"],
    ),
    "file with an account": (
        lambda one: one.pypirc(*one.section(good(one), username="alice")), ["cred.username-not-token", "healthy"],
    ),
    "file readable": (lambda one: one.pypirc(*one.section(good(one)), mode=0o644), ["pypirc.perms", "healthy"]),
    "file misplaced": (
        lambda one: one.pypirc(*one.section(good(one)), name=".pypirc.txt", mode=0o644),
        ["pypirc.not-found", "healthy"],
    ),
    "file with an unlisted section": (
        lambda one: one.pypirc("[distutils]", "index-servers = testpypi", *one.section(good(one))),
        ["pypirc.section-unlisted", "healthy"],
    ),
    "file with an address without slash": (
        lambda one: one.pypirc(*one.section(good(one), url=one.on.pypi.upload_url.rstrip("/"))),
        ["url.no-trailing-slash", "healthy"],
    ),
    "file with a byte order mark": (
        lambda one: one.pypirc(*one.section(good(one)), start="\ufeff"), ["pypirc.malformed", "healthy"],
    ),
    "keyring revoked": (in_keyring(lambda one: one.token("revoked")), ["cred.revoked", "healthy"]),
    "keyring truncated": (in_keyring(truncated), ["cred.truncated", "healthy"]),
    "keyring under the site's address": (
        lambda one: one.keyring((one.on.pypi.upload_url.rstrip("/"), "__token__", good(one))),
        ["keyring.service-mismatch", "healthy"],
    ),
    "keyring under an account": (
        lambda one: one.keyring((one.on.pypi.upload_url, "alice", good(one))), ["cred.username-not-token", "healthy"],
    ),
}  # fmt: skip


#: the others take a minute, and differ in what the tests of the remedies' text show
_QUICK = {
    "nothing", "no keyring", "variable truncated", "username and password", "variable that no tool reads",
    "file in quotes", "file revoked", "file misplaced", "keyring under the site's address",
}  # fmt: skip


@pytest.mark.parametrize("name", [one if one in _QUICK else pytest.param(one, marks=pytest.mark.slow) for one in CASES])
def test_the_pasted_remedy_leads_to_the_next_verdict(machine: Machine, name: str) -> None:
    prepare, expected = CASES[name]
    prepare(machine)
    before = machine.verdict()
    assert (before.cause or before.word) == expected[0], before
    for cause in expected[1:]:
        assert "…" not in before.remedy
        assert not re.search(r"[;:] |\.$", before.remedy), before.remedy
        seen = machine.paste(before.remedy, machine.token())
        after = machine.verdict()
        assert (after.cause or after.word) == cause, (before.remedy, after, seen)
        assert _WORDS.index(after.word) <= _WORDS.index(before.word)
        assert (after.word, after.cause, after.message) != (before.word, before.cause, before.message)
        before = after
