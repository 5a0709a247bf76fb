"""By a CI service: a workflow in the repository."""

from __future__ import annotations

import re
import shlex
from datetime import UTC
from pathlib import Path
from typing import Literal

from release.adapters.git import repository
from release.adapters.system import atomic_write
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import ReleaseError, UsageError
from release.publishing.ci import SERVICES
from release.publishing.ci.pipeline import load_pipeline
from release.token_health.schedulers import cron_expression, job
from release.token_health.schedulers.base import Status
from release.token_health.schedulers.job import Asked

_FILES = {"github": ".github/workflows/token-health.yml", "gitlab": ".gitlab/token-health.yml"}
#: what the first line of our files begins with
_OURS = "# Written by `python -m release schedule"


class Hosted:
    """A workflow file of the repository that holds the project. It runs once it is pushed."""

    output = "the log of the run, with annotations"
    keyring = "none: the tokens are secrets of the service, and get there as variables"

    def __init__(self, system: System, asked: Asked, service: Literal["github", "gitlab"]) -> None:
        self._system, self._asked, self._service = system, asked, service
        self._root = repository.find_root(system, asked.directory) or asked.directory
        self.when = job.when(system, asked)

    @property
    def path(self) -> Path:
        return self._root / _FILES[self._service]

    @property
    def notes(self) -> tuple[str, ...]:
        if self._service == "github":
            return ("commit and push it to the default branch; GitHub reads the times as UTC",)
        return (
            f"commit it, add to .gitlab-ci.yml: include: [{{local: /{_FILES['gitlab']}}}]",
            f"GitLab keeps the times elsewhere: Build, Pipeline schedules, New schedule, interval {self.when.text}",
        )

    def texts(self) -> dict[str, str]:
        """The workflow. Raises `UsageError` where it needs a file that is in no clone."""
        made = load_pipeline(self._system, self._asked.directory, file=self._asked.config)
        words = [word for name, path in self._asked.options.items() for word in self._option(name, path)]
        text = SERVICES[self._service].render_token_health(
            made,
            cron=self.when.text,
            command=f"python -m release tokens --strict {shlex.join(words)}".strip(),
            variables=job.variables(self._asked, notify=False) or ("TWINE_PASSWORD",),
        )
        return {str(self.path): text}

    def _option(self, name: str, path: Path) -> list[str]:
        try:
            inside = path.resolve().relative_to(self._root.resolve()).as_posix()
        except ValueError:
            raise UsageError(
                f"{str(path)!r} is not in the repository {str(self._root)!r}, so no workflow finds it",
                remedy="put it there: it names places, and holds no secret",
            ) from None
        return [] if inside == "." else [name, inside]

    def install(self) -> bool:
        (text,) = self.texts().values()
        self._refuse_others()
        with explain_os_errors("the workflow"):
            return atomic_write.write_atomically(self.path, text.encode())

    def remove(self) -> bool:
        self._refuse_others()
        with explain_os_errors("the workflow"):
            return atomic_write.remove_file(self.path)

    def _refuse_others(self) -> None:
        if self.path.is_file() and not self.path.read_bytes().startswith(_OURS.encode()):
            raise ReleaseError(
                f"{str(self.path)!r} was not written by this program",
                remedy="look at it, and move it out of the way",
            )

    def status(self) -> Status:
        if not self.path.is_file():
            return Status(installed=False)
        found = re.search(r'- cron: "([^"]+)"', self.path.read_text(encoding="utf-8", errors="replace"))
        coming = cron_expression.parse(found[1], "").after(self._system.now().astimezone(UTC)) if found else None
        command = "gh run list --workflow token-health.yml" if self._service == "github" else "glab schedule list"
        return Status(
            installed=True,
            result=f"ask the service: {command}",
            next=f"{coming:%Y-%m-%d %H:%M} UTC" if coming else None,
        )
