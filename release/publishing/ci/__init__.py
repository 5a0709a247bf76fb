"""CI services: the workflows that release a project and check its tokens.

To add a service, write a module that matches `Service`, and add it to `SERVICES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from release.core.lazy_registry import LazyRegistry

if TYPE_CHECKING:
    from release.publishing.ci.pipeline import Pipeline


class Service(Protocol):
    """What a module of a CI service provides."""

    #: the file of the token health workflow, relative to the root of the repository
    SCHEDULED_WORKFLOW: str
    #: the command that shows how the last scheduled run ended
    STATUS_COMMAND: str

    def render_release(self, pipeline: Pipeline) -> str:
        """Return the workflow that releases the project."""

    def render_token_health(self, pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
        """Return the workflow that checks tokens.

        `cron` has five fields; `command` is a shell command; `variables` are the names of the environment variables
        that hold tokens, and of the secrets that they are filled from.
        """

    def schedule_notes(self, cron: str) -> tuple[str, ...]:
        """Return what the user has to do before the token health workflow runs."""


#: name of the service, as `ci` and `schedule --kind` take it → its module
SERVICES: Mapping[str, Service] = LazyRegistry(
    {"github": "release.publishing.ci.github", "gitlab": "release.publishing.ci.gitlab"}
)
