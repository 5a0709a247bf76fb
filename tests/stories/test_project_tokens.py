"""A token for each project: `store --project`, and the uploads, checks and rotations that use it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from release.cli.credential_prompts import CredentialSession
from release.cli.main import main
from release.core.models.check_result import blocking_problem
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests import sample_distributions
from tests.stories.project import Indexes, Told, UserProject, indexes, make, posts, release_table
from tests.stories.terminal import talk
from tests.stories.test_store import kept, with_keyring
from tests.token_health.fleet_in_sandbox import as_toml

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")

#: each project has its user, so that the index's log shows whose token an upload came with
WORLD = SeedData(
    users=(User(name="alice"), User(name="bob"), User(name="carol")),
    projects=(
        SeedProject(name="acme-widget", owners=("alice", "carol")),
        SeedProject(name="acme-gadget", owners=("bob", "carol")),
    ),
    tokens=(
        ApiToken(name="widget", user="alice", projects=("acme-widget",)),
        ApiToken(name="widget-2", user="alice", projects=("acme-widget",)),
        ApiToken(name="gadget", user="bob", projects=("acme-gadget",)),
        ApiToken(name="account", user="carol"),
        ApiToken(name="revoked", user="alice", projects=("acme-widget",), revoked=True),
    ),
)


@pytest.fixture
def on() -> Iterator[Indexes]:
    with indexes(test=WORLD, real=WORLD) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, on: Indexes) -> UserProject:
    made = make(tmp_path, more=release_table(on), tiny=True)
    with_keyring(made, "KeepingKeyring")
    made.env["PYPI_PREFLIGHT_STATE"] = str(tmp_path / "state")
    return made


def run(project: UserProject, *words: str, stdin: str = "") -> Told:
    """The program in this process, which is faster."""
    out, err, argv = io.StringIO(), io.StringIO(), [words[0], "--directory", str(project.directory), *words[1:]]
    with (
        mock.patch.dict(os.environ, project.environment(), clear=True), mock.patch("sys.stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
    ):  # fmt: skip
        status = main(argv)
    return Told(status=status, out=out.getvalue(), err=err.getvalue())


def token(on: Indexes, name: str) -> str:
    return str(on.pypi.tokens[name].reveal())


def store(project: UserProject, on: Indexes, name: str, *words: str) -> Told:
    return run(project, "store", "--index", "pypi", *words, stdin=token(on, name))


def users(project: UserProject) -> dict[str, str]:
    """The user names of the entries, and the tokens in them."""
    return {user: password for _, user, password in kept(project)}


def test_two_projects_upload_with_their_own_tokens(tmp_path: Path, on: Indexes, project: UserProject) -> None:
    """The account's token could upload both, but each project's own, which is limited to it, is used."""
    assert store(project, on, "account").status == 0
    for name, title in (("widget", "acme-widget"), ("gadget", "Acme_Gadget")):
        stored = store(project, on, name, "--project", title)
        assert stored.status == 0, stored.all
    assert users(project) == {
        "__token__": token(on, "account"),
        "__token__:acme-widget": token(on, "widget"),
        "__token__:acme-gadget": token(on, "gadget"),
    }
    for name in ("acme-widget", "acme-gadget"):
        root = tmp_path / name
        (root / "wheelhouse").mkdir(parents=True)
        wheel = sample_distributions.wheel(name, files={f"{name.replace('-', '_')}.py": "N = 1\n"})
        (root / "wheelhouse" / sample_distributions.wheel_name(name)).write_bytes(wheel)
        machine = UserProject(root=root, home=project.home, env=project.env)
        machine.write("preflight.toml", release_table(on))
        sent = machine.run("publish", "--yes", "--config", "preflight.toml", "--files", "wheelhouse")
        assert sent.status == 0, sent.all
    uploads = [(one.project, one.username, one.status) for one in posts(on.pypi)]
    assert uploads == [("acme-widget", "alice", 200), ("acme-gadget", "bob", 200)]


def test_it_is_verified_for_that_project_before_it_is_stored(project: UserProject, on: Indexes) -> None:
    for name, cause in (("gadget", "cred.project-scope-mismatch"), ("revoked", "cred.revoked")):
        refused = store(project, on, name, "--project", "acme-widget", "--json")
        assert (refused.status, refused.data["cause"]) == (1, cause), refused.all
    wanted = f"pypi-preflight store --directory {project.root} --index pypi --project acme-gadget"
    assert wanted in store(project, on, "gadget").err
    assert kept(project) == []


@pytest.mark.parametrize("command", [("store", "--index", "pypi"), ("rotate", "--yes")], ids=lambda one: str(one[0]))
def test_without_a_token_the_remedy_names_the_project(
    project: UserProject, on: Indexes, command: tuple[str, ...]
) -> None:
    (project.home / "keyring.json").write_text(json.dumps([[on.pypi.upload_url, "__token__", token(on, "account")]]))
    told = run(project, *command, "--project", "acme-gadget")
    assert told.status == 2
    wanted = f"pypi-preflight {command[0]} --directory {project.root} --index pypi --project acme-gadget"
    assert wanted in told.err


def test_a_token_whose_scope_does_not_fit_the_entry_is_a_warning(project: UserProject, on: Indexes) -> None:
    one = store(project, on, "account", "--project", "acme-widget", "--json").data
    assert ["every project of its user" in warning["message"] for warning in one["warnings"]] == [True]
    assert "Project: acme-widget" in one["warnings"][0]["message"]
    two = store(project, on, "widget", "--json").data
    assert ["is limited to 'acme-widget'" in warning["message"] for warning in two["warnings"]] == [True]
    assert two["warnings"][0]["remedy"].endswith("store --index pypi --project acme-widget")
    assert store(project, on, "widget", "--project", "acme-widget", "--json").data["warnings"] == []
    assert store(project, on, "account", "--json").data["warnings"] == []
    new = store(project, on, "account", "--project", "acme-third", "--json").data
    assert new["warnings"] == [], "the first release needs an account-wide token"


def test_another_kind_of_index_may_need_another_username(project: UserProject, on: Indexes) -> None:
    table = f'[tool.release.indexes.acme]\nupload-url = "{on.pypi.upload_url}"\nsimple-url = "{on.pypi.simple_url}"\n'
    file = project.directory / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8") + table + 'kind = "other"\n', encoding="utf-8")
    told = run(project, "store", "--index", "acme", "--project", "acme-widget", "--offline", stdin="hunter2")
    assert told.status == 0, told.all
    assert "send the username '__token__' with it" in told.out
    assert "hunter2" not in told.all
    found = run(project, "verify", "--index", "acme", "--offline", "--json").data["credential"]
    assert (found["username"], "'__token__:acme-widget'" in found["origin"]["detail"]) == ("__token__", True)
    project.env["TWINE_USERNAME"] = "alice"
    assert run(project, "verify", "--index", "acme", "--offline", "--json").data["credential"]["username"] == "alice"


def test_store_shows_what_would_be_used_instead(project: UserProject, on: Indexes) -> None:
    told = store(project, on, "widget", "--project", "acme-widget")
    assert "twine alone would send the username '__token__:acme-widget'" in told.out
    assert "verify --index pypi --project acme-widget" in told.out
    told = store(project, on, "account")
    assert "'acme-widget' has a token of its own, which is used first" in told.out
    project.env["TWINE_PASSWORD"] = token(on, "account")
    told = store(project, on, "widget", "--project", "acme-widget")
    assert "$TWINE_PASSWORD takes precedence over the keyring" in told.out


def test_verify_names_the_entry_and_the_command_that_mends_it(project: UserProject, on: Indexes) -> None:
    """The token of one project in the account's entry: its upload works, that of another does not."""
    assert store(project, on, "widget").status == 0
    assert run(project, "verify").status == 0
    broken = run(project, "verify", "--project", "acme-gadget", "--offline")
    assert "cred.project-scope-mismatch" in broken.out
    assert "pypi-preflight store --index pypi --project acme-gadget" in broken.out
    assert store(project, on, "gadget", "--project", "acme-gadget").status == 0
    for name, user in (("acme-gadget", "__token__:acme-gadget"), ("acme-widget", "__token__")):
        found = run(project, "verify", "--project", name, "--json").data
        assert found["verdict"] == "healthy"
        assert repr(user) in found["credential"]["origin"]["detail"]
        assert found["credential"]["username"] == "__token__"


