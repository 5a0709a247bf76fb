"""`version` in `[project]` of pyproject.toml, which every backend of PEP 621 reads (uv_build reads nothing else)."""

from __future__ import annotations

from release.adapters.project_version.base import ProjectFiles
from release.adapters.project_version.toml_values import toml_places
from release.core.models.preparation import VersionPlace


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The static version."""
    return toml_places(project, "pyproject.toml", "project", "version")
