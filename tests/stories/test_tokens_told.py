"""`tokens --notify --metrics` and `report --tokens` as their user runs them: what arrives, and no secret in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.adapters.loopback_server import loopback_server
from tests.adapters.mail_server import mail_server
from tests.fake_tokens import random_text
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client
from tests.stories.project import UserProject, make
from tests.token_health.fleet_in_sandbox import SEED_DATA, all_bytes, as_toml

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # aiosmtpd's, of a server on loopback


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxClient]:
    with sandbox_client(SEED_DATA) as made:
        made.upload("acme-widget", "1.0")
        yield made


@pytest.fixture
def project(running: SandboxClient, tmp_path: Path) -> UserProject:
    """Two tokens are watched: one that works, and one that does not."""
    made = make(tmp_path)
    urls = {"upload-url": running.sandbox.upload_url, "simple-url": running.sandbox.simple_url}
    entries = [{"project": "acme-widget", "env": name.upper()} for name in ("widget", "revoked")]
    made.env |= {name.upper(): running.sandbox.tokens[name].reveal() for name in ("widget", "revoked")}
    made.env["PYPI_PREFLIGHT_STATE"] = str(tmp_path / "state")
    made.write("fleet.toml", as_toml({"indexes": {"pypi": urls}}, entries))
    return made


def test_what_has_changed_arrives_everywhere_and_no_secret_is_in_it(
    project: UserProject, running: SandboxClient, tmp_path: Path
) -> None:
    path, password = random_text(32), random_text(32)
    with loopback_server(lambda one: one.reply(200)) as hook, mail_server(tmp_path, password=password) as post:
        project.env |= {"HOOK": f"{hook.url}/{path}", "PING": f"{hook.url}/{path}/ping", "SMTP_PASSWORD": password}
        project.write(
            "fleet.toml",
            f"""{(project.root / "fleet.toml").read_text()}
            [notify]
            webhook = {{ env = "HOOK" }}
            ping = {{ env = "PING" }}
            [notify.mail]
            host = "127.0.0.1"
            port = {post.port}
            tls = "none"
            from = "robot@packages.example"
            to = "maintainers@packages.example"
            user = "robot"
            password = {{ env = "SMTP_PASSWORD" }}
            """,
        )
        words = (
            "tokens",
            "--fleet",
            "fleet.toml",
            "--notify",
            "--metrics",
            "m/tokens.prom",
            "--issue-body",
            "issue.md",
        )
        told = project.run(*words)
        again = project.run(*words, "--json")
    assert (told.status, again.status, told.err) == (1, 1, "")
    assert "1 change announced: by webhook $HOOK, mail 127.0.0.1:" in told.out
    assert again.data["notify"] == {"changes": [], "delivered": [], "waiting": 0, "pinged": True, "problems": []}
    assert [(one.method, one.path) for one in hook.asked] == [
        ("POST", f"/{path}"), ("GET", f"/{path}/ping"), ("GET", f"/{path}/ping"),
    ]  # fmt: skip
    (change,) = json.loads(hook.asked[0].body)["changes"]
    assert (change["kind"], change["state"], change["place"]) == ("worse", "revoked", "$REVOKED")
    (message,) = post.messages
    families = {
        one.name: one for one in text_string_to_metric_families(project.root.joinpath("m/tokens.prom").read_text())
    }
    states = {
        one.labels["source"]: one.labels["state"] for one in families["pypi_preflight_token_state"].samples if one.value
    }
    assert states == {"$WIDGET": "healthy", "$REVOKED": "revoked"}
    assert "### ❌ revoked: pypi, acme-widget" in project.root.joinpath("issue.md").read_text(encoding="utf-8")
    assert project.run("report", "--tokens", "--html", "--output", "tokens.html").status == 0
    page = project.root.joinpath("tokens.html").read_text(encoding="utf-8")
    assert "1 broken, 1 healthy" in page
    sent = b"".join(one.body for one in hook.asked).decode() + message.as_string()
    kept = all_bytes(tmp_path, told.all, again.all, sent)
    for secret in (
        running.sandbox.tokens["widget"].reveal()[5:],
        running.sandbox.tokens["revoked"].reveal()[5:],
        path,
        password,
    ):
        assert secret.encode() not in kept
        assert secret[-24:].encode() not in kept


def test_what_can_not_be_delivered_is_said_and_the_verdict_stays(project: UserProject) -> None:
    fleet = (project.root / "fleet.toml").read_text()
    project.write("fleet.toml", f'{fleet}\n[notify]\nwebhook = {{ env = "NOT_SET" }}\n')
    (project.root / "file").write_text("")
    told = project.run("tokens", "--fleet", "fleet.toml", "--notify", "--metrics", "file/m.prom")
    assert told.status == 1
    assert "webhook $NOT_SET: $NOT_SET is not set" in told.err
    assert "→ read -rs NOT_SET && export NOT_SET" in told.err
    assert "cannot write" in told.err
    assert "1 message not delivered yet" in told.out


def test_there_must_be_somebody_to_tell(project: UserProject) -> None:
    told = project.run("tokens", "--fleet", "fleet.toml", "--notify")
    assert told.status == 2
    assert "add a table [notify] to fleet.toml" in told.err


def test_in_a_github_job_what_is_wrong_is_annotated(project: UserProject) -> None:
    project.env["GITHUB_ACTIONS"] = "true"
    told = project.run("tokens", "--fleet", "fleet.toml")
    assert "::error title=pypi%2C acme-widget%3A revoked::pypi does not know the token in $REVOKED" in told.out


def test_the_page_of_no_history_and_of_one_that_can_not_be_read(project: UserProject, tmp_path: Path) -> None:
    assert "the history is empty" in project.run("report", "--tokens", "--html").out
    assert project.run("report", "--tokens").status == 2
    assert project.run("report", "1.0", "--tokens", "--html").status == 2
    (tmp_path / "file").write_text("")
    told = project.run("report", "--tokens", "--html", "--state", str(tmp_path / "file" / "x"))
    assert told.status == 1
    assert told.out == ""
    assert "file" in told.err.splitlines()[0]
    assert "Traceback" not in told.err