def test_tokens_reports_both_entries_each_for_what_it_is(project: UserProject, on: Indexes) -> None:
    """The account's entry has the token of another project: no fault, where this one has its own."""
    entries = {"__token__": "gadget", "__token__:acme-widget": "widget", "pypi_token:project:acme-widget": "account"}
    data = [[on.pypi.upload_url, user, token(on, name)] for user, name in entries.items()]
    (project.home / "keyring.json").write_text(json.dumps(data), encoding="utf-8")
    found = run(project, "tokens", "--json").data["tokens"]
    states = {one["place"].rpartition("user ")[2]: (one["project"], one["state"]) for one in found if one["identifier"]}
    assert states == {
        "'__token__:acme-widget'": ("acme-widget", "healthy"),
        "'pypi_token:project:acme-widget'": ("acme-widget", "warning"),
        "'__token__'": (None, "healthy"),
    }


def test_a_fleet_takes_the_entry_that_the_upload_of_a_project_uses(project: UserProject, on: Indexes) -> None:
    entries = [["__token__", "account"], ["__token__:acme-widget", "widget"]]
    data = [[on.pypi.upload_url, user, token(on, name)] for user, name in entries]
    (project.home / "keyring.json").write_text(json.dumps(data), encoding="utf-8")
    urls = {"upload-url": on.pypi.upload_url, "simple-url": on.pypi.simple_url}
    listed = [{"projects": ["acme-widget", "acme-gadget"], "keyring": True}]
    wrong = 'project = "acme-gadget"\nkeyring = { username = "__token__:acme-widget" }\n'
    project.write("fleet.toml", as_toml({"indexes": {"pypi": urls}}, listed) + f"[[tokens]]\n{wrong}")
    found = run(project, "tokens", "--fleet", str(project.directory / "fleet.toml"), "--json").data["tokens"]
    states = [(one["project"], one["place"].rpartition("user ")[2], one["state"]) for one in found]
    assert states == [
        ("acme-widget", "'__token__:acme-widget'", "healthy"),
        ("acme-gadget", "'__token__'", "warning"),
        ("acme-gadget", "'__token__:acme-widget'", "broken"),
    ]


