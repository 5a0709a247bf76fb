"""The remedy of every state and of every damage in every source leads to a better verdict, or to the next cause.

What a shell does by itself (variables, files) is done by a real one; commands of this program are carried out here, as
the user would who answers each prompt with yes and with a good token.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.system import System, real_system
from release.checks import credential_remedies
from release.core.facts import ProjectMetadata
from release.core.models.credential import Resolution
from release.core.models.index import PYPI, Index
from release.core.models.results import Verification
from release.core.secret import Secret
from release.credentials import repairs
from release.credentials.sources import pypirc
from release.credentials.sources.base import StorageQuery
from release.credentials.sources.keyring import project_entry, upload_entry
from release.credentials.verify import verify_credential
from tests.core.tokens.test_token import text as minted
from tests.credentials.sources.answering_keyring import answering_keyring
from tests.credentials.sources.test_keyring import BACKENDS
from tests.credentials.test_states import INDEXES, NOW, STATES, prepare

__all__ = ["answering_keyring"]

pytestmark = [
    pytest.mark.skipif(
        sys.platform == "win32" or shutil.which("bash") is None, reason="the remedies are pasted into bash"
    ),
    pytest.mark.usefixtures("answering_keyring"),
]

_WORDS = ("healthy", "warning", "unknown", "broken")
#: how a remedy begins that is a command; all others say what to edit or to click
_COMMANDS = (
    "unset ", "export ", "read -rs ", "mv ", "chmod ", "python -m keyring del", "pypi-preflight store",
    "pypi-preflight diagnose", "pypi-preflight rotate",
)  # fmt: skip
_OF_THE_SHELL = {"HOME", "PWD", "OLDPWD", "SHLVL", "_"}
#: the program's own commands are written down, not run
_SHELL = """note() { printf "%s\\0" "$@" >> calls; printf "\\n" >> calls; }
python() { note "$@"; }
pypi-preflight() { note pypi-preflight "$@"; }
"""


@dataclass(kw_only=True)
class Desk:
    """A machine, the index that is asked about, and a good token for it."""

    system: System
    index: Index
    project: str
    good: str

    def verify(self) -> Verification:
        project = ProjectMetadata(name=self.project, version="1.0")
        return verify_credential(self.system, self.index, project, offline=True, directory=self.system.home / "project")

    def paste(self, command: str, found: Verification) -> None:
        calls, after = self.system.home / "calls", self.system.home / "after"
        calls.write_text("", encoding="utf-8")
        done = subprocess.run(
            ["bash", "-c", f"{_SHELL}{command}\nenv -0 > after"], cwd=self.system.home, input=f"{self.good}\n",
            capture_output=True, text=True, check=False, env={**self.system.env, "HOME": str(self.system.home)},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        env = dict(one.partition("=")[::2] for one in after.read_text(encoding="utf-8").split("\0") if one)
        self.system = replace(
            self.system, env={key: env[key] for key in env if key not in {"HOME", "PWD", "SHLVL", "_"}}
        )
        for line in calls.read_text(encoding="utf-8").splitlines():
            self._run(line.split("\0")[:-1], found)

    def _run(self, words: list[str], found: Verification) -> None:
        match words:
            case ["pypi-preflight", "store", "--index", _, *rest]:
                self._store(rest[1] if rest else None)
            case ["pypi-preflight", "diagnose"]:
                self._diagnose()
            case ["-m", "keyring", "del", service, username]:
                self._keep([one for one in self._entries() if one[:2] != [service, username]])
            case ["pypi-preflight", "rotate", *_]:
                self._replace(found)
            case _:
                raise AssertionError(f"not a command that a remedy may name: {words}")

    def _diagnose(self) -> None:
        offered: set[tuple[str, str]] = set()
        while True:
            found = self.verify()
            proposals = repairs.propose_repairs(self.system, found.access, found.verdict.causes)
            one = next((one for one in proposals if (one.cause, one.title) not in offered), None)
            if one is None:
                break
            offered.add((one.cause, one.title))
            one.apply()
        if credential_remedies.is_fixed_by_new_token(found.verdict.cause):
            self._replace(found)

    def _replace(self, found: Verification) -> None:
        line = repairs.line_to_replace(found.access)
        if line is None:
            self._store(None)
        else:
            query = StorageQuery(
                system=self.system, index=self.index, resolved=Resolution(credential=None), directory=self.system.home
            )
            pypirc.replace(line, Secret(self.good), query)

    def _store(self, project: str | None) -> None:
        entry = project_entry(self.index, project) if project else upload_entry(self.index)
        others = [one for one in self._entries() if one[:2] != [entry.service, entry.username]]
        self._keep([*others, [entry.service, entry.username, self.good]])

    def _file(self) -> Path:
        return Path(self.system.env.get("PREFLIGHT_KEYRING_FILE") or self.system.home / "keyring.json")

    def _entries(self) -> list[list[str]]:
        found: list[list[str]] = json.loads(self._file().read_text(encoding="utf-8"))
        return found

    def _keep(self, entries: list[list[str]]) -> None:
        assert "PREFLIGHT_KEYRING_FILE" in self.system.env, "there is no keyring to store a token in"
        self._file().write_text(json.dumps(entries), encoding="utf-8")


def follow(desk: Desk, most: int = 4) -> list[str]:
    """Paste the remedies of one verdict after the other; the causes on the way."""
    found, path = desk.verify(), []
    for _ in range(most):
        verdict = found.verdict
        path.append(verdict.cause or verdict.word)
        if verdict.word == "healthy" or not verdict.remedy.startswith(_COMMANDS):
            return path
        assert "…" not in verdict.remedy
        desk.paste(verdict.remedy, found)
        after = desk.verify()
        assert _WORDS.index(after.verdict.word) <= _WORDS.index(verdict.word), (verdict, after.verdict)
        same = (after.verdict.word, after.verdict.cause, after.verdict.message)
        assert same != (verdict.word, verdict.cause, verdict.message), verdict
        found = after
    return path


def keyring_of(home: Path, *entries: list[str]) -> dict[str, str]:
    (home / "keyring.json").write_text(json.dumps(entries), encoding="utf-8")
    return {
        "PYTHONPATH": str(BACKENDS),
        "PREFLIGHT_KEYRING_FILE": str(home / "keyring.json"),
        "PYTHON_KEYRING_BACKEND": "preflight_backends.FileKeyring",
    }


def states() -> Iterator[Any]:
    """Those outside of CI; in the quick run, one for each cause."""
    seen: set[str] = set()
    for one in STATES:
        if one["cause"] is not None and not {"CI", "GITHUB_ACTIONS", "GITLAB_CI"} & {*one.get("env", {})}:
            marks = [pytest.mark.slow] if one["cause"] in seen else []
            seen.add(one["cause"])
            yield pytest.param(one, id=one["id"], marks=marks)


@pytest.mark.parametrize("state", list(states()))
def test_the_remedy_of_every_state_helps(state: dict[str, Any], tmp_path: Path) -> None:
    system, index = prepare(state, tmp_path), INDEXES[state.get("index", "pypi")]
    if "keyring" not in state:
        system = replace(system, env={**system.env, **keyring_of(tmp_path)})
    (tmp_path / "project").mkdir(exist_ok=True)
    good = minted(index.token_location, b'[3,"00000001-1111-4222-8333-444455556666"]')
    follow(Desk(system=system, index=index, project=state.get("project", "acme-widget"), good=good))


# -- every damage in every source -------------------------------------------------------------------

_USER = b'[3,"00000001-1111-4222-8333-444455556666"]'


def whole(*caveats: bytes, location: str = PYPI.token_location) -> str:
    return minted(location, _USER, *caveats)


DAMAGES: Mapping[str, Callable[[], str]] = {
    "empty": lambda: "",
    "blank": lambda: " ",
    "one cut": lambda: whole()[:-1],
    "half": lambda: whole()[:80],
    "head cut": lambda: whole()[20:],
    "prefix cut": lambda: whole().removeprefix("pypi-"),
    "prefix doubled": lambda: f"pypi-{whole()}",
    "prefix in capitals": lambda: "PYPI-" + whole().removeprefix("pypi-"),
    "twice": lambda: whole() * 2,
    "same twice": lambda: (one := whole()) + one,
    "quotes": lambda: f'"{whole()}"',
    "brackets": lambda: f"[{whole()}]",
    "angles": lambda: f"<{whole()}>",
    "blank before": lambda: f" {whole()}",
    "blank inside": lambda: (one := whole())[:50] + " " + one[50:],
    "comment": lambda: f"{whole()} # laptop",
    "assignment": lambda: f"TWINE_PASSWORD={whole()}",
    "percent": lambda: whole().replace("-", "%2D"),
    "no-break space": lambda: f"{whole()}\u00a0",
    "zero-width space": lambda: f"\u200b{whole()}",
    "dash": lambda: whole().replace("pypi-", "pypi\u2013"),
    "lower case": lambda: whole().lower(),
    "changed": lambda: (one := whole())[:30] + ("A" if one[30] != "A" else "B") + one[31:],
    "point": lambda: f"{whole()}.",
    "four more": lambda: f"{whole()}Abcd",
    "masked": lambda: whole()[:20] + "*" * 20,
    "variable": lambda: "$PYPI_TOKEN",
    "password": lambda: "hunter2-hunter2",
    "control character": lambda: "\x16",
    "other index": lambda: whole(location="test.pypi.org"),
    "other project": lambda: whole(b'[1,["other"]]'),
    "two projects": lambda: whole(b'[1,["acme-widget"]]', b'[1,["other"]]'),
    "expired": lambda: whole(b"[0,1700000000,0]"),
    "expires soon": lambda: whole(b"[0,%d,0]" % (NOW + 86_400)),
    "unknown caveat": lambda: whole(b"[99]"),
}


def in_variable(home: Path, value: str) -> dict[str, str]:
    return {**keyring_of(home), "TWINE_PASSWORD": value}


def in_file(home: Path, value: str) -> dict[str, str]:
    (home / ".pypirc").write_text(f"[pypi]\nusername = __token__\npassword = {value}\n", encoding="utf-8")
    (home / ".pypirc").chmod(0o600)
    return keyring_of(home)


def in_keyring(home: Path, value: str) -> dict[str, str]:
    return keyring_of(home, [PYPI.upload_url, "__token__", value])


def in_variable_without_keyring(home: Path, value: str) -> dict[str, str]:
    del home
    return {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "TWINE_PASSWORD": value}


SOURCES = [in_variable, in_file, in_keyring, in_variable_without_keyring]


def pairs() -> Iterator[Any]:
    """Each damage in each source; in the quick run, each in one source."""
    for number, damage in enumerate(DAMAGES):
        for at, source in enumerate(SOURCES):
            marks = [pytest.mark.slow] if number % len(SOURCES) != at else []
            yield pytest.param(damage, source, id=f"{damage}-{source.__name__}", marks=marks)


@pytest.mark.parametrize(("damage", "source"), list(pairs()))
def test_the_remedy_of_every_damage_in_every_source_makes_it_healthy(
    tmp_path: Path, damage: str, source: Callable[[Path, str], dict[str, str]]
) -> None:
    env = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    env |= source(tmp_path, DAMAGES[damage]())
    now = datetime.fromtimestamp(NOW, UTC)
    system = replace(real_system(), env=env, home=tmp_path, now=lambda: now)
    desk = Desk(system=system, index=PYPI, project="acme-widget", good=whole())
    assert follow(desk)[-1] == "healthy"
