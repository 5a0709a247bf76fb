"""A fleet of tokens in the sandbox, with every kind of user and token, and runs that check it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.adapters.system.system import System, real_system
from release.core.models.index import Index
from release.core.models.token_health import HealthReport
from release.token_health import fleet
from release.token_health.fleet import Fleet
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.health_run import ScanRequest, close_run, run_scan
from tests.sandbox.sandbox_client import SandboxClient as Running

SEED_DATA: dict[str, Any] = {
    "users": [
        {"name": "alice"},
        {"name": "bob", "email_verified": False},
        {"name": "carol", "two_factor": False},
        {"name": "dave"},
        {"name": "erin", "disabled": True},
    ],
    "projects": [
        {"name": "acme-widget", "owners": ["alice"], "maintainers": ["bob", "carol"]},
        {"name": "other-owned", "owners": ["dave"]},
        {"name": "archived", "owners": ["alice"], "status": "archived"},
    ],
    "tokens": [
        {"name": "account", "user": "alice"},
        {"name": "widget", "user": "alice", "scope": ["acme-widget"]},
        {"name": "archived", "user": "alice", "scope": ["archived"]},
        {"name": "expired", "user": "alice", "scope": ["acme-widget"], "expires": 1_600_000_000},
        {"name": "revoked", "user": "alice", "scope": ["acme-widget"], "revoked": True},
        {"name": "forged", "user": "alice", "scope": ["acme-widget"], "forged": True},
        {"name": "elsewhere", "user": "alice", "location": "pkgs.zzz"},
        {"name": "bob", "user": "bob", "scope": ["acme-widget"]},
        {"name": "carol", "user": "carol", "scope": ["acme-widget"]},
        {"name": "dave", "user": "dave", "scope": ["other-owned"]},
        {"name": "erin", "user": "erin", "scope": ["acme-widget"]},
    ],
}


@dataclass(kw_only=True)
class FleetRun:
    """A fleet of environment variables with tokens of an index, and the machine that checks them."""

    running: Running
    directory: Path
    now: Callable[[], datetime] = field(default_factory=lambda: lambda: datetime.now(UTC))
    env: dict[str, str] = field(default_factory=dict)
    #: keys of the fleet beside its tokens
    table: dict[str, Any] = field(default_factory=dict)
    tokens: list[dict[str, Any]] = field(default_factory=list)

    @property
    def index(self) -> Index:
        return replace(self.running.sandbox.index("pypi"), ephemeral=False)

    @property
    def path(self) -> Path:
        return self.directory / "state" / DATABASE_NAME

    def add(self, name: str, project: str | None = "acme-widget", *, secret: str | None = None, **more: Any) -> None:
        """Add a token of the seed data (or `secret`), in the variable of that name."""
        self.env[name.upper()] = self.running.sandbox.tokens[name].reveal() if secret is None else secret
        self.tokens.append({"env": name.upper(), **({"project": project} if project else {}), **more})

    def fleet(self) -> Fleet:
        return fleet.parse_fleet({"rate": 1000, **self.table, "tokens": self.tokens}, {"pypi": self.index})

    def system(self) -> System:
        return replace(real_system(), env=self.env, now=self.now)

    def wanted(self) -> ScanRequest:
        made = self.fleet()
        found = fleet.fleet_targets(self.system(), made, self.directory)
        return ScanRequest(fleet=made, targets=found, directory=self.directory, waive=made.waive)

    def history(self) -> History:
        return History(self.path, now=self.now)

    def look(self, **how: Any) -> HealthReport:
        """Run once, and record the results."""
        history = how.pop("history", None) or self.history()
        found = run_scan(self.system(), self.wanted(), history=history, **how)
        return close_run(found, history, found.status(strict=False))

    def select(self, query: str) -> list[tuple[Any, ...]]:
        """Dump the history."""
        history = self.history()
        try:
            return [tuple(row) for row in history.select(query)]
        finally:
            history.close()


def states(found: HealthReport) -> dict[str, str]:
    """Place → state."""
    return {row.seen.place: row.seen.state for row in found.rows}


def all_bytes(directory: Path, *texts: str) -> bytes:
    """Every byte of every file below a directory, and these texts."""
    data = [path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()]
    return b"\n".join([*data, *(one.encode() for one in texts)])


def as_toml(table: Mapping[str, Any], tokens: list[dict[str, Any]]) -> str:
    """A fleet file. JSON's texts, numbers, lists and flat tables are TOML's too, but for the colons."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            for name, inner in value.items():
                lines += [f"[{key}.{name}]", *(f"{k} = {json.dumps(v)}" for k, v in inner.items())]
    for one in tokens:
        lines += ["[[tokens]]", *(f"{k} = {json.dumps(v)}" for k, v in one.items())]
    with suppress(IndexError):
        lines[-1] += "\n"
    return "\n".join(lines)
