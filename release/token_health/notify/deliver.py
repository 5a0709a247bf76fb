"""Tells people what has changed: writes the letters, delivers those that are due, and pings when all went well.

What goes wrong here is told, and tried again by the next run; it changes nothing of the verdict.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from release.adapters.system.system import System
from release.core.errors import ReleaseError, UsageError
from release.core.models.credential import Credential
from release.core.models.finding import Unknown
from release.core.models.secret_location import ConfiguredLocation
from release.core.models.token_health import HealthReport, StatusChange
from release.core.secret import Secret
from release.credentials.sources import configured_locations
from release.reports import notification
from release.reports.lines import Line
from release.reports.token_health_text import format_iso_time, token_status_to_json
from release.token_health.fleet import Fleet
from release.token_health.health_history import History
from release.token_health.health_run import ScanRequest
from release.token_health.notify import apprise, mail, outbox, webhook
from release.token_health.notify.channels import Apprise, Channel, Mail, Webhook, name
from release.token_health.notify.outbox import OutboxMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What came of telling people."""

    #: what is new with this run
    changes: tuple[StatusChange, ...] = ()
    #: the channels by which something has arrived, each as often
    delivered: tuple[str, ...] = ()
    #: messages that wait, of this run and of earlier ones
    waiting: int = 0
    #: (what went wrong, remedy)
    problems: tuple[tuple[str, str], ...] = ()
    #: whether the dead man's switch was told that all is well; None where there is none
    pinged: bool | None = None


def require_channels(fleet: Fleet, *, offline: bool, where: str) -> None:
    """Raises `UsageError` where there is nobody to tell, or nothing that could be told."""
    if not fleet.notify.channels and fleet.notify.ping is None:
        raise UsageError(
            "nobody is to be told: there is no channel",
            remedy=f"add a table [notify] to {where}: webhook, mail, apprise or ping (docs/notifications.md)",
        )
    if offline:
        raise UsageError(
            "--notify can't be used with --offline: whether a token works is known to its index alone",
            remedy="leave one of them out",
        )


def send_notifications(system: System, history: History, asked: ScanRequest, found: HealthReport) -> DeliveryReport:
    """After a run that is remembered. Closes the history."""
    fleet = asked.fleet
    post = _Post(system, history, asked.directory, fleet.notify.channels)
    changes: tuple[StatusChange, ...] = ()
    if fleet.notify.channels:
        changes = outbox.announce(history, post.letters, now=system.now(), remind_after=fleet.remind_after)
        post.deliver()
    if found.forgotten is not None or history.error is not None:
        post.problems.append(
            ("nobody was told of this run, since what was told before is not known", "mend the history: see above")
        )
    told = DeliveryReport(changes=changes, delivered=tuple(post.delivered), waiting=post.waiting())
    history.close()
    whole = bool(found.rows) and not found.interrupted
    return _pinged(replace(told, problems=tuple(post.problems)), post, fleet.notify.ping, whole=whole)


def _pinged(told: DeliveryReport, post: _Post, ping: ConfiguredLocation | None, *, whole: bool) -> DeliveryReport:
    """The ping says that the run came to its end, and that who was to be told is told. Else the alarm shall go off."""
    if ping is None:
        return told
    if told.problems or told.waiting or not whole:
        return replace(told, pinged=False)
    try:
        webhook.ping(post.secret(ping))
    except ReleaseError as error:
        return replace(told, pinged=False, problems=((f"ping: {error.message}", error.remedy),))
    return replace(told, pinged=True)


def report_to_text(told: DeliveryReport) -> Iterator[Line]:
    """The same for a reader, but for the problems."""
    by = f": by {', '.join(dict.fromkeys(told.delivered))}" if told.delivered else ""
    new = len(told.changes)
    said = f"{new} change{'s' if new > 1 else ''} announced" if new else "nothing new to announce"
    yield Line(text=f"  {said}{by}", style="dim")
    if told.waiting:
        how = "message waits" if told.waiting == 1 else "messages wait"
        yield Line(text=f"  {told.waiting} {how} to be delivered: the next run tries again", style="bold yellow")
    if told.pinged is False:
        yield Line(text="  the dead man's switch is not pinged, so that it raises the alarm", style="bold yellow")


def report_to_json(told: DeliveryReport) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "changes": [
            {"kind": one.kind, "before": one.before, "since": format_iso_time(one.since)}
            | token_status_to_json(one.now)
            for one in told.changes
        ],
        "delivered": list(told.delivered),
        "waiting": told.waiting,
        "pinged": told.pinged,
        "problems": [{"message": message, "remedy": remedy} for message, remedy in told.problems],
    }


class _Post:
    """Writes letters, and delivers them."""

    def __init__(self, system: System, history: History, directory: Path, channels: Sequence[Channel]) -> None:
        self._system, self._history, self._directory = system, history, directory
        self._channels = {name(one): one for one in channels}
        self._secrets: dict[ConfiguredLocation, Secret] = {}
        self.delivered: list[str] = []
        self.problems: list[tuple[str, str]] = []

    def letters(self, changes: Sequence[StatusChange]) -> list[tuple[str, Any]]:
        """One for each channel."""
        at = self._system.now()
        return [
            (one, notification.notification_to_json(changes, number=str(uuid.uuid4()), at=at)) for one in self._channels
        ]

    def deliver(self) -> None:
        """All that is due. A channel that fails is left alone until the next run."""
        open_ = dict(self._channels)
        while open_ and (letter := outbox.claim_message(self._history, open_, now=self._system.now())):
            channel = open_[letter.channel]
            try:
                self._send(channel, letter)
            except ReleaseError as error:
                outbox.mark_failed(self._history, letter, error.message, now=self._system.now())
                self.problems.append((f"{letter.channel}: {error.message}", error.remedy))
                del open_[letter.channel]
            else:
                outbox.mark_delivered(self._history, letter)
                self.delivered.append(letter.channel)

    def waiting(self) -> int:
        """How much has not arrived yet."""
        return outbox.count_pending(self._history, self._channels)

    def _send(self, channel: Channel, letter: OutboxMessage) -> None:
        document: Mapping[str, Any] = letter.payload
        match channel:
            case Webhook(address=address):
                webhook.send(self.secret(address), document)
            case Apprise(address=address):
                apprise.send(self.secret(address), title=document["title"], text=document["text"])
            case Mail():
                refused = mail.send(
                    channel, self.secret(channel.password) if channel.password else None, number=document["id"],
                    at=datetime.fromisoformat(document["at"]), title=document["title"], text=document["text"],
                )  # fmt: skip
                if refused:
                    why = f"{letter.channel}: the server took no mail for {', '.join(refused)}, but for the others"
                    self.problems.append((why, "correct `to` of [notify.mail]"))

    def secret(self, place: ConfiguredLocation) -> Secret:
        """What lies in a place, looked up once. Raises `ReleaseError` where nothing does."""
        if place not in self._secrets:
            self._secrets[place] = _taken(self._system, place, self._directory)
        return self._secrets[place]


def _taken(system: System, place: ConfiguredLocation, directory: Path) -> Secret:
    found = configured_locations.read_location(system, place, username="", directory=directory).resolution
    match found.credential:
        case Credential(password=password):
            return password
        case Unknown(reason=reason, remedy=remedy):
            raise ReleaseError(reason, remedy=remedy)
        case _:
            first = found.remarks[0]
            raise ReleaseError(first.message, remedy=first.remedy)
