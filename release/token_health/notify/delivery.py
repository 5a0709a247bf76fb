"""Notify people of changes: write messages to the outbox, deliver those that are due, and ping the heartbeat monitor.

A failure here is reported, and retried by the next run. It does not change the exit status.

`announce` decides and stores the messages in one transaction. Of two runs at the same time, only one announces. A
killed run has either announced nothing, so the next run does, or stored its messages, so the next run delivers them.

A change is announced if a credential is worse than what was last announced of it, has another problem, or is healthy
again; a problem that remains is announced again after `remind_after`. An unreachable network is announced after a day,
since most outages are short. A credential that was healthy from the start is not announced.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from release.adapters.system.system import System
from release.core.errors import ReleaseError, UsageError
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.secret_location import ConfiguredLocation
from release.core.models.token_health import HealthReport, StatusChange
from release.core.secret import Secret
from release.credentials.sources import configured_locations
from release.reports import token_health_text
from release.reports.lines import Line, format_iso_time
from release.token_health.database import from_timestamp, status_from_row, to_timestamp
from release.token_health.fleet import Fleet
from release.token_health.health_history import History
from release.token_health.health_run import ScanRequest
from release.token_health.notify import CHANNELS, Channel, webhook


class DeliveryReport(Struct, frozen=True, kw_only=True):
    """What was announced and delivered."""

    #: announced by this run
    changes: tuple[StatusChange, ...] = ()
    #: the channel of each delivered message
    delivered: tuple[str, ...] = ()
    #: messages that have not been delivered yet, of this run and of earlier ones
    waiting: int = 0
    #: (what went wrong, remedy)
    problems: tuple[tuple[str, str], ...] = ()
    #: whether the heartbeat was sent; None if no monitor is configured
    pinged: bool | None = None


def require_channels(fleet: Fleet, *, offline: bool, where: str) -> None:
    """Raise `UsageError` if no channel is configured, or if nothing can be known; `where` names the configuration."""
    if not fleet.notify.channels and fleet.notify.ping is None:
        raise UsageError(
            "no notification channel is configured",
            remedy=f"add a table [notify] to {where}: {', '.join(CHANNELS)} or ping (docs/notifications.md)",
        )
    if offline:
        raise UsageError(
            "--notify cannot be used with --offline: only the index knows whether a token works",
            remedy="omit one of them",
        )


def send_notifications(system: System, history: History, request: ScanRequest, report: HealthReport) -> DeliveryReport:
    """Announce the changes of a run that has been recorded, and deliver all messages. Closes the history."""
    fleet = request.fleet
    delivery = _Delivery(system, history, request.directory, fleet.notify.channels)
    changes: tuple[StatusChange, ...] = ()
    if fleet.notify.channels:
        changes = announce(history, delivery.messages, now=system.now(), remind_after=fleet.remind_after)
        delivery.deliver()
    if report.forgotten is not None or history.error is not None:
        problem = "no notifications for this run: the history cannot be used to determine what is new"
        remedy = report.forgotten[1] if report.forgotten is not None else history.error.remedy if history.error else ""
        delivery.problems.append((problem, remedy))
    waiting = count_pending(history, [one.name for one in fleet.notify.channels])
    history.close()
    pinged: bool | None = None
    if fleet.notify.ping is not None:
        # the heartbeat confirms that the run is complete and all messages are delivered
        pinged = bool(report.rows) and not report.interrupted and not delivery.problems and not waiting
        try:
            if pinged:
                webhook.ping(delivery.read_secret(fleet.notify.ping))
        except ReleaseError as error:
            pinged = False
            delivery.problems.append((f"ping: {error.message}", error.remedy))
    return DeliveryReport(
        changes=changes, delivered=tuple(delivery.delivered), waiting=waiting, problems=tuple(delivery.problems),
        pinged=pinged,
    )  # fmt: skip


def report_to_text(report: DeliveryReport) -> Iterator[Line]:
    """Return the result for people, without the problems."""
    channels = f": by {', '.join(dict.fromkeys(report.delivered))}" if report.delivered else ""
    count = len(report.changes)
    text = f"{count} change{'s' if count > 1 else ''} announced" if count else "no new changes"
    yield Line(text=f"  {text}{channels}", style="dim")
    if report.waiting:
        noun = "message" if report.waiting == 1 else "messages"
        yield Line(text=f"  {report.waiting} {noun} not delivered yet: the next run retries", style="bold yellow")
    if report.pinged is False:
        yield Line(text="  heartbeat not sent, so your monitor will alert", style="bold yellow")


def report_to_json(report: DeliveryReport) -> dict[str, Any]:
    """Return the result for JSON."""
    return {
        "changes": [
            {"kind": one.kind, "before": one.before, "since": format_iso_time(one.since)}
            | token_health_text.token_status_to_json(one.now)
            for one in report.changes
        ],
        "delivered": list(report.delivered),
        "waiting": report.waiting,
        "pinged": report.pinged,
        "problems": [{"message": message, "remedy": remedy} for message, remedy in report.problems],
    }


class _Delivery:
    """Makes the messages, and delivers them."""

    def __init__(self, system: System, history: History, directory: Path, channels: Sequence[Channel]) -> None:
        self._system, self._history, self._directory = system, history, directory
        self._channels = {one.name: one for one in channels}
        self._secrets: dict[ConfiguredLocation, Secret] = {}
        self.delivered: list[str] = []
        self.problems: list[tuple[str, str]] = []

    def messages(self, changes: Sequence[StatusChange]) -> list[tuple[str, Any]]:
        """Return one message for each channel."""
        at = self._system.now()
        return [
            (name, token_health_text.notification_to_json(changes, number=str(uuid.uuid4()), at=at))
            for name in self._channels
        ]

    def deliver(self) -> None:
        """Deliver all messages that are due. After a failure, a channel is not used again in this run."""
        channels = dict(self._channels)
        while channels and (message := claim_message(self._history, channels, now=self._system.now())):
            name = message.channel
            try:
                refused = channels[name].send(message.payload, self.read_secret)
            except ReleaseError as error:
                mark_failed(self._history, message, error.message, now=self._system.now())
                self.problems.append((f"{name}: {error.message}", error.remedy))
                del channels[name]
                continue
            mark_delivered(self._history, message)
            self.delivered.append(name)
            if refused:
                problem = f"{name}: the server refused {', '.join(refused)} and accepted the other recipients"
                self.problems.append((problem, f"correct the recipients in [notify.{name.partition(' ')[0]}]"))

    def read_secret(self, location: ConfiguredLocation) -> Secret:
        """Return the secret in a location, which is read once. Raises `ReleaseError` if there is none."""
        if location in self._secrets:
            return self._secrets[location]
        resolution = configured_locations.read_location(
            self._system, location, username="", directory=self._directory
        ).resolution
        match resolution.credential:
            case Credential(password=password):
                return self._secrets.setdefault(location, password)
            case Unknown(reason=reason, remedy=remedy):
                raise ReleaseError(reason, remedy=remedy)
            case _:
                remark = resolution.remarks[0]
                raise ReleaseError(remark.message, remedy=remark.remedy)


#: how long a status must be unknown before that is announced
UNKNOWN_GRACE_PERIOD = timedelta(days=1)
#: how long a message is reserved for the run that is delivering it; longer than any delivery may take
LEASE = timedelta(minutes=10)
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


class OutboxMessage(Struct, frozen=True, kw_only=True):
    """A message that has not been delivered yet."""

    id: int
    #: the name of the channel
    channel: str
    #: what the channel delivers; no secret
    payload: Any
    #: failed attempts
    attempts: int
    #: of the last attempt
    error: str


def announce(
    history: History,
    make_messages: Callable[[Sequence[StatusChange]], Sequence[tuple[str, Any]]],
    *,
    now: datetime,
    remind_after: timedelta,
) -> tuple[StatusChange, ...]:
    """Return the changes to announce after the run that `history` has recorded, and store the messages for them.

    `make_messages` returns (channel, payload for JSON) of each message. Returns nothing if the history cannot be
    written, since then nothing is known about earlier announcements.
    """

    def decide(db: sqlite3.Connection) -> tuple[StatusChange, ...]:
        changes = tuple(_changes(db.execute(_STATUSES, [history.run]).fetchall(), now, remind_after))
        messages, at = make_messages(changes) if changes else (), to_timestamp(now)
        db.executemany(
            "INSERT OR REPLACE INTO announcements (watch, word, state, cause, at) VALUES (?, ?, ?, ?, ?)",
            [(one.watch, one.now.word, one.now.state, one.now.cause, at) for one in changes],
        )
        db.executemany(
            "INSERT INTO outbox (channel, payload, created, due) VALUES (?, ?, ?, ?)",
            [(channel, json.dumps(payload), at, at) for channel, payload in messages],
        )
        return changes

    return history.write(decide) or ()


def claim_message(history: History, channels: Collection[str], *, now: datetime) -> OutboxMessage | None:
    """Return the oldest message for one of these channels that is due, and reserve it; None if there is none.

    Until the lease ends, no other run gets it; then another one does, because this run may have been killed.
    """
    query = f"{_DUE} AND channel IN ({','.join('?' * len(channels))}) ORDER BY id LIMIT 1"

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
    marks = ",".join("?" * len(channels))
    query = f"SELECT count(*) AS n FROM outbox WHERE channel IN ({marks})"  # noqa: S608 - question marks alone
    return sum(int(row["n"]) for row in history.select(query, list(channels)))


def _message(row: sqlite3.Row) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"], channel=row["channel"], payload=json.loads(row["payload"]),
        attempts=row["attempts"], error=row["error"],
    )  # fmt: skip


def mark_delivered(history: History, message: OutboxMessage) -> None:
    history.write(lambda db: db.execute("DELETE FROM outbox WHERE id = ?", [message.id]))


def mark_failed(history: History, message: OutboxMessage, error: str, *, now: datetime) -> None:
    """Schedule the next attempt: after a minute, then after twice as long each time, up to six hours."""
    due = now + min(timedelta(minutes=2 ** min(message.attempts, 10)), timedelta(hours=6))
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
