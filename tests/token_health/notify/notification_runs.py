"""Runs with given results, which notify a server on loopback."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.adapters.system.system import System, real_system
from release.core.models.token_health import HealthReport, TokenReport, TokenStatus
from release.token_health import fleet
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.health_run import ScanRequest
from release.token_health.notify.delivery import DeliveryReport, send_notifications
from tests.adapters.loopback_server import Server
from tests.sandbox.sandbox_client import Clock


@dataclass(kw_only=True)
class NotificationRuns:
    """The directory of the history, the clock, and the notified servers."""

    directory: Path
    clock: Clock
    hook: Server
    table: dict[str, Any] = field(default_factory=lambda: {"webhook": {"env": "HOOK"}, "ping": {"env": "PING"}})
    env: dict[str, str] = field(default_factory=dict)

    def system(self) -> System:
        urls = {"HOOK": f"{self.hook.url}/hook", "PING": f"{self.hook.url}/ping"}
        return replace(real_system(), env={**urls, **self.env}, now=self.clock)

    def history(self) -> History:
        return History(self.directory / DATABASE_NAME, now=self.clock)

    def run(self, *seen: TokenStatus, history: History | None = None, **look: Any) -> DeliveryReport:
        history = history or self.history()
        history.begin(len(seen))
        history.add(seen)
        history.end(0)
        rows = tuple(TokenReport(seen=one, outcomes=(), age=None, left=None) for one in seen)
        asked = ScanRequest(fleet=fleet.parse_fleet({"notify": self.table}), targets=(), directory=self.directory)
        return send_notifications(self.system(), history, asked, HealthReport(rows=rows, **look))

    def got(self) -> list[list[str]]:
        """The states in each document that the webhook received."""
        return [[c["state"] for c in json.loads(one.body)["changes"]] for one in self.posts()]

    def posts(self) -> list[Any]:
        return [one for one in self.hook.asked if one.path == "/hook"]

    def pings(self) -> int:
        return sum(one.path == "/ping" for one in self.hook.asked)
