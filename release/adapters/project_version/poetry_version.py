"""`version` in `[tool.poetry]`. Source: Poetry 2.5.1's documentation, "The pyproject.toml file"."""

from __future__ import annotations

from release.adapters.project_version.base import ProjectFiles
from release.adapters.project_version.toml_values import toml_places
from release.core.models.preparation import VersionPlace


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version of poetry-core; without a build backend, that of a project that is managed by Poetry."""
    if not project.table("build-system").get("build-backend", "poetry").startswith("poetry"):
        return ()
    return toml_places(project, "pyproject.toml", "tool", "poetry", "version")
