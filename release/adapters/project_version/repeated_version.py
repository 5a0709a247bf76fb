"""Repetitions of the version in the project's own package: `__version__ = "1.1.0"`, `version_info = (1, 1, 0)`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.adapters.project_version.base import ProjectFiles, is_same_version
from release.adapters.project_version.python_values import attribute_place, tuple_places
from release.core.models.preparation import VersionPlace

_NAMES = ("__version__", "VERSION", "version")
#: of numbers alone
_TUPLES = frozenset({"version_info", "__version_info__", "VERSION", "VERSION_INFO", "version_tuple"})


def find_repetitions(project: ProjectFiles, current: str) -> Iterator[VersionPlace]:
    """The places in the files that state a version by custom, with the very text `current`, or its numbers."""
    for path in project.package_files():
        for name in _NAMES if not path.endswith("__init__.py") else _NAMES[:1]:
            place = attribute_place(project, path, name)
            if place is not None and place.text == current:
                yield place
        for place in tuple_places(project, path, _TUPLES):
            numbers = ".".join(re.split(r",\s*", place.text))
            if is_same_version(numbers, current):
                yield place
