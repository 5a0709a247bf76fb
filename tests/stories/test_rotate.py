"""`rotate` as its user runs it: in pipes and at a terminal, killed after each step, with leaked and wrong tokens."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from release.cli.main import main
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.sandbox import server
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from release.sandbox.server import Sandbox
from tests.credentials.sources.answering_keyring import answering_keyring
from tests.stories.project import Indexes, Told, UserProject, make, release_table
from tests.stories.terminal import talk
from tests.stories.test_store import kept, with_keyring
from tests.token_health.fleet_in_sandbox import all_bytes, as_toml

__all__ = ["answering_keyring"]

pytestmark = pytest.mark.usefixtures("answering_keyring")
posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
WORLD = SeedData(
    users=(User(name="alice"),),
    projects=(SeedProject(name="acme-widget", owners=("alice",)), SeedProject(name="acme-gadget", owners=("alice",))),
    tokens=(
        ApiToken(name="old", user="alice"),
        ApiToken(name="new", user="alice", projects=("acme-widget",)),
        ApiToken(name="account", user="alice"),
        ApiToken(name="gadget", user="alice", projects=("acme-gadget",)),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="expired", user="alice", expires=1_700_000_000),
    ),
)


@pytest.fixture
def pypi() -> Iterator[Sandbox]:
    with server.start_sandbox(WORLD) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, pypi: Sandbox) -> UserProject:
    """The old token lies in `.pypirc`, under two names, and in the keyring."""
    made = make(tmp_path, more=release_table(Indexes(testpypi=pypi, pypi=pypi)))
    with_keyring(made, "KeepingKeyring")
    made.env["PYPI_PREFLIGHT_STATE"] = str(tmp_path / "state")
    (made.home / "keyring.json").write_text(json.dumps([[pypi.upload_url, "__token__", value(pypi, "old")]]))
    pypirc(made).write_text(
        f"# mine\n[distutils]\nindex-servers = pypi again\n\n[pypi]\nrepository = {pypi.upload_url}\n"
        f"username = __token__\npassword = {value(pypi, 'old')}\n[again]\nrepository={pypi.upload_url}\n"
        f"password={value(pypi, 'old')}\n[other]\nrepository = http://127.0.0.1:9/\npassword = hunter2-hunter2\n"
    )
    pypirc(made).chmod(0o600)
    return made


def value(pypi: Sandbox, name: str) -> str:
    return pypi.tokens[name].reveal()


def identifier(pypi: Sandbox, name: str) -> str:
    from release.core.tokens.token import Token, decode

    token = decode(pypi.tokens[name])
    assert isinstance(token, Token)
    return token.identifier


def pypirc(project: UserProject) -> Path:
    return project.home / ".pypirc"


def rotate(project: UserProject, new: str, *words: str) -> Told:
    """The program and the keyring in this process, which is faster; where it is killed or has a canary, as users do."""
    out, err, argv = io.StringIO(), io.StringIO(), ["rotate", "--yes", "--directory", str(project.directory), *words]
    with (
        mock.patch.dict(os.environ, project.environment(), clear=True), mock.patch("sys.stdin", io.StringIO(new)),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
    ):  # fmt: skip
        status = main(argv)
    return Told(status=status, out=out.getvalue(), err=err.getvalue())


def texts(project: UserProject) -> str:
    """All that lies in the stores."""
    return pypirc(project).read_text() + json.dumps(kept(project))


def test_the_new_token_goes_everywhere_and_nothing_else_changes(project: UserProject, pypi: Sandbox) -> None:
    before = pypirc(project).read_text()
    told = rotate(project, value(pypi, "new") + "\n")
    assert told.status == 5, told.all
    assert pypirc(project).read_text() == before.replace(value(pypi, "old"), value(pypi, "new"))
    assert kept(project) == [[pypi.upload_url, "__token__", value(pypi, "new")]]
    for words in (
        identifier(pypi, "old"), "/manage/account/token/?selected_project=acme-widget", "/manage/account/#api-tokens",
        "scope: project acme-widget", "the old token still works", "other projects need their own",
    ):  # fmt: skip
        assert words in told.out
    verified = project.run("verify", "--json").data
    assert (verified["verdict"], verified["token"]["identifier"]) == ("healthy", identifier(pypi, "new"))


def test_a_second_run_ends_what_the_first_could_not(project: UserProject, pypi: Sandbox, tmp_path: Path) -> None:
    """A script is told once that nobody can find out; then the next rotation begins."""
    assert rotate(project, value(pypi, "new")).status == 5
    told = rotate(project, "", "--json")
    assert told.status == 5, told.all
    assert (told.data["resumed"], told.data["old"]["state"]) == (True, "unknown")
    assert told.data["old"]["identifier"] == identifier(pypi, "old")
    assert list((tmp_path / "state").glob("rotation-*")) == []
    assert rotate(project, value(pypi, "account"), "--json").data["resumed"] is False


def test_an_old_token_that_is_dead_already_is_replaced_and_done(project: UserProject, pypi: Sandbox) -> None:
    pypi.revoke("old")
    told = rotate(project, value(pypi, "new"), "--json")
    assert told.status == 0, told.all
    assert told.data["old"]["state"] == "dead"
    assert len(told.data["new"]["places"]) == 3
    assert told.data["left"] == []


@pytest.mark.parametrize(
    ("name", "cause", "words"),
    [
        ("old", None, "this is the old token"),
        ("revoked", "cred.revoked", ""),
        ("expired", "cred.expired", ""),
        ("gadget", "cred.project-scope-mismatch", ""),
    ],
)
def test_a_wrong_token_changes_nothing(
    project: UserProject, pypi: Sandbox, name: str, cause: str | None, words: str
) -> None:
    before = texts(project)
    told = rotate(project, value(pypi, name), "--json")
    assert (told.status, told.data["cause"]) == (1, cause), told.all
    assert told.data["message"].startswith("not accepted: ")
    assert told.data["remedy"]
    assert words in told.data["message"]
    assert texts(project) == before


def test_a_copy_a_stranger_and_a_broken_one_are_refused(project: UserProject, pypi: Sandbox) -> None:
    from release.core.tokens.token import expired_copy

    foreign = macaroon.to_text(macaroon.create_macaroon("pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32))
    copy = expired_copy(Secret(value(pypi, "old"))).reveal()
    before = texts(project)
    for text, words in (
        (copy, "copy of the old token"), (foreign, "was issued by"), (value(pypi, "new")[:-9], "not accepted"),
    ):  # fmt: skip
        told = rotate(project, text)
        assert (told.status, words in told.err) == (1, True), told.all
    assert rotate(project, "").status == 2
    assert texts(project) == before


def test_without_anybody_to_ask_it_wants_to_be_told(project: UserProject, pypi: Sandbox) -> None:
    told = project.run("rotate", stdin=value(pypi, "new"))
    assert (told.status, "--yes" in told.err) == (2, True)
    assert project.run("rotate", "--yes", "--wait", "-1", stdin="").status == 2


def test_a_plan_changes_nothing_and_names_each_step(project: UserProject, pypi: Sandbox) -> None:
    before, asked = texts(project), len(pypi.log)
    told = project.run("rotate", "--plan", "--leaked", "--quiet")
    assert told.status == 0, told.all
    assert [line[:9] for line in told.out.splitlines() if line[:1].isdigit()] == [
        "1. delete", "2. read a", "3. replac", "4. replac", "5. replac", "6. store ", "7. delete",
    ]  # fmt: skip
    assert texts(project) == before
    assert not [one for one in pypi.log[asked:] if one.method == "POST"]


def test_variables_are_told_with_the_line_to_change(project: UserProject, pypi: Sandbox) -> None:
    project.env |= {"TWINE_PASSWORD": value(pypi, "old"), "UV_PUBLISH_TOKEN": value(pypi, "old")}
    told = rotate(project, value(pypi, "new"))
    assert told.status == 1
    assert "export TWINE_PASSWORD" in told.out
    assert "export UV_PUBLISH_TOKEN" in told.out
    assert "still needed" in told.out
    project.env |= {"TWINE_PASSWORD": value(pypi, "new"), "UV_PUBLISH_TOKEN": value(pypi, "new")}
    told = rotate(project, "", "--json")
    assert (told.status, told.data["resumed"], told.data["left"]) == (5, True, [])


def test_with_variables_alone_it_is_kept_in_the_keyring(project: UserProject, pypi: Sandbox) -> None:
    pypirc(project).unlink()
    (project.home / "keyring.json").write_text("[]")
    project.env["TWINE_PASSWORD"] = value(pypi, "old")
    assert rotate(project, value(pypi, "new")).status == 1
    assert kept(project) == [[pypi.upload_url, "__token__:acme-widget", value(pypi, "new")]], "it is for one project"
    with_keyring(project, "keyring.backends.null.Keyring")
    told = rotate(project, value(pypi, "new"))
    assert (told.status, "no keyring can be used" in told.err) == (1, True)


def test_the_places_of_a_fleet_take_part_if_the_new_token_will_do_there(project: UserProject, pypi: Sandbox) -> None:
    files = {name: project.directory / name for name in ("widget.token", "gadget.token")}
    for file in files.values():
        file.write_bytes(b"\xef\xbb\xbf" + value(pypi, "old").encode() + b"\r\n")
        file.chmod(0o400)
    urls = {"upload-url": pypi.upload_url, "simple-url": pypi.simple_url}
    tokens: list[dict[str, Any]] = [
        {"project": "acme-widget", "file": "widget.token"}, {"project": "acme-gadget", "file": "gadget.token"},
        {"project": "acme-widget", "command": [sys.executable, "-c", "print(open('kept').read())"]},
    ]  # fmt: skip
    project.write("kept", value(pypi, "old"))
    project.write("fleet.toml", as_toml({"indexes": {"pypi": urls}}, tokens))
    told = rotate(project, value(pypi, "new"), "--fleet", str(project.directory / "fleet.toml"), "--json")
    assert told.status == 1, told.all
    assert files["widget.token"].read_bytes() == b"\xef\xbb\xbf" + value(pypi, "new").encode() + b"\r\n"
    assert files["gadget.token"].read_bytes() == b"\xef\xbb\xbf" + value(pypi, "old").encode() + b"\r\n"
    assert sys.platform == "win32" or stat.S_IMODE(files["widget.token"].stat().st_mode) == 0o400
    assert [(one["where"].split()[0], "acme-gadget" in one["message"]) for one in told.data["left"]] == [
        ("command", False), ("file", True),
    ]  # fmt: skip


def test_a_place_that_can_not_be_written_is_left_and_told(project: UserProject, pypi: Sandbox) -> None:
    with_keyring(project, "Forgetful")
    (project.home / "keyring.json").write_text(json.dumps([[pypi.upload_url, "__token__", value(pypi, "old")]]))
    told = rotate(project, value(pypi, "new"), "--json")
    assert told.status == 1
    assert ["does not return it" in one["message"] for one in told.data["left"]] == [True]
    assert value(pypi, "old") not in pypirc(project).read_text()


def test_where_nothing_is_to_be_rotated_it_says_so(project: UserProject, pypi: Sandbox) -> None:
    pypirc(project).unlink()
    (project.home / "keyring.json").write_text("[]")
    told = rotate(project, value(pypi, "new"), "--json")
    assert (told.status, told.data["cause"]) == (1, "cred.missing")
    assert "pypi-preflight store" in told.data["remedy"]


# -- leaked ---------------------------------------------------------------------------------------


def test_a_leaked_token_goes_first_and_is_a_failure_while_it_lives(project: UserProject, pypi: Sandbox) -> None:
    told = rotate(project, value(pypi, "new"), "--leaked")
    assert told.status == 1, told.all
    assert told.out.index("delete the old token") < told.out.index("create a new token")
    assert value(pypi, "old") not in texts(project)


# -- killed ---------------------------------------------------------------------------------------

KILLED = """\
import os, signal, sys
from release.token_health.rotation import perform
execute, steps = perform.Rotation._execute, []
def killed(self, step):
    execute(self, step)
    steps.append(step)
    if len(steps) == int(os.environ["KILL_AFTER"]):
        os.kill(os.getpid(), signal.SIGKILL)
