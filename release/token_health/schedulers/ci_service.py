"""CI services: a workflow file in the repository that contains the project."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import UTC
from functools import partial
from pathlib import Path

from release.adapters.system import safe_write
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import ReleaseError, UsageError
from release.core.quoting import quote_path
from release.publishing.ci import SERVICES
from release.token_health.schedulers import base, cron_expression
from release.token_health.schedulers.base import ScheduleRequest, ScheduleStatus


class CiService:
    """A workflow file. It runs once it has been pushed."""

    output = "the log of the run, with annotations"
    keyring = "none: the tokens are secrets of the service, and are passed as environment variables"
    time_zone = "UTC"

    def __init__(self, system: System, request: ScheduleRequest, *, service: str) -> None:
        from release.adapters.git import repository

        self._system, self._request, self._service = system, request, SERVICES[service]
        self._root = repository.find_root(system, request.directory) or request.directory
        self.times = base.parse_times(system, request)

    @property
    def path(self) -> Path:
        return self._root / self._service.SCHEDULED_WORKFLOW

    @property
    def notes(self) -> tuple[str, ...]:
        return self._service.schedule_notes(self.times.text)

    def texts(self) -> dict[str, str]:
        """Return the workflow. Raises `UsageError` if it needs a file that is not in the repository."""
        from release.publishing.ci.pipeline import load_pipeline

        words = [word for name, path in self._request.options.items() for word in self._option(name, path)]
        text = self._service.render_token_health(
            load_pipeline(self._system, self._request.directory, file=self._request.config),
            cron=self.times.text,
            command=f"pypi-preflight tokens --strict {shlex.join(words)}".strip(),
            variables=base.secret_variables(self._request, notify=False) or ("TWINE_PASSWORD",),
        )
        return {str(self.path): text}

    def _option(self, name: str, path: Path) -> list[str]:
        try:
            inside = path.resolve().relative_to(self._root.resolve()).as_posix()
        except ValueError:
            raise UsageError(
                f"{quote_path(path)} is not in the repository {quote_path(self._root)}, so a workflow cannot read it",
                remedy="move it into the repository; it names where secrets are stored, and contains none",
            ) from None
        return [] if inside == "." else [name, inside]

    def install(self) -> bool:
        (text,) = self.texts().values()
        self._require_own_file()
        with explain_os_errors("the workflow"):
            return safe_write.write_atomically(self.path, text.encode())

    def remove(self) -> bool:
        self._require_own_file()
        with explain_os_errors("the workflow"):
            return safe_write.remove_file(self.path)

    def _require_own_file(self) -> None:
        start = b"# Written by `pypi-preflight schedule"
        if self.path.is_file() and not self.path.read_bytes().startswith(start):
            raise ReleaseError(
                f"{quote_path(self.path)} was not written by this program", remedy="inspect it, and move it elsewhere"
            )

    def status(self) -> ScheduleStatus:
        if not self.path.is_file():
            return ScheduleStatus(installed=False)
        found = re.search(r'- cron: "([^"]+)"', self.path.read_text(encoding="utf-8", errors="replace"))
        times = cron_expression.parse_cron(found[1], "") if found else None
        following = times.next_after(self._system.now().astimezone(UTC)) if times else None
        return ScheduleStatus(
            installed=True,
            result=f"ask the service: {self._service.STATUS_COMMAND}",
            next=f"{following:%Y-%m-%d %H:%M} UTC" if following else None,
        )


def __getattr__(name: str) -> Callable[[System, ScheduleRequest], CiService]:
    """Return the scheduler of a service by the service's name, as `SCHEDULERS` lists it."""
    if name in SERVICES:
        return partial(CiService, service=name)
    raise AttributeError(name)
