"""What the environment variables of a CI job show of the identity that the job would get."""

from __future__ import annotations

from msgspec import Struct


class JobVariables(Struct, frozen=True, kw_only=True):
    """The variables that decide whether the job can be a trusted publisher; each is empty if it is not set."""

    #: the address of the server: "https://github.com", or a server of one's own
    server: str = ""
    #: owner and name, or the path of the project
    repository: str = ""
    #: "push", "pull_request_target", …
    event: str = ""
    #: on GitHub, the triggered workflow: "acme/widget/.github/workflows/release.yml@refs/tags/v1.0"
    workflow_ref: str = ""
    #: on GitLab, the configuration of the pipeline: a path, "PATH@GROUP/PROJECT[:REF]" or a URL
    config_path: str = ""
    #: of a pull request: the repository that its commits come from
    source_repository: str = ""
    #: of a pull request: the repository that it is for
    target_repository: str = ""
