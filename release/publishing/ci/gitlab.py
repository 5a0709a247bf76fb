"""GitLab CI/CD: the pipelines for a release and for token health.

Sources: GitLab documentation, "CI/CD YAML syntax reference", "OpenID Connect (OIDC) authentication using ID tokens",
"Hosted runners"; cibuildwheel's documentation for GitLab; PyPI's, "Publishing with a Trusted Publisher".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from release.adapters.system import templates
from release.publishing.ci.pipeline import CIBUILDWHEEL, PYTHON, Pipeline

IMAGE = f"python:{PYTHON}-slim-bookworm"
SCHEDULED_WORKFLOW = ".gitlab/token-health.yml"
STATUS_COMMAND = "glab schedule list"


def render_release(pipeline: Pipeline) -> str:
    """Return the text of `.gitlab-ci.yml`, or of a file that it includes."""
    artifacts = ["dist/", "SHA256SUMS", "pyproject.toml", *filter(None, [pipeline.requirements])]
    values: dict[str, object] = {
        "artifacts": [pipeline.directory + name for name in artifacts],
        "tag_rule": tag_rule(pipeline.around_version)
        + (' && $CI_PIPELINE_SOURCE != "schedule"' if pipeline.proof else ""),
        "tags": "*".join(pipeline.around_version),
    }  # fmt: skip
    return _render("gitlab_release.yml.j2", pipeline, values)


def tag_rule(around_version: tuple[str, str]) -> str:
    """The condition for release tags. Source: GitLab documentation, "Job rules": RE2 between slashes."""
    before, after = (re.escape(part).replace("/", r"\/").replace(re.escape("{name}"), ".+") for part in around_version)
    return f"$CI_COMMIT_TAG =~ /^{before}.+{after}$/"


def render_token_health(pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
    """Return the text of `SCHEDULED_WORKFLOW`, which `.gitlab-ci.yml` includes."""
    values: dict[str, object] = {"cron": cron, "command": command, "variables": ", ".join(variables)}
    return _render("gitlab_token_health.yml.j2", pipeline, values)


def schedule_notes(cron: str) -> tuple[str, ...]:
    return (
        f"commit it, and add to .gitlab-ci.yml: include: [{{local: /{SCHEDULED_WORKFLOW}}}]",
        f"set the times in GitLab: Build, Pipeline schedules, New schedule, interval {cron}",
    )


def _render(template: str, pipeline: Pipeline, values: dict[str, object]) -> str:
    common = {
        "change_directory": change_directory(pipeline), "cibuildwheel": CIBUILDWHEEL, "image": IMAGE,
        "json": json.dumps, "pipeline": pipeline, "scalar": scalar,
    }  # fmt: skip
    return templates.render_template(__package__, template, common | values)


def change_directory(pipeline: Pipeline) -> str:
    """The line of a script that enters the project; POSIX shells and PowerShell read single quotes alike."""
    directory = pipeline.directory.rstrip("/")
    return "    - " + scalar(f"cd '{directory}'") + "\n" if directory else ""


def scalar(command: str) -> str:
    """Return a command as a YAML scalar."""
    return json.dumps(command) if re.search(r"""[:#"'{}\[\],&*!|>%@`\\]""", command) else command
