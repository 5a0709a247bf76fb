"""States of a machine, and the verdict on the credential that an upload from it would use, without asking an index.

`states.jsonl` has a state in each line: `env`, `pypirc`, `files` (by path from the home directory; the project is in
`project/`) and `keyring` ([service, username, password]), in which ⟦T0⟧ stands for `tokens.T0`, a recipe. No token is
in the file: each is made when the test runs. `why` gives the reason where the verdict could be argued about.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.system import System, real_system
from release.core.facts import ProjectMetadata
from release.core.models.index import PYPI, RETIRED_HOSTS, TESTPYPI, host_of
from release.core.models.results import Verification
from release.core.tokens import macaroon
from release.credentials.verify import verify_credential
from release.reports.credential_text import verification_to_text
from tests import fake_tokens
from tests.credentials.sources.test_keyring import BACKENDS

NOW = 1_800_000_000
STATES = [
    json.loads(line) for line in Path(__file__).with_name("states.jsonl").read_text(encoding="utf-8").splitlines()
]
INDEXES = {"pypi": PYPI, "testpypi": TESTPYPI}
_HOSTS = {
    "{upload-host}": host_of(PYPI.upload_url),
    "{pypi-host}": host_of(PYPI.simple_url),
    "{testpypi-host}": host_of(TESTPYPI.upload_url),
    "{retired-host}": next(host for host, index in RETIRED_HOSTS.items() if index == PYPI),
}


def user_id(number: int) -> str:
    return f"{number:08}-1111-4222-8333-444455556666"


#: keys of other services, in their published forms
FOREIGN: Mapping[str, Callable[[], str]] = {
    "ghp": lambda: fake_tokens.checksummed_token("ghp_"),
    "openai": lambda: "sk-proj-" + fake_tokens.random_text(48),
    "anthropic": lambda: "sk-ant-api03-" + fake_tokens.random_text(95),
    "crates": lambda: "cio" + fake_tokens.random_text(32),
    "digitalocean": lambda: "dop_v1_" + fake_tokens.random_text(64, "0123456789abcdef"),
    "npm": lambda: fake_tokens.checksummed_token("npm_"),
}

_CHANGES: Mapping[str, Callable[..., str]] = {
    "behead": lambda text, count: text[count:],
    "cut": lambda text, count: text[:-count],
    "fmt": lambda text, form: form.replace("{}", text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "wrap": lambda text, width, line_break: line_break.join(re.findall(f".{{1,{width}}}", text)),
}


def mint(recipe: dict[str, Any]) -> str:
    """A token of the user `mint`, for the index `at`, for `scope.projects`, with `extra` caveats.

    `spaced`: its user's caveat has a space, as some tools write JSON.
    """
    index, user = INDEXES[recipe.get("at", "pypi")], _caveat({"$user": recipe["mint"]})
    user = user.replace(b",", b", ") if recipe.get("spaced") else user
    return macaroon.to_text(
        macaroon.create_macaroon(
            index.token_location, str(uuid.uuid4()).encode(), os.urandom(32), user, *limits(recipe)
        )
    )


def limits(recipe: dict[str, Any]) -> list[bytes]:
    """The caveats of a recipe after that of its user."""
    projects = recipe.get("scope", {}).get("projects")
    return list(map(_caveat, [*([[1, projects]] if projects else ()), *recipe.get("extra", ())]))


def _caveat(form: Any) -> bytes:
    match form:
        case {"$user": number}:
            form = [3, user_id(number)]
        case {"$project_id": _}:
            form = [2, [str(uuid.uuid4())]]
        case {"$window": [expires, not_before]}:
            form = [0, NOW + expires, NOW + not_before]
        case {"$raw": text}:
            return str(text).encode()
        case _:
            pass
    return json.dumps(form, separators=(",", ":")).encode()


_BASES: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "mint": mint,
    "foreign": lambda recipe: FOREIGN[recipe["foreign"]](),
    "uuid": lambda recipe: user_id(recipe["uuid"]),
    "text": lambda recipe: str(recipe["text"]),
}


def make_token(recipe: dict[str, Any]) -> str:
    return damaged(next(make(recipe) for name, make in _BASES.items() if name in recipe), recipe)


def damaged(text: str, recipe: dict[str, Any]) -> str:
    """A token after the changes of a recipe."""
    for name, *arguments in recipe.get("changes", ()):
        text = _CHANGES[name](text, *arguments)
    return text


def prepare(state: dict[str, Any], home: Path) -> System:
    """The machine of a state, with its home directory."""
    values = {f"⟦{name}⟧": make_token(recipe) for name, recipe in state.get("tokens", {}).items()} | _HOSTS
    values["{home}"] = str(home)

    def fill(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    env = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
    env |= {name: fill(value) for name, value in state.get("env", {}).items()}
    # On Linux the library need not be loaded to know that there is no keyring.
    none = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    env |= none if sys.platform == "linux" else {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    if entries := state.get("keyring"):
        (home / "keyring.json").write_text(json.dumps([[*map(fill, one)] for one in entries]), encoding="utf-8")
        env |= {
            "PYTHONPATH": str(BACKENDS),
            "PREFLIGHT_KEYRING_FILE": str(home / "keyring.json"),
            "PYTHON_KEYRING_BACKEND": "preflight_backends.FileKeyring",
        }
    if "pypirc" in state:
        (home / ".pypirc").write_text(fill(state["pypirc"]), encoding="utf-8")
        (home / ".pypirc").chmod(0o600)
    for name, text in state.get("files", {}).items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(fill(text), encoding="utf-8")
    now = datetime.fromtimestamp(NOW, UTC)
    return replace(real_system(), env=env, home=home, now=lambda: now)


def verify_state(state: dict[str, Any], home: Path) -> Verification:
    project = ProjectMetadata(name=state.get("project", "acme-widget"), version="1.0")
    return verify_credential(
        prepare(state, home), INDEXES[state.get("index", "pypi")], project, offline=True, directory=home / "project"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="names of variables are in capitals there")
@pytest.mark.parametrize("state", STATES, ids=[state["id"] for state in STATES])
def test_the_verdict_names_the_cause(state: dict[str, Any], tmp_path: Path) -> None:
    found = verify_state(state, tmp_path)
    verdict = found.verdict
    assert (verdict.word, verdict.cause) == (state["verdict"], state["cause"]), verdict.message
    # No part of a token is shown: neither by its beginning nor by what a line break would cut off.
    shown = f"{found.outcomes} {found.access} {list(verification_to_text(found))}"
    assert not re.search(r"AgE[A-Za-z0-9_-]{12}", shown)