perform.Rotation._execute = killed
from release.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize(("number", "words"), [*((n, ()) for n in range(1, 7)), (1, ("--leaked",)), (4, ("--leaked",))])
def test_killed_after_each_step_a_credential_works_and_a_second_run_goes_on(
    project: UserProject, pypi: Sandbox, number: int, words: tuple[str, ...]
) -> None:
    """In the order for a leaked token, too, as long as the person has not deleted it."""
    project.env["KILL_AFTER"] = str(number)
    argv = (sys.executable, "-c", KILLED, "rotate", "--yes", *words)
    assert project.command(*argv, stdin=value(pypi, "new")).status == -9
    for place in (*pypirc(project).read_text().split("[again]"), json.dumps(kept(project))):
        assert (value(pypi, "old") in place) != (value(pypi, "new") in place), "one that works, and whole"
    told = rotate(project, value(pypi, "new"), "--json", *words)
    assert told.status in ({1, 5} if words else {5}), told.all
    assert told.data["left"] == []
    assert value(pypi, "old") not in texts(project)
    assert texts(project).count(value(pypi, "new")) == 3


# -- GitHub ---------------------------------------------------------------------------------------

GH = """\
#!{python}
import json, pathlib, sys
here = pathlib.Path({here!r})
with (here / "gh-argv").open("a") as file: file.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == ["secret", "list"]:
    print(json.dumps([{{"name": name}} for name in ("PYPI_API_TOKEN", "TEST_PYPI_TOKEN", "CODECOV_TOKEN")]))
elif sys.argv[3:] == ["DENIED"]:
    sys.exit("HTTP 403: " + sys.stdin.read())
else:
    import hashlib
    (here / "gh-stdin").write_text(hashlib.sha256(sys.stdin.read().encode()).hexdigest())
"""


