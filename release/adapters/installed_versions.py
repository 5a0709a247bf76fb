"""The versions of Python and of the libraries that are installed here and decide about uploads."""

from __future__ import annotations

import platform
from collections.abc import Mapping

_LIBRARIES = ("twine", "packaging", "trove-classifiers", "readme-renderer", "pypi-attestations", "stdlib-list")


def installed_versions() -> Mapping[str, str]:
    """Distribution name → version; "python" is the interpreter's. What is not installed is missing."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
