"""Messages: what is announced, and that each is delivered once, also if a server, a run or the history fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from release.core.errors import UsageError
from release.core.models.token_health import StatusChange, TokenStatus
from release.token_health import fleet
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.notify import delivery
from release.token_health.notify.delivery import (
    LEASE,
    DeliveryReport,
    OutboxMessage,
    announce,
    mark_delivered,
    mark_failed,
    require_channels,
)
from tests.adapters.loopback_server import Handler, loopback_server
from tests.adapters.mail_server import mail_server
from tests.fake_tokens import random_text
from tests.patience import PATIENCE
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
        go.wait(PATIENCE)
        one.reply(200)

    answer["/hook"] = slowly
    told: list[DeliveryReport] = []
    first = threading.Thread(target=lambda: told.append(office.run(REVOKED)))
    first.start()
    assert arrived.wait(PATIENCE)
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
from release.token_health.notify import delivery, webhook
from datetime import datetime, UTC
where, url, moment, seen = sys.argv[1:]
die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before it is written": delivery.announce = die
if moment == "before it is sent": webhook.Webhook.send = die
if moment == "before it is noted": delivery.mark_delivered = die
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
        env={**os.environ, "PYTHONPATH": str(root)}, cwd=root, check=False, timeout=240,
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


REMIND = timedelta(days=7)
EXPIRING = replace(HEALTHY, word="warning", state="expiring", cause="the-token-lasts")
UNKNOWN = replace(HEALTHY, word="unknown", state="unknown", cause="net.timeout-reset")


@pytest.fixture
def clock() -> Clock:
    return Clock(now=datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def history(tmp_path: Path, clock: Clock) -> Iterator[History]:
    made = History(tmp_path / DATABASE_NAME, now=clock)
    yield made
    made.close()


def see(history: History, *seen: TokenStatus) -> None:
    history.begin(len(seen))
    history.add(seen)
    history.end(0)


def mail(found: Sequence[StatusChange]) -> list[tuple[str, Any]]:
    return [("mail", [one.now.state for one in found])]


def told(history: History, clock: Clock) -> list[tuple[str, str, str]]:
    found = announce(history, mail, now=clock(), remind_after=REMIND)
    return [(one.kind, one.before, one.now.state) for one in found]


def due_messages(history: History, *, now: datetime) -> tuple[OutboxMessage, ...]:
    """What would be delivered now, the oldest first."""
    rows = history.select(f"{delivery._DUE} ORDER BY id", [int(now.timestamp())] * 2)
    return tuple(delivery._message(row) for row in rows)


#: (what is seen, days since the last look) → what is told
STORIES: dict[str, list[tuple[TokenStatus, float, list[tuple[str, str, str]]]]] = {
    "what was in order from the start is not told": [(HEALTHY, 0, []), (HEALTHY, 1, [])],
    "broken once, reminded, healed": [
        (HEALTHY, 0, []),
        (REVOKED, 1, [("worse", "healthy", "revoked")]),
        (REVOKED, 1, []),
        (REVOKED, 5, []),
        (REVOKED, 1, [("reminder", "revoked", "revoked")]),
        (REVOKED, 1, []),
        (HEALTHY, 1, [("healed", "revoked", "healthy")]),
        (HEALTHY, 30, []),
    ],
    "expiring, then expired": [
        (EXPIRING, 0, [("worse", "healthy", "expiring")]),
        (replace(REVOKED, state="expired", cause="cred.expired"), 1, [("worse", "expiring", "expired")]),
        (REVOKED, 1, [("otherwise", "expired", "revoked")]),
    ],
    "a network that was gone for a moment is not told": [
        (REVOKED, 0, [("worse", "healthy", "revoked")]),
        (UNKNOWN, 0.1, []),
        (UNKNOWN, 0.5, []),
        (REVOKED, 0.1, []),
        (HEALTHY, 1, [("healed", "revoked", "healthy")]),
        (UNKNOWN, 1, []),
        (HEALTHY, 0.5, []),
    ],
    "one that is gone for a day is": [
        (UNKNOWN, 0, []),
        (UNKNOWN, 1, [("worse", "healthy", "unknown")]),
        (UNKNOWN, 1, []),
        (HEALTHY, 1, [("healed", "unknown", "healthy")]),
    ],
    "a clock that was set back silences nothing": [
        (HEALTHY, 0, []),
        (REVOKED, 3650, [("worse", "healthy", "revoked")]),
        (REVOKED, -3650, [("reminder", "revoked", "revoked")]),
        (REVOKED, 1, []),
    ],
}


@pytest.mark.parametrize("story", STORIES)
def test_what_is_told(history: History, clock: Clock, story: str) -> None:
    for number, (seen, days, expected) in enumerate(STORIES[story]):
        clock.advance(days=days)
        see(history, seen)
        assert told(history, clock) == expected, number
        assert told(history, clock) == [], "told twice"


def test_a_change_has_the_status_and_its_time(history: History, clock: Clock) -> None:
    see(history, REVOKED)
    (one,) = announce(history, mail, now=clock(), remind_after=REMIND)
    assert (one.now, one.since) == (REVOKED, clock())


def test_what_is_not_watched_any_more_is_not_told_of(history: History, clock: Clock) -> None:
    see(history, REVOKED, replace(REVOKED, place="$OTHER"))
    assert len(told(history, clock)) == 2
    clock.advance(days=30)
    see(history, replace(REVOKED, place="$OTHER"))
    assert len(told(history, clock)) == 1


def test_of_two_runs_one_tells(history: History, clock: Clock, tmp_path: Path) -> None:
    other = History(tmp_path / DATABASE_NAME, now=clock)
    see(history, REVOKED)
    see(other, REVOKED)
    assert len(told(other, clock)) + len(told(history, clock)) == 1
    assert [one.payload for one in due_messages(history, now=clock())] == [["revoked"]]
    other.close()


def test_a_run_that_fails_while_it_writes_its_letters_has_told_nothing(history: History, clock: Clock) -> None:
    see(history, REVOKED)

    def broken(_found: Sequence[StatusChange]) -> list[tuple[str, Any]]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        announce(history, broken, now=clock(), remind_after=REMIND)
    assert due_messages(history, now=clock()) == ()
    assert len(told(history, clock)) == 1


def test_a_letter_stays_until_it_is_delivered(history: History, clock: Clock) -> None:
    see(history, REVOKED)
    told(history, clock)
    (letter,) = due_messages(history, now=clock())
    assert (letter.channel, letter.payload, letter.attempts) == ("mail", ["revoked"], 0)
    mark_failed(history, letter, "the server is gone", now=clock())
    assert due_messages(history, now=clock()) == ()
    clock.advance(minutes=1)
    (letter,) = due_messages(history, now=clock())
    assert (letter.attempts, letter.error) == (1, "the server is gone")
    mark_failed(history, letter, "still", now=clock())
    clock.advance(minutes=1)
    assert due_messages(history, now=clock()) == ()
    clock.advance(minutes=1)
    (letter,) = due_messages(history, now=clock())
    mark_delivered(history, letter)
    clock.advance(days=300)
    assert due_messages(history, now=clock()) == ()


def test_without_a_history_nothing_is_told_and_nothing_breaks(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file" / DATABASE_NAME, now=clock)
    see(history, REVOKED)
    assert told(history, clock) == []
    assert due_messages(history, now=clock()) == ()