def test_rotate_replaces_the_project_s_own_and_nothing_else(project: UserProject, on: Indexes) -> None:
    assert store(project, on, "account").status == 0
    assert store(project, on, "widget", "--project", "acme-widget").status == 0
    on.pypi.revoke("widget")
    told = run(project, "rotate", "--yes", "--json", stdin=token(on, "widget-2"))
    assert told.status == 0, told.all
    assert users(project) == {"__token__": token(on, "account"), "__token__:acme-widget": token(on, "widget-2")}
    assert told.data["old"]["state"] == "dead"
    assert ["'__token__:acme-widget'" in one for one in told.data["new"]["places"]] == [True]
    assert run(project, "verify", "--json").data["verdict"] == "healthy"


def test_rotate_finds_a_token_in_the_entries_of_other_projects_that_a_fleet_lists(
    project: UserProject, on: Indexes
) -> None:
    """The new token is for one project only, and does not replace the old one where another project uses it."""
    for name in ("acme-widget", "acme-gadget"):
        assert store(project, on, "account", "--project", name).status == 0
    urls = {"upload-url": on.pypi.upload_url, "simple-url": on.pypi.simple_url}
    listed = [{"projects": ["acme-widget", "acme-gadget"], "keyring": True}]
    project.write("fleet.toml", as_toml({"indexes": {"pypi": urls}}, listed))
    fleet = ("--fleet", str(project.directory / "fleet.toml"))
    told = run(project, "rotate", "--yes", "--json", *fleet, stdin=token(on, "widget"))
    assert told.status == 1, told.all
    assert users(project) == {
        "__token__:acme-widget": token(on, "widget"), "__token__:acme-gadget": token(on, "account"),
    }  # fmt: skip
    assert ["'__token__:acme-gadget'" in one["where"] for one in told.data["left"]] == [True]


