"""Decide which changes to announce, each once, and store messages until they are delivered.

After a run has been recorded:

    changes = announce(history, make_messages, now=…, remind_after=…)       # decides, and fills the outbox
    while message := claim_message(history, channels, now=…):               # of this run and of earlier ones
        try: deliver(message.channel, message.payload)
        except ReleaseError as error: mark_failed(history, message, error.message, now=…)
        else: mark_delivered(history, message)

`announce` decides and stores the messages in one transaction. Of two runs at the same time, only one announces. A
killed run has either announced nothing, so the next run does, or stored its messages, so the next run delivers them.

A change is announced if a credential is worse than what was last announced of it, has another problem, or is healthy
again; a problem that remains is announced again after `remind_after`. An unreachable network is announced after a day,
since most outages are short. A credential that was healthy from the start is not announced.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from release.core.models.token_health import StatusChange
from release.token_health.health_history import History, from_timestamp, status_from_row, to_timestamp

#: how long a status must be unknown before that is announced
UNKNOWN_GRACE_PERIOD = timedelta(days=1)
#: how long a message is reserved for the run that is delivering it; longer than any delivery may take
LEASE = timedelta(minutes=10)
#: the longest time between two attempts to deliver a message
_MAX_BACKOFF = timedelta(hours=6)
#: higher is worse
_SEVERITY = {"healthy": 0, "warning": 1, "unknown": 2, "broken": 3}

_STATUSES = """
SELECT w.id AS watch, w.index_name, w.upload_url, w.project, w.place,
       o.word, o.state, o.cause, o.message, o.remedy, o.first_seen, o.last_seen, c.checks,
       t.fingerprint, t.identifier, t.scope, t.expires,
       a.word AS announced_word, a.state AS announced_state, a.cause AS announced_cause, a.at AS announced_at
FROM watches w JOIN observations o ON o.id = w.current JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = coalesce(o.token, w.token) LEFT JOIN announcements a ON a.watch = w.id
WHERE w.last_run = ? ORDER BY w.id
"""
#: a message from the future was created before the clock was set back
_DUE = "SELECT * FROM outbox WHERE (due <= ? OR created > ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """A message that has not been delivered yet."""

    id: int
    #: the name of the channel
    channel: str
    #: what the channel delivers; no secret
    payload: Any
    #: aware, UTC
    created: datetime
    #: failed attempts
    attempts: int
    #: of the last attempt
    error: str


#: returns (channel, payload for JSON) of each message for these changes
MakeMessages = Callable[[Sequence[StatusChange]], Sequence[tuple[str, Any]]]


def announce(
    history: History, make_messages: MakeMessages, *, now: datetime, remind_after: timedelta
) -> tuple[StatusChange, ...]:
    """Return the changes to announce after the run that `history` has recorded, and store the messages for them.

    Returns nothing if the history cannot be written, since then nothing is known about earlier announcements.
    """

    def decide(db: sqlite3.Connection) -> tuple[StatusChange, ...]:
        changes = tuple(_changes(db.execute(_STATUSES, [history.run]).fetchall(), now, remind_after))
        db.executemany(
            "INSERT OR REPLACE INTO announcements (watch, word, state, cause, at) VALUES (?, ?, ?, ?, ?)",
            [(one.watch, one.now.word, one.now.state, one.now.cause, to_timestamp(now)) for one in changes],
        )
        created = to_timestamp(now)
        db.executemany(
            "INSERT INTO outbox (channel, payload, created, due) VALUES (?, ?, ?, ?)",
            [
                (channel, json.dumps(payload), created, created)
                for channel, payload in (make_messages(changes) if changes else ())
            ],
        )
        return changes

    return history.write(decide) or ()


def claim_message(history: History, channels: Collection[str], *, now: datetime) -> OutboxMessage | None:
    """Return the oldest message for one of these channels that is due, and reserve it; None if there is none.

    Until the lease ends, no other run gets it; then another one does, because this run may have been killed.
    """
    query = f"{_DUE} AND {_in(channels)} ORDER BY id LIMIT 1"

    def claim(db: sqlite3.Connection) -> OutboxMessage | None:
        row = db.execute(query, [to_timestamp(now), to_timestamp(now), *channels]).fetchone()
        if row is None:
            return None
        # a creation time in the future, from before the clock was set back, would make it due for all runs
        db.execute(
            "UPDATE outbox SET due = ?, created = min(created, ?) WHERE id = ?",
            [to_timestamp(now + LEASE), to_timestamp(now), row["id"]],
        )
        return _message(row)

    return history.write(claim)


def count_pending(history: History, channels: Collection[str]) -> int:
    """Return the number of messages for these channels that have not been delivered."""
    query = f"SELECT count(*) AS n FROM outbox WHERE {_in(channels)}"  # noqa: S608 - question marks alone
    return sum(int(row["n"]) for row in history.select(query, list(channels)))


def _in(channels: Collection[str]) -> str:
    return f"channel IN ({','.join('?' * len(channels))})"


def _message(row: sqlite3.Row) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"], channel=row["channel"], payload=json.loads(row["payload"]),
        created=from_timestamp(row["created"]), attempts=row["attempts"], error=row["error"],
    )  # fmt: skip


def mark_delivered(history: History, message: OutboxMessage) -> None:
    history.write(lambda db: db.execute("DELETE FROM outbox WHERE id = ?", [message.id]))


def mark_failed(history: History, message: OutboxMessage, error: str, *, now: datetime) -> None:
    """Schedule the next attempt: after a minute, then after twice as long each time, up to six hours."""
    due = now + min(timedelta(minutes=2 ** min(message.attempts, 10)), _MAX_BACKOFF)
    values = (to_timestamp(due), error, message.id)
    history.write(
        lambda db: db.execute("UPDATE outbox SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?", values)
    )


def _changes(rows: Sequence[sqlite3.Row], now: datetime, remind_after: timedelta) -> Iterator[StatusChange]:
    for row in rows:
        kind = _kind(row, now, remind_after)
        if kind is not None:
            yield StatusChange(
                watch=row["watch"], kind=kind, before=row["announced_state"] or "healthy",  # type: ignore[arg-type] # one of the four
                now=status_from_row(row), since=from_timestamp(row["first_seen"]),
            )  # fmt: skip


def _kind(row: sqlite3.Row, now: datetime, remind_after: timedelta) -> str | None:
    """Return the kind of the change; None if there is nothing to announce."""
    word, announced = row["word"], row["announced_word"] or "healthy"
    unknown_since = from_timestamp(row["first_seen"])
    if word == "unknown" and announced != "unknown" and now - unknown_since < UNKNOWN_GRACE_PERIOD:
        return None
    if (word, row["state"], row["cause"]) == (announced, row["announced_state"], row["announced_cause"]):
        at = from_timestamp(row["announced_at"])
        # an announcement from before the clock was set back is in the future, and must not prevent reminders
        return "reminder" if word != "healthy" and (now - at >= remind_after or at > now) else None
    if word == "healthy":
        return "healed" if announced != "healthy" else None
    return "worse" if _SEVERITY[word] > _SEVERITY[announced] else "otherwise"
