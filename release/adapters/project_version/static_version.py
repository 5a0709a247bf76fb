"""`version` in `[project]` of pyproject.toml, which every backend of PEP 621 reads (uv_build reads nothing else)."""

from __future__ import annotations

from release.adapters.project_version.base import ProjectFiles, not_stated
from release.adapters.project_version.toml_values import toml_places
from release.core.models.preparation import VersionPlace


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The static version. Raises `ReleaseError` where its spelling has escapes."""
    found = toml_places(project, "pyproject.toml", "project", "version")
    if not found and "version" in project.table("project"):
        raise not_stated("project.version of pyproject.toml is not spelled as plain text", edit="pyproject.toml")
    return found
