"""Collect from the environment what shows whether a CI job can be a trusted publisher. Nothing is requested."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from release.core.foreign_json import parse_foreign_json
from release.core.models.ci_job import JobVariables

if TYPE_CHECKING:
    from release.core.models.oidc_identity import OidcProvider

#: service → field → variable. Sources: GitHub documentation, "Variables reference"; GitLab documentation, "Predefined
#: CI/CD variables reference"
_VARIABLES: Mapping[OidcProvider, Mapping[str, str]] = {
    "GitHub": {
        "server": "GITHUB_SERVER_URL",
        "repository": "GITHUB_REPOSITORY",
        "event": "GITHUB_EVENT_NAME",
        "workflow_ref": "GITHUB_WORKFLOW_REF",
    },
    "GitLab": {
        "server": "CI_SERVER_URL",
        "repository": "CI_PROJECT_PATH",
        "event": "CI_PIPELINE_SOURCE",
        "config_path": "CI_CONFIG_PATH",
        "source_repository": "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH",
        "target_repository": "CI_MERGE_REQUEST_PROJECT_PATH",
    },
}


def collect_job_variables(env: Mapping[str, str], service: OidcProvider) -> JobVariables:
    """The variables of this job, and of a pull request on GitHub its two repositories."""
    found = {field: env[name] for field, name in _VARIABLES.get(service, {}).items() if env.get(name)}
    if service == "GitHub" and found.get("event", "").startswith("pull_request"):
        found |= _repositories(env)
    return JobVariables(**found)


def _repositories(env: Mapping[str, str]) -> dict[str, str]:
    """Source: GitHub documentation, "Webhook events and payloads", `pull_request`."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        pull = parse_foreign_json(Path(env.get("GITHUB_EVENT_PATH", "")).read_bytes())["pull_request"]
        source, target = pull["head"]["repo"]["full_name"], pull["base"]["repo"]["full_name"]
        return {"source_repository": str(source), "target_repository": str(target)}
    return {}
