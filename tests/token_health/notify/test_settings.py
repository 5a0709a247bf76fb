"""`[notify]`: what it may say, and that every mistake in it is told with its key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from release.core.errors import ConfigError
from release.core.models.secret_location import CommandOutput, EnvironmentVariable, KeyringEntry, PrivateFile
from release.token_health import fleet
from release.token_health.notify import CHANNELS, NotifySettings
from release.token_health.notify.apprise import Apprise
from release.token_health.notify.mail import Mail
from release.token_health.notify.webhook import Webhook

MAIL = '[notify.mail]\nhost = "smtp.example"\nfrom = "a@b.example"\nto = "c@d.example"\n'


def parse(text: str) -> NotifySettings:
    return fleet.parse_fleet_file(tomllib.loads(text), "fleet.toml").notify


def test_all_of_it_is_understood() -> None:
    made = parse("""
        [notify]
        webhook = [{ env = "HOOK" }, { command = ["pass", "show", "hook"], limit = "5s" }]
        apprise = { file = "~/apprise" }
        ping = { keyring = { service = "ping", username = "me" } }
        [notify.mail]
        host = "smtp.example"
        tls = "ssl"
        from = "a@b.example"
        to = ["c@d.example", "e@f.example"]
        user = "robot"
        password = { env = "SMTP_PASSWORD" }
    """)
    assert made.channels == (
        Webhook(address=EnvironmentVariable(name="HOOK")),
        Webhook(address=CommandOutput(argv=("pass", "show", "hook"), limit=5.0)),
        Mail(
            host="smtp.example", port=465, tls="ssl", sender="a@b.example", to=("c@d.example", "e@f.example"),
            user="robot", password=EnvironmentVariable(name="SMTP_PASSWORD"),
        ),
        Apprise(address=PrivateFile(path="~/apprise")),
    )  # fmt: skip
    assert made.ping == KeyringEntry(service="ping", username="me")
    assert [one.name for one in made.channels] == [
        "webhook $HOOK", "webhook command pass show hook", "mail smtp.example:465 to c@d.example, e@f.example",
        "apprise file ~/apprise",
    ]  # fmt: skip


def test_the_table_of_the_documentation_is_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    made = parse(table)
    assert [one.name.split()[0] for one in made.channels] == list(CHANNELS)
    assert made.ping is not None


def test_nobody_is_told_unless_it_is_said() -> None:
    assert parse("") == NotifySettings()


def test_a_project_has_the_same_table() -> None:
    made = fleet.parse_fleet({"notify": {"webhook": {"env": "HOOK"}}}).notify
    assert made.channels == (Webhook(address=EnvironmentVariable(name="HOOK")),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notify = 1", "notify must be a table"),
        ('[notify]\nwebhok = { env = "A" }', "notify.webhok: did you mean 'webhook'?"),
        ('[notify]\nwebhook = "https://hooks.example/secret"', "notify.webhook must be a table with its location"),
        ("[notify]\nwebhook = {}", "notify.webhook has no location"),
        ('[notify]\nping = { env = "A", file = "b" }', "notify.ping has env and file"),
        ("[notify]\nping = { keyring = true }", "notify.ping.keyring must be"),
        ('[notify]\nping = { keyring = { service = "a" } }', "notify.ping.keyring must be a table with service and"),
        ('[notify.mail]\nfrom = "a@b.example"', "notify.mail.host is missing"),
        (MAIL + 'tls = "yes"', "notify.mail.tls: unknown 'yes'"),
        (MAIL + "port = 0", "notify.mail.port must be a number"),
        (MAIL + "port = true", "notify.mail.port must be a number"),
        (MAIL + 'user = "robot"', "notify.mail has a user and no password"),
        (MAIL + 'password = { env = "A" }', "notify.mail has a password and no user"),
        (MAIL.replace("a@b.example", "a@b.example\\nBcc: x@y.example"), "notify.mail.from must be a mail address"),
        (MAIL.replace('"c@d.example"', "[]"), "notify.mail.to must be a mail address"),
        (MAIL.replace('"c@d.example"', '["nobody"]'), "notify.mail.to must be a mail address"),
    ],
)
def test_every_mistake_is_told_with_its_key(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as raised:
        parse(text)
    assert "fleet.toml" in raised.value.remedy or "known keys" in raised.value.remedy
    assert "secret" not in raised.value.message
