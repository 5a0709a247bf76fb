"""What is to be told of the credentials, so that it is told once; and what could not be delivered yet.

How something that tells people uses this, after a run:

    history = History(path, now=system.now); …                  # a run that was recorded
    told = announce(history, letters, now=…, remind_after=…)    # decides, and puts letters into the outbox
    while letter := claim(history, channels, now=…):            # of this run and of earlier ones
        try: deliver(letter.channel, letter.payload)
        except DeliveryError as error: failed(history, letter, str(error), now=…)
        else: delivered(history, letter)

`changes` alone looks and writes nothing. `announce` decides and writes the letters in one transaction: of two
runs at once, one tells; and a run that is killed has either told nothing, and the next one does, or left its
letters in the outbox, and the next one delivers them.

What is told: a credential that is worse than what was told of it last, that is in another trouble, or that is
in order again; what is still wrong after `remind_after`; and a network that was gone only once it has been so
for a day, since most come back. Nothing is told of what was in order from the start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from release.core.models.token_health import StatusChange
from release.token_health.health_history import History, from_timestamp, status_from_row

#: how long nobody must have been able to tell, until that is told
PATIENCE = timedelta(days=1)
#: for how long a letter is left to the run that is delivering it; longer than any delivery may take
LEASE = timedelta(minutes=10)
#: the longest time between two attempts to deliver a letter
_LONGEST = timedelta(hours=6)
#: worse is more
_RANK = {"healthy": 0, "warning": 1, "unknown": 2, "broken": 3}

_NOW = """
SELECT w.id AS watch, w.index_name, w.upload_url, w.project, w.place,
       o.word, o.state, o.cause, o.message, o.remedy, o.first_seen, o.last_seen, c.checks,
       t.fingerprint, t.identifier, t.scope, t.expires,
       a.word AS told_word, a.state AS told_state, a.cause AS told_cause, a.at AS told_at
