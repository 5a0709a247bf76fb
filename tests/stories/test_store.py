"""`store`: a token goes into the keyring once it is known to work, and uploads find it there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from release.core.tokens import macaroon
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests.stories.project import Indexes, Told, UserProject, indexes, make, posts, release_table
from tests.stories.terminal import talk

BACKENDS = Path(__file__).parents[1] / "credentials" / "sources" / "backends"
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")

WORLD = SeedData(
    users=(User(name="alice"), User(name="bob", email_verified=False)),
    projects=(
        SeedProject(name="acme-widget", owners=("alice",)),
        SeedProject(name="acme-gadget", owners=("alice",)),
        SeedProject(name="bobs", owners=("bob",)),
    ),
    tokens=(
        ApiToken(name="account", user="alice"),
        ApiToken(name="widget", user="alice", projects=("acme-widget",)),
        ApiToken(name="gadget", user="alice", projects=("acme-gadget",)),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="expired", user="alice", expires=1_700_000_000),
        ApiToken(name="bobs", user="bob"),
    ),
)


@pytest.fixture(scope="module")
def on() -> Iterator[Indexes]:
    with indexes(test=WORLD, real=WORLD) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, on: Indexes) -> UserProject:
    made = make(tmp_path, more=release_table(on), tiny=True)
    with_keyring(made, "KeepingKeyring")
    return made


def with_keyring(project: UserProject, backend: str) -> None:
    file = project.home / "keyring.json"
    file.write_text("[]", encoding="utf-8")
    project.env |= {
        "PYTHONPATH": os.pathsep.join([str(BACKENDS), str(Path(__file__).parents[2])]),
        "PREFLIGHT_KEYRING_FILE": str(file),
        "PYTHON_KEYRING_BACKEND": backend if "." in backend else f"keeping_backends.{backend}",
    }


def kept(project: UserProject) -> Any:
    return json.loads((project.home / "keyring.json").read_text(encoding="utf-8"))


def token(on: Indexes, name: str) -> str:
    value: str = on.pypi.tokens[name].reveal()
    return value


def store(project: UserProject, value: str, *words: str) -> Told:
    return project.run("store", "--index", "pypi", *words, stdin=value)


@pytest.mark.parametrize("name", ["account", "widget"])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_token_that_works_is_kept_where_verify_finds_it(
    project: UserProject, on: Indexes, name: str, ending: str
) -> None:
    told = store(project, token(on, name) + ending, "--json")
    assert told.status == 0, told.all
    assert kept(project) == [[on.pypi.upload_url, "__token__", token(on, name)]]
    assert told.data["origin"]["kind"] == "keyring"
    assert (told.data["verdict"], told.data["shadows"]) == ("healthy", [])
    assert token(on, name) not in told.all
    verified = project.run("verify", "--json").data
    assert (verified["verdict"], verified["credential"]["origin"]["kind"]) == ("healthy", "keyring")


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("revoked", "cred.revoked"),
        ("expired", "cred.expired"),
        ("gadget", "cred.project-scope-mismatch"),
        ("bobs", "account.no-role"),
    ],
)
def test_a_token_that_does_not_work_is_not_kept(project: UserProject, on: Indexes, name: str, cause: str) -> None:
    told = store(project, token(on, name))
    assert told.status == 1
    assert told.err.startswith("not stored: ")
    assert "→ " in told.err
    assert kept(project) == []
    assert token(on, name) not in told.all
    data = store(project, token(on, name), "--json").data
    assert data["cause"] == cause


@pytest.mark.parametrize("spoil", ['"{}"', "{}x y", "pypi-{}", "$PYPI_TOKEN", "hunter2-hunter2", ""])
def test_a_broken_token_is_refused_before_anybody_is_asked(project: UserProject, on: Indexes, spoil: str) -> None:
    before = len(on.pypi.log)
    told = store(project, spoil.format(token(on, "account")) + "\n")
    assert told.status == 1, told.all
    assert kept(project) == []
    assert len(on.pypi.log) == before
    assert "hunter2" not in told.all


def test_a_token_of_another_index_is_shown_to_nobody(project: UserProject, on: Indexes) -> None:
    foreign = macaroon.to_text(macaroon.create_macaroon("pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32))
    before = len(posts(on.pypi))
    told = store(project, foreign, "--json")
    assert (told.status, told.data["cause"], kept(project)) == (1, "cred.wrong-index", [])
    assert len(posts(on.pypi)) == before


def test_nothing_at_all_is_a_usage_error(project: UserProject) -> None:
    told = store(project, "")
    assert told.status == 2
    assert "no token on standard input" in told.err
    assert project.run("store", "--index", "pipy", stdin="x").status == 2


def test_what_stands_before_the_keyring_is_told(project: UserProject, on: Indexes) -> None:
    project.env["TWINE_PASSWORD"] = token(on, "account")
    told = store(project, token(on, "widget"))
    assert told.status == 0
    assert "$TWINE_PASSWORD takes precedence over the keyring" in told.out
    assert "unset TWINE_PASSWORD" in told.out
    del project.env["TWINE_PASSWORD"]
    project.credentials(on)
    told = store(project, token(on, "widget"), "--json")
    assert ["~/.pypirc" in one["message"] for one in told.data["shadows"]] == [True]
    foreign = macaroon.create_macaroon("pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32)
    project.env["TWINE_PASSWORD"] = macaroon.to_text(foreign)
    assert "token of another index" in store(project, token(on, "account")).out


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("keyring.backends.null.Keyring", "its backend is 'null'"),
        ("keyring.backends.fail.Keyring", "its backend is 'fail'"),
        ("Forgetful", "does not return it"),
        ("PlaintextKeyring", "--insecure-backend"),
        ("Chain", "--insecure-backend"),
    ],
)
def test_a_keyring_that_keeps_nothing_or_hides_nothing_is_refused(
    project: UserProject, on: Indexes, backend: str, words: str
) -> None:
    with_keyring(project, backend)
    told = store(project, token(on, "account"))
    assert told.status == 1
    assert words in told.err
    assert kept(project) == []


def test_a_readable_file_is_taken_where_it_is_asked_for(project: UserProject, on: Indexes) -> None:
    with_keyring(project, "PlaintextKeyring")
    assert store(project, token(on, "account"), "--insecure-backend").status == 0
    assert len(kept(project)) == 1


def test_offline_what_can_be_seen_must_do(project: UserProject, on: Indexes) -> None:
    before = len(on.pypi.log)
    assert store(project, token(on, "revoked"), "--offline").status == 0
    assert len(on.pypi.log) == before


@on_posix
def test_on_a_terminal_it_is_typed_without_echo_and_asked_for_again_after_ctrl_v(
    project: UserProject, on: Indexes
) -> None:
    """Observed: in a Windows console Ctrl-V at a hidden prompt types the character 0x16."""
    prompt = "API token for pypi"
    # On a terminal here, Ctrl-V itself quotes the character that follows it.
    screen = talk(project, "store", "--index", "pypi", answers=[(prompt, "\x16\x16"), (prompt, token(on, "account"))])
    assert screen.status == 0, screen.text
    assert "U+0016" in screen.text
    assert "Ctrl-V" in screen.text
    assert "right mouse button" in screen.text
    assert token(on, "account")[20:40] not in screen.text
    assert kept(project) == [[on.pypi.upload_url, "__token__", token(on, "account")]]


@on_posix
def test_diagnose_offers_to_store_a_new_one(project: UserProject, on: Indexes) -> None:
    assert store(project, token(on, "account")).status == 0
    project.run("store", "--index", "testpypi", stdin=on.testpypi.tokens["account"].reveal())
    entries = [one if one[0] != on.pypi.upload_url else [*one[:2], token(on, "revoked")] for one in kept(project)]
    (project.home / "keyring.json").write_text(json.dumps(entries), encoding="utf-8")
    answers = [("Store a new token for pypi now?", "y"), ("API token for pypi", token(on, "widget"))]
    screen = talk(project, "diagnose", answers=answers)
    assert "cred.revoked" in screen.text
    assert "stored, and read back" in screen.text
    assert [on.pypi.upload_url, "__token__", token(on, "widget")] in kept(project)


@on_posix
def test_diagnose_takes_away_an_entry_that_the_file_shadows(project: UserProject, on: Indexes) -> None:
    assert store(project, token(on, "widget")).status == 0
    project.credentials(on)
    screen = talk(project, "diagnose", answers=[("Make this change?", "y")])
    assert "delete the token that is not used from the keyring" in screen.text
    assert kept(project) == []


@on_posix
def test_diagnose_takes_away_a_broken_token_that_shadows_the_keyrings(project: UserProject, on: Indexes) -> None:
    assert store(project, token(on, "account")).status == 0
    tokens = {"testpypi": on.testpypi.tokens["account"].reveal(), "pypi": token(on, "revoked")}
    project.credentials(on, tokens=tokens)
    before = (project.home / ".pypirc").read_text(encoding="utf-8")
    screen = talk(project, "diagnose", answers=[("Make this change?", "y")])
    assert "pypi is now: healthy" in screen.text
    after = (project.home / ".pypirc").read_text(encoding="utf-8")
    assert after == before.replace(f"password = {tokens['pypi']}\n", "")


def test_a_keyring_that_never_answers_costs_ten_seconds_for_all_indexes_together(project: UserProject) -> None:
    with_keyring(project, "Mute")
    told = project.run("diagnose", "--offline", "--json")
    assert [one["cause"] for one in told.data["indexes"]] == ["keyring.hang", "keyring.hang"]
    assert all("within 10 s" in one["message"] for one in told.data["indexes"])
    begun = [float(line) for line in (project.home / "asked").read_text().splitlines()]
    assert max(begun) - min(begun) < 10, "each is asked before the time of another is over"
