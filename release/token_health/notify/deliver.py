"""Notify people of changes: write messages to the outbox, deliver those that are due, and ping the heartbeat monitor.

A failure here is reported, and retried by the next run. It does not change the exit status.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
from release.token_health.fleet import Fleet
from release.token_health.health_history import History
from release.token_health.health_run import ScanRequest
from release.token_health.notify import CHANNELS, Channel, outbox, webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
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
        changes = outbox.announce(history, delivery.messages, now=system.now(), remind_after=fleet.remind_after)
        delivery.deliver()
    if report.forgotten is not None or history.error is not None:
        problem = "no notifications for this run: the history cannot be used to determine what is new"
        delivery.problems.append((problem, "repair the history: see above"))
    waiting = outbox.count_pending(history, [one.name for one in fleet.notify.channels])
    history.close()
    result = DeliveryReport(
        changes=changes, delivered=tuple(delivery.delivered), waiting=waiting, problems=tuple(delivery.problems)
    )
    if fleet.notify.ping is None:
        return result
    complete = bool(report.rows) and not report.interrupted and not result.problems and not result.waiting
    return _send_heartbeat(result, delivery, fleet.notify.ping) if complete else replace(result, pinged=False)


def _send_heartbeat(result: DeliveryReport, delivery: _Delivery, ping: ConfiguredLocation) -> DeliveryReport:
    """Confirm to the monitor that the run is complete and all messages are delivered."""
    try:
        webhook.ping(delivery.read_secret(ping))
    except ReleaseError as error:
        return replace(result, pinged=False, problems=((f"ping: {error.message}", error.remedy),))
    return replace(result, pinged=True)


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
        while channels and (message := outbox.claim_message(self._history, channels, now=self._system.now())):
            name = message.channel
            try:
                refused = channels[name].send(message.payload, self.read_secret)
            except ReleaseError as error:
                outbox.mark_failed(self._history, message, error.message, now=self._system.now())
                self.problems.append((f"{name}: {error.message}", error.remedy))
                del channels[name]
                continue
            outbox.mark_delivered(self._history, message)
            self.delivered.append(name)
            if refused:
                problem = f"{name}: the server refused {', '.join(refused)} and accepted the other recipients"
                self.problems.append((problem, f"correct the recipients in [notify.{name.partition(' ')[0]}]"))

    def read_secret(self, location: ConfiguredLocation) -> Secret:
        """Return the secret in a location, which is read once. Raises `ReleaseError` if there is none."""
        if location not in self._secrets:
            self._secrets[location] = _read_secret(self._system, location, self._directory)
        return self._secrets[location]


def _read_secret(system: System, location: ConfiguredLocation, directory: Path) -> Secret:
    resolution = configured_locations.read_location(system, location, username="", directory=directory).resolution
    match resolution.credential:
        case Credential(password=password):
            return password
        case Unknown(reason=reason, remedy=remedy):
            raise ReleaseError(reason, remedy=remedy)
        case _:
            remark = resolution.remarks[0]
            raise ReleaseError(remark.message, remedy=remark.remedy)
