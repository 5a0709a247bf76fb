"""Repetitions of the version in the project's own package: `__version__ = "1.1.0"`, equal to the current version."""

from __future__ import annotations

from collections.abc import Iterator

from release.adapters.project_version.base import ProjectFiles
from release.adapters.project_version.python_values import attribute_place
from release.core.models.preparation import VersionPlace

_NAMES = ("__version__", "VERSION", "version")


def find_repetitions(project: ProjectFiles, current: str) -> Iterator[VersionPlace]:
    """The places in the files that state a version by custom, with the very text `current`."""
    for path in project.package_files():
        for name in _NAMES if not path.endswith("__init__.py") else _NAMES[:1]:
            place = attribute_place(project, path, name)
            if place is not None and place.text == current:
                yield place