@posix
def test_secrets_of_the_repository_get_it_on_standard_input(
    project: UserProject, pypi: Sandbox, tmp_path: Path
) -> None:
    import hashlib

    (tmp_path / "bin").mkdir()
    gh = tmp_path / "bin" / "gh"
    gh.write_text(GH.format(python=sys.executable, here=str(tmp_path)))
    gh.chmod(0o755)
    project.env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    told = rotate(project, value(pypi, "new"), "--gh")
    assert told.status == 5, told.all
    argv = [json.loads(line) for line in (tmp_path / "gh-argv").read_text().splitlines()]
    assert argv == [["secret", "list", "--json", "name"], ["secret", "set", "PYPI_API_TOKEN"]]
    assert (tmp_path / "gh-stdin").read_text() == hashlib.sha256(value(pypi, "new").encode()).hexdigest()
    told = rotate(project, value(pypi, "account"), "--gh", "DENIED", "OTHER")
    assert told.status == 1
    assert "HTTP 403" in told.out
    assert value(pypi, "new") not in told.all
    gh.unlink()
    project.env["PATH"] = str(tmp_path / "bin")
    told = rotate(project, value(pypi, "new"), "--gh")
    assert (told.status, "no program 'gh'" in told.err) == (1, True)


# -- a terminal -----------------------------------------------------------------------------------


