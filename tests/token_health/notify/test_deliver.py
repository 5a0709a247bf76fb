"""Who is to be told is told once: when a server is gone, when two runs meet, when one is killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from release.core.errors import UsageError
from release.token_health import fleet
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.notify.deliver import DeliveryReport, require_channels
from release.token_health.notify.outbox import LEASE
from tests.adapters.loopback_server import Handler, loopback_server
from tests.adapters.mail_server import mail_server
from tests.fake_tokens import random_text
from tests.sandbox.sandbox_client import Clock
from tests.token_health.notify.notification_runs import NotificationRuns
from tests.token_health.test_health_history import HEALTHY, REVOKED


@pytest.fixture
def answer() -> dict[str, Callable[[Handler], None]]:
    """How the server answers; a test may change it."""
    return {"/hook": lambda one: one.reply(200), "/ping": lambda one: one.reply(200)}


@pytest.fixture
def office(tmp_path: Path, answer: dict[str, Callable[[Handler], None]]) -> Iterator[NotificationRuns]:
    with loopback_server(lambda one: answer[one.path](one)) as hook:
        yield NotificationRuns(directory=tmp_path, clock=Clock(now=datetime(2026, 11, 1, tzinfo=UTC)), hook=hook)


def test_a_broken_token_is_told_once_and_again_when_it_heals(office: NotificationRuns) -> None:
    for days, seen, expected in (
        (0, HEALTHY, []),
        (1, REVOKED, ["revoked"]),
        (1, REVOKED, []),
        (7, REVOKED, ["revoked"]),
        (1, HEALTHY, ["healthy"]),
        (1, HEALTHY, []),
    ):
        office.clock.advance(days=days)
        told = office.run(seen)
        assert [one.now.state for one in told.changes] == expected
        assert (told.waiting, told.problems, told.pinged) == (0, (), True)
    assert office.got() == [["revoked"], ["revoked"], ["healthy"]]
    assert office.pings() == 6
    numbers = [one.headers["idempotency-key"] for one in office.posts()]
    assert len(set(numbers)) == 3


def test_what_could_not_be_delivered_is_told_and_delivered_by_the_next_run(
    office: NotificationRuns, answer: dict[str, Callable[[Handler], None]]
) -> None:
    answer["/hook"] = lambda one: one.reply(503)
    told = office.run(REVOKED)
    ((message, remedy),) = told.problems
    assert "webhook $HOOK: '127.0.0.1' answers 503" in message
    assert remedy
    assert (told.waiting, told.pinged, told.delivered) == (1, False, ())
    told = office.run(REVOKED)
    assert (told.changes, told.problems, told.waiting, told.pinged) == ((), (), 1, False), "left alone for a minute"
    office.clock.advance(minutes=2)
    answer["/hook"] = lambda one: one.reply(200)
    told = office.run(REVOKED)
    assert (told.changes, told.delivered, told.waiting, told.pinged) == ((), ("webhook $HOOK",), 0, True)
    first, last = office.posts()
    assert first.body == last.body


def test_a_channel_that_fails_holds_up_no_other(office: NotificationRuns, tmp_path: Path) -> None:
    with mail_server(tmp_path) as server:
        mail = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "a@b.example", "to": "c@d.example"}
        office.table = {"webhook": [{"env": "NOT_SET"}, {"env": "HOOK"}], "mail": mail}
        told = office.run(REVOKED)
    assert told.problems[0][0] == "webhook $NOT_SET: $NOT_SET is not set"
    assert office.got() == [["revoked"]]
    assert server.messages[0]["Subject"] == "token health: revoked: pypi, acme-widget"
    assert "pypi does not know it" in server.messages[0].get_content()
    assert told.waiting == 1


def test_a_channel_that_fails_is_tried_once_in_a_run(
    office: NotificationRuns, answer: dict[str, Callable[[Handler], None]]
) -> None:
    answer["/hook"] = lambda one: one.reply(500)
    office.run(REVOKED)
    office.run(HEALTHY)
    office.clock.advance(hours=1)
    assert office.run(HEALTHY).waiting == 2
    assert office.got() == [["revoked"], ["healthy"], ["revoked"]]
    answer["/hook"] = lambda one: one.reply(200)
    office.clock.advance(hours=1)
    assert office.run(HEALTHY).waiting == 0
    assert office.got()[3:] == [["revoked"], ["healthy"]]


def test_what_waits_for_one_channel_goes_to_no_other(office: NotificationRuns) -> None:
    office.table = {"webhook": {"env": "NOT_SET"}}
    office.run(REVOKED)
    office.clock.advance(hours=1)
    office.table = {"webhook": {"env": "HOOK"}}
    told = office.run(REVOKED)
    assert (told.delivered, told.waiting) == ((), 0)
    assert office.got() == []


def test_of_two_runs_at_once_one_delivers(
    office: NotificationRuns, answer: dict[str, Callable[[Handler], None]]
) -> None:
    """The first one is still delivering when the second one, which has seen the same, comes to its end."""
    arrived, go = threading.Event(), threading.Event()

    def slowly(one: Handler) -> None:
        arrived.set()
        go.wait(30)
        one.reply(200)

    answer["/hook"] = slowly
    told: list[DeliveryReport] = []
    first = threading.Thread(target=lambda: told.append(office.run(REVOKED)))
    first.start()
    assert arrived.wait(30)
    second = office.run(REVOKED)
    go.set()
    first.join(30)
    assert office.got() == [["revoked"]]
    assert (told[0].delivered, second.delivered) == (("webhook $HOOK",), ())
    assert (told[0].pinged, second.pinged) == (True, False), "the second can't know yet that it arrives"


KILLED = """
import json, os, signal, sys
from pathlib import Path
from tests.token_health.notify.notification_runs import NotificationRuns
from tests.adapters.loopback_server import Server
from tests.sandbox.sandbox_client import Clock
from release.core.models.token_health import TokenStatus
from release.token_health.notify import outbox, webhook
from datetime import datetime, UTC
where, url, moment, seen = sys.argv[1:]
die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before it is written": outbox.announce = die
if moment == "before it is sent": webhook.Webhook.send = die
if moment == "before it is noted": outbox.mark_delivered = die
clock = Clock(now=datetime(2026, 11, 1, tzinfo=UTC))
NotificationRuns(directory=Path(where), clock=clock, hook=Server(url=url)).run(TokenStatus(**json.loads(seen)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("moment", ["before it is written", "before it is sent", "before it is noted"])
def test_nothing_is_lost_by_a_run_that_is_killed(office: NotificationRuns, moment: str) -> None:
    """Nor doubled, but where the server had it and nobody could note that: then it has the same number."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(office.directory), office.hook.url, moment, json.dumps(asdict(REVOKED))],
        env={**os.environ, "PYTHONPATH": str(root)}, cwd=root, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -9
    office.clock.advance(minutes=1)
    office.run(REVOKED)
    office.clock.advance(seconds=LEASE.total_seconds())
    assert office.run(REVOKED).waiting == 0
    assert office.got() == [["revoked"]] * (2 if moment == "before it is noted" else 1)
    assert len({one.headers["idempotency-key"] for one in office.posts()}) == 1


def test_without_a_history_nobody_is_told_and_that_is_said(office: NotificationRuns, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = office.run(REVOKED, history=History(tmp_path / "file" / DATABASE_NAME, now=office.clock))
    assert (told.changes, told.pinged) == ((), False)
    assert "no notifications for this run" in told.problems[0][0]
    assert office.hook.asked == []


@pytest.mark.parametrize("how", ["interrupted", "nothing to watch", "no answer"])
def test_the_ping_is_left_out_where_somebody_should_look(
    office: NotificationRuns, answer: dict[str, Callable[[Handler], None]], how: str
) -> None:
    if how == "no answer":
        answer["/ping"] = lambda one: one.reply(404)
    told = office.run(*([] if how == "nothing to watch" else [HEALTHY]), interrupted=how == "interrupted")
    assert told.pinged is False
    assert bool(told.problems) == (how == "no answer")


def test_no_address_and_no_password_is_kept(
    office: NotificationRuns, answer: dict[str, Callable[[Handler], None]]
) -> None:
    secret = random_text(32)
    office.env = {"HOOK": f"{office.hook.url}/{secret}", "PING": f"{office.hook.url}/{secret}"}
    answer[f"/{secret}"] = lambda one: one.reply(500, body=secret, reason=f"no {secret}"[:3])
    told = office.run(REVOKED)
    kept = b"".join(one.read_bytes() for one in office.directory.rglob("*") if one.is_file())
    assert told.problems
    assert secret.encode() not in kept + repr(told).encode()


def test_there_must_be_somebody_to_tell_and_something_to_say() -> None:
    with pytest.raises(UsageError, match="no notification channel is configured"):
        require_channels(fleet.parse_fleet({}), offline=False, where="fleet.toml")
    told = fleet.parse_fleet({"notify": {"ping": {"env": "PING"}}})
    with pytest.raises(UsageError, match="--offline"):
        require_channels(told, offline=True, where="fleet.toml")
    require_channels(told, offline=False, where="fleet.toml")
