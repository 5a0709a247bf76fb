"""CI services: the workflows that release a project and check its tokens.

To add a service, write a module that matches `Service`, and add it to `SERVICES`; for sets, one that matches
`SetService`, and add it to `SET_SERVICES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from release.core.lazy_registry import LazyRegistry

if TYPE_CHECKING:
    from release.publishing.ci.pipeline import Pipeline
    from release.publishing.ci.set_pipeline import SetPipeline


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


class SetService(Protocol):
    """What a module that releases sets on a CI service provides."""

    def render_set(self, pipeline: SetPipeline) -> str:
        """Return the workflow that releases the set."""

    def render_set_run(self, document: Mapping[str, Any], root: Pipeline, *, levels: int, builds: int) -> str:
        """Return what one run of that workflow reads of its plan, a document of `set plan --json`.

        `levels` and `builds` are those that the workflow has jobs for.
        """


#: name of the service, as `ci` and `schedule --kind` take it → its module
SERVICES: Mapping[str, Service] = LazyRegistry(
    {"github": "release.publishing.ci.github", "gitlab": "release.publishing.ci.gitlab"}
)
#: name of the service, as `ci --set` takes it → its module
SET_SERVICES: Mapping[str, SetService] = LazyRegistry(
    {name: f"release.publishing.ci.{name}_set" for name in ("github", "gitlab", "buildkite")}
)
