"""What is delivered arrives as it was written; what is not says why, and never with the address or the password."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from release.core.errors import ReleaseError
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.token_health.notify import webhook
from release.token_health.notify.apprise import Apprise
from release.token_health.notify.mail import Mail
from release.token_health.notify.webhook import Webhook
from tests.adapters.loopback_server import Handler, loopback_server
from tests.adapters.mail_server import MailServer, mail_server
from tests.fake_tokens import random_text

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning"),  # aiosmtpd's, of a server on loopback
    #: Observed: apprise 2.2 imports imghdr where there is one (Python 3.12 and before)
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]
DOCUMENT = {"schema": 1, "id": "a-number", "text": "→ ä"}
ADDRESS = EnvironmentVariable(name="ADDRESS")
AT = datetime(2026, 11, 5, 12, tzinfo=UTC)


def post(url: str) -> None:
    assert Webhook(address=ADDRESS).send(DOCUMENT, lambda _: Secret(url)) == ()


def notify(url: str, *, title: str, text: str) -> None:
    assert Apprise(address=ADDRESS).send({"title": title, "text": text}, lambda _: Secret(url)) == ()


# -- webhook ----------------------------------------------------------------------------------------


def test_a_document_is_posted_once_with_its_number() -> None:
    with loopback_server(lambda one: one.reply(204)) as server:
        post(f"{server.url}/hook\n")
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/hook")
    assert json.loads(asked.body) == DOCUMENT
    assert asked.headers["idempotency-key"] == "a-number"
    assert asked.headers["content-type"] == "application/json"


def redirected(one: Handler) -> None:
    one.reply(307, Location="/elsewhere")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda one: one.reply(404), "answers 404"),
        (lambda one: one.reply(500), "answers 500"),
        (redirected, "answers 307"),
    ],
    ids=["404", "500", "redirect"],
)
def test_what_is_not_taken_is_told_without_the_address(answer: Callable[[Handler], None], said: str) -> None:
    secret = random_text(24)
    with loopback_server(answer) as server, pytest.raises(ReleaseError, match=said) as raised:
        post(f"{server.url}/{secret}")
    assert len(server.asked) == 1
    assert secret not in f"{raised.value.message} {raised.value.remedy} {raised.value!r}"


@pytest.mark.parametrize(
    "form", ["", "{}", "ftp://127.0.0.1/{}", "http://", "http://127.0.0.1:99999/{}", "http://[/{}"]
)
def test_an_address_that_is_none_is_not_shown(form: str) -> None:
    secret = random_text(24)
    with pytest.raises(ReleaseError, match="not a URL") as raised:
        post(form.format(secret))
    assert secret not in f"{raised.value.message} {raised.value.remedy}"


def test_nobody_there_is_told_without_the_address() -> None:
    with loopback_server(lambda one: one.reply(200)) as server:
        gone = server.url
    secret = random_text(24)
    with pytest.raises(ReleaseError, match="refused") as raised:
        webhook.ping(Secret(f"{gone}/{secret}"))
    assert secret not in f"{raised.value.message} {raised.value.remedy}"


def test_a_ping_is_tried_again() -> None:
    answers = iter([503, 200])
    with loopback_server(lambda one: one.reply(next(answers))) as server:
        webhook.ping(Secret(server.url))
    assert [one.method for one in server.asked] == ["GET", "GET"]


# -- mail -------------------------------------------------------------------------------------------


def to(server: MailServer, **more: Any) -> Mail:
    given: dict[str, Any] = {"tls": "none", "to": ("a@packages.example", "b@packages.example"), **more}
    return Mail(host="127.0.0.1", port=server.port, sender="robot@packages.example", **given)


def send(channel: Mail, password: str | None = None) -> tuple[str, ...]:
    message = {"id": "a-number", "at": AT.isoformat(), "title": "token health: ä", "text": "one\n.\n→ two\n"}
    with_password = replace(channel, password=ADDRESS) if password is not None else channel
    return with_password.send(message, lambda _: Secret(password or ""))


@pytest.mark.parametrize("tls", ["none", "starttls", "ssl"])
def test_a_message_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: Literal["none", "starttls", "ssl"]
) -> None:
    password = random_text(24)
    with mail_server(tmp_path, tls=tls, password=password) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert send(to(server, tls=tls, user="robot", password=EnvironmentVariable(name="PASSWORD")), password) == ()
    (message,) = server.messages
    assert server.envelopes == [("robot@packages.example", ["a@packages.example", "b@packages.example"])]
    assert message["Subject"] == "token health: ä"
    assert (message["From"], message["To"]) == ("robot@packages.example", "a@packages.example, b@packages.example")
    assert message["Date"].datetime == AT
    assert message["Message-ID"] == "<a-number@packages.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == ["one", ".", "→ two"]
    assert password not in message.as_string()


@pytest.mark.parametrize("tls", ["starttls", "ssl"])
def test_a_certificate_that_nobody_vouches_for_is_not_taken(tmp_path: Path, tls: Literal["starttls", "ssl"]) -> None:
    with mail_server(tmp_path, tls=tls) as server, pytest.raises(ReleaseError, match=r"self-signed|self signed"):
        send(to(server, tls=tls))
    assert server.messages == []


def test_what_the_server_says_is_told_without_the_password(tmp_path: Path) -> None:
    right, wrong = random_text(24), random_text(24)
    with mail_server(tmp_path, password=right) as server:
        with pytest.raises(ReleaseError, match="rejects the password of 'robot'") as raised:
            send(to(server, user="robot"), wrong)
        assert wrong not in f"{raised.value.message} {raised.value.remedy} {raised.value.__cause__}"
    with mail_server(tmp_path) as server:
        server.answer = f"552 no room for {right}"
        with pytest.raises(ReleaseError, match="552 no room for") as raised:
            send(to(server), right)
        assert right not in raised.value.message
        with pytest.raises(ReleaseError, match="offers no STARTTLS"):
            send(to(server, tls="starttls"))
    with pytest.raises(ReleaseError, match="cannot be reached"):
        send(to(server))


def test_people_whom_the_server_refuses_are_told_of(tmp_path: Path) -> None:
    with mail_server(tmp_path) as server:
        server.refused = {"b@packages.example"}
        assert send(to(server)) == ("b@packages.example",)
        assert len(server.messages) == 1
        with pytest.raises(ReleaseError, match=r"accepts no mail for b@packages\.example: 550"):
            send(to(server, to=("b@packages.example",)))


def test_a_password_is_not_sent_in_the_clear_over_a_network() -> None:
    channel = Mail(host="mail.invalid", port=25, tls="none", sender="a@b.example", to=("c@d.example",), user="robot")
    with pytest.raises(ReleaseError, match="without encryption"):
        send(channel, random_text(24))


# -- Apprise ----------------------------------------------------------------------------------------


def test_apprise_delivers_and_what_it_can_not_do_is_told_without_the_address(capfd: pytest.CaptureFixture[str]) -> None:
    """One test, since Apprise takes seconds to load its hundred plug-ins."""
    secret, answers = random_text(24), iter([200, 500])
    with loopback_server(lambda one: one.reply(next(answers))) as server:
        address = f"{server.url.replace('http:', 'json:')}/{secret}"
        notify(address, title="a title", text="a <text> & more")
        for form in (address, f"nothing://{secret}", secret):
            with pytest.raises(ReleaseError) as raised:
                notify(form, title="a", text="b")
            assert secret not in f"{raised.value.message} {raised.value.remedy}"
    sent = json.loads(server.asked[0].body)
    assert (sent["title"], sent["message"]) == ("a title", "a <text> & more")
    assert len(server.asked) == 2
    assert capfd.readouterr() == ("", "")


def test_apprise_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ReleaseError) as raised:
        notify("json://127.0.0.1", title="a", text="b")
    assert "pypi-preflight[notify]" in raised.value.remedy