@on_posix
def test_diagnose_replaces_a_broken_one_in_its_entry(project: UserProject, on: Indexes) -> None:
    data = [
        [on.pypi.upload_url, "__token__", token(on, "account")],
        [on.testpypi.upload_url, "__token__", on.testpypi.tokens["account"].reveal()],
        [on.pypi.upload_url, "__token__:acme-widget", token(on, "revoked")],
    ]
    (project.home / "keyring.json").write_text(json.dumps(data), encoding="utf-8")
    answers = [("Store a new token for pypi now?", "y"), ("API token for pypi", token(on, "widget"))]
    screen = talk(project, "diagnose", answers=answers)
    assert "stored, and read back" in screen.text
    assert kept(project) == [*data[:2], [on.pypi.upload_url, "__token__:acme-widget", token(on, "widget")]]


@pytest.mark.parametrize(
    ("entries", "cause"),
    [
        ({"__token__:acme-gadget": "gadget"}, "keyring.other-project"),
        ({"__token__": "gadget"}, "cred.project-scope-mismatch"),
        ({"__token__:acme-widget": "gadget", "__token__": "account"}, "cred.project-scope-mismatch"),
        ({"__token__:acme-widget": "revoked", "__token__": "account"}, "cred.revoked"),
    ],
)
def test_the_remedy_as_printed_makes_it_healthy_and_leaves_other_entries(
    project: UserProject, on: Indexes, entries: dict[str, str], cause: str
) -> None:
    data = [[on.pypi.upload_url, user, token(on, name)] for user, name in entries.items()]
    (project.home / "keyring.json").write_text(json.dumps(data), encoding="utf-8")
    found = run(project, "verify", "--json").data
    assert (found["verdict"], found["cause"]) == ("broken", cause)
    remedy = next(one["remedy"] for check in found["checks"] for one in check["findings"] if one["cause"] == cause)
    program, *words = shlex.split(remedy.removeprefix("pypi-preflight "))
    assert words[:4] == ["--index", "pypi", "--project", "acme-widget"]
    stored = run(project, program, *words, stdin=token(on, "widget"))
    assert stored.status == 0, stored.all
    expected = {user: token(on, name) for user, name in entries.items()}
    assert users(project) == expected | {"__token__:acme-widget": token(on, "widget")}
    assert run(project, "verify", "--json").data["verdict"] == "healthy"


@pytest.mark.parametrize(
    "entries", [{"__token__": "gadget"}, {"__token__:acme-widget": "revoked", "__token__": "account"}], ids=len
)
def test_a_run_that_would_stop_takes_a_new_token_as_the_project_s_own(
    project: UserProject, on: Indexes, entries: dict[str, str]
) -> None:
    """The token of another project, and the one of every project, stay where they are."""
    data = [[on.pypi.upload_url, user, token(on, name)] for user, name in entries.items()]
    (project.home / "keyring.json").write_text(json.dumps(data), encoding="utf-8")
    written: list[str] = []
    with (
        mock.patch.dict(os.environ, project.environment(), clear=True),
        mock.patch("sys.stdin", io.StringIO(f"y\n{token(on, 'widget')}\n")),
    ):
        options = argparse.Namespace(
            directory=project.directory, config=None, project=None, offline=False, json=False, quiet=False
        )
        session = CredentialSession.from_options(options, written.append)
        found = session.verify(session.config.index("pypi"))
        problem = blocking_problem(found.outcomes)
        assert problem is not None
        credential = session.renew(found.access, problem)
    assert credential is not None
    assert (credential.username, credential.password) == ("__token__", on.pypi.tokens["widget"])
    expected = {user: token(on, name) for user, name in entries.items()}
    assert users(project) == expected | {"__token__:acme-widget": token(on, "widget")}, written
