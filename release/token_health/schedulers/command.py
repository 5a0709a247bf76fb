"""A command that a platform runs again and again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from release.core.errors import UsageError
from release.token_health.schedulers.cron_expression import When


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One scheduled command. Nothing in it is secret."""

    #: letters, digits and hyphens; another one for another directory or fleet
    name: str
    #: one line for people
    title: str
    #: program and arguments, each path absolute
    argv: tuple[str, ...]
    #: what the command needs of the environment, and the platform does not give it
    env: Mapping[str, str] = field(default_factory=dict)
    when: When
    #: absolute path of the file that gets the output of the last run, where the platform keeps none
    log: str

    @property
    def command(self) -> str:
        """The command for a reader."""
        return shlex.join(self.argv)


def one_line(job: Job, platform: str) -> None:
    """Raise `UsageError` where a part of the job has a line break or another control character.

    None of the formats that are made of lines could carry it.
    """
    for part in (*job.argv, *job.env.values(), job.log):
        if not part.isprintable():
            raise UsageError(f"{part!r} can't stand in {platform}", remedy="rename it, without control characters")
