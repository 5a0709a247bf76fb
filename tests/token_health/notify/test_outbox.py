"""What is to be told is told once, again when it heals or after a while; and no letter is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from release.core.models.token_health import StatusChange, TokenStatus
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.notify import outbox
from release.token_health.notify.outbox import OutboxMessage, announce, mark_delivered, mark_failed
from tests.sandbox.sandbox_client import Clock
from tests.token_health.test_health_history import HEALTHY, REVOKED

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
    rows = history.select(f"{outbox._DUE} ORDER BY id", [int(now.timestamp())] * 2)
    return tuple(outbox._message(row) for row in rows)


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
