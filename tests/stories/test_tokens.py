"""`tokens` as its user runs it: with a fleet, with a project, twice at once, interrupted; and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from release.sandbox.faults import Fault, Slow
from release.token_health.health_history import DATABASE_NAME
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client
from tests.stories.project import Told, UserProject, make
from tests.token_health.fleet_in_sandbox import SEED_DATA, all_bytes, as_toml


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxClient]:
    with sandbox_client(SEED_DATA) as made:
        made.upload("acme-widget", "1.0")
        yield made


@pytest.fixture
def project(running: SandboxClient, tmp_path: Path) -> Iterator[UserProject]:
    table = "".join(
        f'[tool.release.indexes.{name}]\nupload-url = "{running.sandbox.upload_url}"\n'
        f'simple-url = "{running.sandbox.simple_url}"\nkind = "warehouse"\n'
        for name in ("pypi", "testpypi")
    )
    made = make(tmp_path, more=table)
    made.env["PYPI_PREFLIGHT_STATE"] = str(tmp_path / "state")
    yield made
    running.sandbox.clear_faults()


def fleet(project: UserProject, running: SandboxClient, *tokens: str, **table: Any) -> str:
    """A fleet file of these tokens, in variables."""
    urls = {"upload-url": running.sandbox.upload_url, "simple-url": running.sandbox.simple_url}
    entries = [{"project": "acme-widget", "env": name.upper()} for name in tokens]
    project.env |= {name.upper(): running.sandbox.tokens[name].reveal() for name in tokens}
    project.write("fleet.toml", as_toml({**table, "indexes": {"pypi": urls}}, entries))
    return "fleet.toml"


def rows(project: UserProject, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(Path(project.env["PYPI_PREFLIGHT_STATE"]) / DATABASE_NAME)) as db:
        return list(db.execute(query))


def test_a_fleet_from_first_look_to_history(project: UserProject, running: SandboxClient) -> None:
    file = fleet(project, running, "widget", "account", "bob")
    told = project.run("tokens", "--fleet", file)
    assert told.status == 1, told.all
    assert "3 checked: 1 healthy, 1 warning, 1 broken" in told.out, told.all
    assert told.out.index("broken") < told.out.index("warning") < told.out.index("healthy")
    told = project.run("tokens", "--fleet", file, "--json")
    assert told.data["exit"] == told.status == 1
    assert [(one["place"], one["state"]) for one in told.data["tokens"]] == [
        ("$WIDGET", "healthy"), ("$ACCOUNT", "warning"), ("$BOB", "broken"),
    ]  # fmt: skip
    assert told.data["remembered"] is True
    history = project.run("tokens", "history", "--json").data
    changes = [(one["place"], one["state"], one["count"], one["before"]) for one in history["changes"]]
    assert sorted(changes) == [
        ("$ACCOUNT", "warning", 2, None), ("$BOB", "broken", 2, None), ("$WIDGET", "healthy", 2, None),
    ]  # fmt: skip
    shown = project.run("tokens", "history")
    assert shown.status == 0
    assert "new → broken" in shown.out
    assert rows(project, "SELECT exit FROM runs ORDER BY id") == [(1,), (1,)]


@pytest.mark.parametrize(
    ("token", "options", "status"),
    [
        ("widget", [], 0), ("account", [], 5), ("account", ["--strict"], 1), ("revoked", [], 1),
        ("revoked", ["--offline"], 0),
    ],
)  # fmt: skip
def test_the_exit_status(
    project: UserProject, running: SandboxClient, token: str, options: list[str], status: int
) -> None:
    assert project.run("tokens", "--fleet", fleet(project, running, token), *options).status == status


def test_without_a_fleet_all_that_lies_there_for_the_project_is_looked_at(
    project: UserProject, running: SandboxClient
) -> None:
    """The variable, the file beside it that it shadows, and what another tool reads."""
    tokens = {name: one.reveal() for name, one in running.sandbox.tokens.items()}
    project.env |= {"TWINE_PASSWORD": tokens["widget"], "UV_PUBLISH_TOKEN": tokens["bob"]}
    lines = ["[distutils]", "index-servers = pypi", "[pypi]", f"repository = {running.sandbox.upload_url}"]
    file = project.home / ".pypirc"
    file.write_text("\n".join([*lines, "username = __token__", f"password = {tokens['revoked']}", ""]))
    file.chmod(0o600)
    told = project.run("tokens", "--json")
    found = {(one["index"], one["place"].partition(",")[0]): one["state"] for one in told.data["tokens"]}
    assert found["pypi", "$UV_PUBLISH_TOKEN"] == "broken"
    assert found["pypi", "~/.pypirc"] == "revoked"
    assert ("pypi", "$TWINE_PASSWORD") in found
    assert ("testpypi", "$TWINE_PASSWORD") in found
    assert told.status == 1


def test_where_there_is_no_credential_nobody_can_tell(project: UserProject) -> None:
    told = project.run("tokens")
    assert told.status == 6
    assert "no credentials found" in told.out


@pytest.mark.parametrize(
    ("text", "message"),
    [("tokens = 1", "tokens must be"), ("", "lists no tokens"), ("[[tokens", "not valid TOML")],
)
def test_a_fleet_that_is_wrong_is_told_and_nothing_is_asked(project: UserProject, text: str, message: str) -> None:
    project.write("fleet.toml", text)
    told = project.run("tokens", "--fleet", "fleet.toml")
    assert told.status == 2
    assert message in told.err
    assert project.run("tokens", "--fleet", "nowhere.toml").status == 2


def test_a_history_that_can_not_be_written_stops_nothing_and_is_said(
    project: UserProject, running: SandboxClient, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    told = project.run("tokens", "--fleet", fleet(project, running, "widget"), "--state", str(tmp_path / "file" / "x"))
    assert told.status == 0
    assert "this run is not in the history" in told.out


def test_a_damaged_history_is_kept_aside_and_said(project: UserProject, running: SandboxClient, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / DATABASE_NAME).write_bytes(b"damaged" * 1000)
    told = project.run("tokens", "--fleet", fleet(project, running, "widget"))
    assert told.status == 0
    assert "the history was damaged: moved it to" in told.out
    assert rows(project, "SELECT state FROM now") == [("healthy",)]


def start(project: UserProject, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "release", *words], cwd=project.root, env=project.environment(), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> Told:
    out, err = process.communicate(timeout=240)
    return Told(status=process.returncode, out=out, err=err)


def test_two_runs_at_once(project: UserProject, running: SandboxClient) -> None:
    file = fleet(project, running, "widget", "bob")
    both = [ended(one) for one in [start(project, "tokens", "--fleet", file, "--json") for _ in range(2)]]
    assert [(one.status, one.data["remembered"]) for one in both] == [(1, True), (1, True)]
    query = "SELECT place, state, cause, count FROM observations JOIN watches ON watches.id = watch ORDER BY place"
    assert rows(project, query) == [
        ("$BOB", "broken", "account.email-unverified", 2), ("$WIDGET", "healthy", "", 2),
    ], [one.out for one in both]  # fmt: skip


def until_one_is_asked(running: SandboxClient, process: subprocess.Popen[str], before: int) -> None:
    deadline = time.monotonic() + 240
    while len(running.sandbox.log) <= before + 4 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize(("number", "status"), [("SIGINT", 1), ("SIGTERM", 1), ("SIGKILL", -9)])
def test_a_run_that_is_ended_early(project: UserProject, running: SandboxClient, number: str, status: int) -> None:
    """By Ctrl-C or politely: it says what is known. By force: the next run goes on as if nothing had been."""
    file = fleet(project, running, "bob", "widget", "carol", "forged", concurrency=1)
    running.sandbox.inject(Fault(what=Slow(answer=0.3)))
    before = len(running.sandbox.log)
    process = start(project, "tokens", "--fleet", file, "--json")
    until_one_is_asked(running, process, before)
    process.send_signal(getattr(signal, number))
    told = ended(process)
    assert told.status == status, told.all
    assert "Traceback" not in told.err
    if number != "SIGKILL":
        states = [one["state"] for one in told.data["tokens"]]
        assert told.data["interrupted"] is True
        assert (states[0], states[-1]) == ("broken", "unknown")
    running.sandbox.clear_faults()
    assert project.run("tokens", "--fleet", file, "--json").status == 1
    assert rows(project, "SELECT count(*) FROM now") == [(4,)]


def test_no_secret_is_in_any_output_file_or_argument(
    project: UserProject, running: SandboxClient, tmp_path: Path
) -> None:
    """Canaries of every kind of place; the arguments of every child are kept by a program that stands in for `pass`."""
    secrets = {name: one.reveal() for name, one in running.sandbox.tokens.items()}
    project.env |= {"WIDGET": secrets["widget"]}
    file, kept_by_bob = tmp_path / "a.token", tmp_path / "b.token"
    file.write_text(secrets["account"])
    file.chmod(0o600)
    kept_by_bob.write_text(secrets["bob"])
    spy = (
        "import os, pathlib, sys; pathlib.Path('argv').write_bytes(b''.join(p.read_bytes() for p in "
        "pathlib.Path('/proc').glob('[0-9]*/cmdline') if os.access(p, os.R_OK))) if os.path.isdir('/proc') else None; "
        "print(open(sys.argv[1]).read())"
    )
    places: list[dict[str, Any]] = [
        {"env": "WIDGET"},
        {"file": str(file)},
        {"command": [sys.executable, "-c", spy, str(kept_by_bob)]},
        {"keyring": True},
    ]
    urls = {"upload-url": running.sandbox.upload_url, "simple-url": running.sandbox.simple_url}
    project.write(
        "fleet.toml", as_toml({"indexes": {"pypi": urls}}, [{"project": "acme-widget", **one} for one in places])
    )
    told = [project.run("tokens", "--fleet", "fleet.toml", *more) for more in ([], ["--json"])]
    told.append(project.run("tokens", "history", "--json"))
    file.unlink()
    kept_by_bob.unlink()
    kept = all_bytes(tmp_path, *(one.all for one in told))
    assert json.loads(told[1].out)["counts"]["broken"] == 1
    for secret in secrets.values():
        body = secret.removeprefix("pypi-").encode()
        for piece in (body, body[-40:], body[60:100]):
            assert piece not in kept


def test_the_plain_tool_reads_the_history(project: UserProject, running: SandboxClient) -> None:
    project.run("tokens", "--fleet", fleet(project, running, "widget"))
    assert rows(project, "SELECT index_name, project, place, state FROM now") == [
        ("pypi", "acme-widget", "$WIDGET", "healthy")
    ]
    mode = os.stat(project.env["PYPI_PREFLIGHT_STATE"]).st_mode & 0o077  # noqa: PTH116 - a text
    assert sys.platform == "win32" or mode == 0