FROM watches w JOIN observations o ON o.id = w.current JOIN outcomes c ON c.id = o.outcome
LEFT JOIN tokens t ON t.id = coalesce(o.token, w.token) LEFT JOIN announcements a ON a.watch = w.id
WHERE w.last_run = ? ORDER BY w.id
"""

_DUE = "SELECT * FROM outbox WHERE (due <= ? OR created > ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """Something for somebody, until it is delivered."""

    id: int
    #: how it is delivered, as the channel calls itself: "webhook", "mail", …
    channel: str
    #: whatever the channel wrote; no secret
    payload: Any
    #: aware, UTC
    created: datetime
    #: how often it was tried in vain
    attempts: int
    #: what went wrong last
    error: str


#: (channel, payload for JSON) for each letter that these changes are worth
Letters = Callable[[Sequence[StatusChange]], Sequence[tuple[str, Any]]]


def changes(
    history: History, *, now: datetime, remind_after: timedelta, run: int | None = None
) -> tuple[StatusChange, ...]:
    """What is to be told after a run (default: the one that `history` has just recorded). Writes nothing."""
    rows = history.select(_NOW, [history.run if run is None else run])
    return tuple(_changes(rows, now, remind_after))


def announce(
    history: History, letters: Letters, *, now: datetime, remind_after: timedelta, run: int | None = None
) -> tuple[StatusChange, ...]:
    """Decide what is to be told, and put the letters for it into the outbox; all of it, or nothing.

    Where there is no history to write to, nothing is known to have been told, and nothing is.
    """
    number = history.run if run is None else run

    def decide(db: sqlite3.Connection) -> tuple[StatusChange, ...]:
        found = tuple(_changes(db.execute(_NOW, [number]).fetchall(), now, remind_after))
        db.executemany(
            "INSERT OR REPLACE INTO announcements (watch, word, state, cause, at) VALUES (?, ?, ?, ?, ?)",
            [(one.watch, one.now.word, one.now.state, one.now.cause, _seconds(now)) for one in found],
        )
        db.executemany(
            "INSERT INTO outbox (channel, payload, created, due) VALUES (?, ?, ?, ?)",
            [(channel, json.dumps(payload), _seconds(now), _seconds(now)) for channel, payload in letters(found)]
            if found
            else [],
        )
        return found

    return history.write(decide) or ()


def due(history: History, *, now: datetime) -> tuple[OutboxMessage, ...]:
    """What is to be delivered now, the oldest first."""
    return tuple(map(_letter, history.select(f"{_DUE} ORDER BY id", [_seconds(now)] * 2)))


def claim_message(history: History, channels: Collection[str], *, now: datetime) -> OutboxMessage | None:
    """The oldest letter for one of these channels that is to be delivered now; None where there is none.

    For a while no other run gets it: of two runs at once, one delivers it; where that one is killed, a later one does.
    """
    query = f"{_DUE} AND {_among(channels)} ORDER BY id LIMIT 1"

    def take(db: sqlite3.Connection) -> OutboxMessage | None:
        row = db.execute(query, [_seconds(now), _seconds(now), *channels]).fetchone()
        if row is None:
            return None
        # A letter of the future, by a clock that has been set back since, would be due for everybody at once.
        db.execute(
            "UPDATE outbox SET due = ?, created = min(created, ?) WHERE id = ?",
            [_seconds(now + LEASE), _seconds(now), row["id"]],
        )
        return _letter(row)

    return history.write(take)


def count_pending(history: History, channels: Collection[str]) -> int:
    """How many letters for these channels have not arrived yet."""
    query = f"SELECT count(*) AS n FROM outbox WHERE {_among(channels)}"  # noqa: S608 - question marks alone
    return sum(int(row["n"]) for row in history.select(query, list(channels)))


def _among(channels: Collection[str]) -> str:
    return f"channel IN ({','.join('?' * len(channels))})"


def _letter(row: sqlite3.Row) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"], channel=row["channel"], payload=json.loads(row["payload"]),
        created=from_timestamp(row["created"]), attempts=row["attempts"], error=row["error"],
    )  # fmt: skip


def mark_delivered(history: History, letter: OutboxMessage) -> None:
    """It has arrived."""
    history.write(lambda db: db.execute("DELETE FROM outbox WHERE id = ?", [letter.id]))


def mark_failed(history: History, letter: OutboxMessage, error: str, *, now: datetime) -> None:
    """It has not, and is tried again: in a minute, then after twice as long each time, up to six hours."""
    again = now + min(timedelta(minutes=2 ** min(letter.attempts, 10)), _LONGEST)
    values = (_seconds(again), error, letter.id)
    history.write(
        lambda db: db.execute("UPDATE outbox SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?", values)
    )


def _changes(rows: Sequence[sqlite3.Row], now: datetime, remind_after: timedelta) -> Iterator[StatusChange]:
    for row in rows:
        kind = _kind(row, now, remind_after)
        if kind is not None:
            yield StatusChange(
                watch=row["watch"], kind=kind, before=row["told_state"] or "healthy", now=status_from_row(row),  # type: ignore[arg-type] # one of the four
                since=from_timestamp(row["first_seen"]),
            )  # fmt: skip


def _kind(row: sqlite3.Row, now: datetime, remind_after: timedelta) -> str | None:
    word, told = row["word"], row["told_word"] or "healthy"
    if word == "unknown" and told != "unknown" and now - from_timestamp(row["first_seen"]) < PATIENCE:
        return None
    if (word, row["state"], row["cause"]) == (told, row["told_state"], row["told_cause"]):
        at = from_timestamp(row["told_at"])
        # a clock that was set back makes an announcement of the future, which would silence it until then
        return "reminder" if word != "healthy" and (now - at >= remind_after or at > now) else None
    if word == "healthy":
        return "healed" if told != "healthy" else None
    return "worse" if _RANK[word] > _RANK[told] else "otherwise"


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
