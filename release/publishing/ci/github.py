"""GitHub Actions: the workflows for a release and for token health.

Sources: GitHub documentation, "Workflow syntax", "Security hardening"; zizmor's audits, which a test runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from release.adapters.system import templates
from release.publishing.ci.pipeline import CIBUILDWHEEL, PYTHON, Pipeline

SCHEDULED_WORKFLOW = ".github/workflows/token-health.yml"
STATUS_COMMAND = "gh run list --workflow token-health.yml"

#: the actions in use, pinned to the full SHA of the commit that each version's tag named in 2026-11
ACTIONS: Mapping[str, str] = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup_python": "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0",
    "upload_artifact": "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
    "download_artifact": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1",
}


def render_release(pipeline: Pipeline) -> str:
    """Return the text of `.github/workflows/release.yml`."""
    sparse_paths = [f"/{pipeline.directory}{name}" for name in ("pyproject.toml", pipeline.requirements) if name]
    tags = [tag_pattern(*pipeline.around_version)]
    # a scheduled run releases nothing, so each job of a release says so
    only_releases = "    if: github.event_name == 'push'\n" if pipeline.proof else ""
    values: dict[str, object] = {"sparse_paths": sparse_paths, "tags": tags, "only_releases": only_releases}
    return _render("github_release.yml.j2", pipeline, values)


def tag_pattern(before: str, after: str) -> str:
    """The pattern of release tags. Source: GitHub documentation, "Filter pattern cheat sheet"."""
    before, after = (re.sub(r"([*?+\[\]!\\])", r"\\\1", part) for part in (before, after))
    return f"{before}*{after}".replace("{name}", "*")


def render_token_health(pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
    """Return the text of `SCHEDULED_WORKFLOW`."""
    values: dict[str, object] = {"cron": cron, "command": command, "variables": variables}
    return _render("github_token_health.yml.j2", pipeline, values)


def schedule_notes(_cron: str) -> tuple[str, ...]:
    return ("commit it and push it to the default branch; GitHub reads the times as UTC",)


def _render(template: str, pipeline: Pipeline, values: dict[str, object]) -> str:
    common = {
        "actions": ACTIONS, "cibuildwheel": CIBUILDWHEEL, "json": json.dumps, "pipeline": pipeline, "python": PYTHON,
    }  # fmt: skip
    return templates.render_template(__package__, template, common | values)