@posix
def test_at_a_terminal_each_place_is_shown_and_asked(project: UserProject, pypi: Sandbox) -> None:
    pypi.revoke("old")
    prompt = "API token for pypi"
    answers = [
        (prompt, value(pypi, "old")), (prompt, value(pypi, "new")),
        ("Replace it?", "y"), ("Replace it?", "n"), ("Replace it?", "y"),
    ]  # fmt: skip
    screen = talk(project, "rotate", answers=answers)
    assert screen.status == 1, screen.text
    assert "this is the old token" in screen.text
    assert "not replaced: ~/.pypirc, [again] password: you chose not to replace it" in screen.text
    assert value(pypi, "new")[20:40] not in screen.text
    screen = talk(project, "rotate", answers=[("Replace it?", "y")])
    assert screen.status == 0, screen.text
    assert "resuming a rotation" in screen.text
    assert value(pypi, "old") not in texts(project)


@posix
def test_what_can_not_be_asked_any_more_a_person_says(project: UserProject, pypi: Sandbox, tmp_path: Path) -> None:
    assert rotate(project, value(pypi, "new")).status == 5
    screen = talk(project, "rotate", answers=[("Is it gone from the list", "n")])
    assert (screen.status, identifier(pypi, "old") in screen.text) == (5, True)
    assert talk(project, "rotate", answers=[("Is it gone from the list", "y")]).status == 0
    assert list((tmp_path / "state").glob("rotation-*")) == []


# -- secrets --------------------------------------------------------------------------------------


def test_no_secret_is_in_any_output_file_or_argument(project: UserProject, pypi: Sandbox, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "release", "rotate", "--yes", "--wait", "0"]
    running = subprocess.Popen(
        argv, cwd=project.directory, env=project.environment(), text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    out, _ = running.communicate(value(pypi, "new"), timeout=240)
    more = [rotate(project, value(pypi, "account"), *words).all for words in (["--json"], ["--json"], ["--leaked"])]
    pypirc(project).unlink()
    (project.home / "keyring.json").unlink()
    left = all_bytes(tmp_path, out, *more)
    for name in ("old", "new", "account"):
        body = value(pypi, name).removeprefix("pypi-").encode()
        for piece in (body, body[-40:], body[60:100]):
            assert piece not in left
