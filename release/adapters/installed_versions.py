"""The versions of Python and of the libraries that are installed here and decide about uploads."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.machinery import PathFinder

_LIBRARIES = ("twine", "packaging", "trove-classifiers", "readme-renderer", "pypi-attestations", "stdlib-list")


def installed_versions() -> Mapping[str, str]:
    """Distribution name → version; "python" is the interpreter's. What is not installed is missing."""
    found = _versions_in_directories()
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        version = found[name] if name in found else _version_of(name)
        if version is not None:
            versions[name] = version
    return versions


def _version_of(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _versions_in_directories() -> dict[str, str | None]:
    """Name → version, None if it is not installed; `importlib.metadata` takes several times as long, with its import.

    As far as that is plain: each name in the first directory of `sys.path` that has it, once, and as .dist-info. What
    comes after a zip file or an .egg is left out, and everything where an importer of others finds distributions.
    """
    wanted = {name.replace("-", "_"): name for name in _LIBRARIES}
    versions: dict[str, str | None] = {}
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return versions
    for directory in sys.path:
        try:
            children = os.listdir(directory or os.curdir)  # noqa: PTH208 - a Path takes longer
        except FileNotFoundError:
            continue
        except OSError:
            return versions
        if directory.lower().endswith(".egg"):
            return versions
        found: dict[str, list[str]] = {}
        for child in children:
            stem, _, end = child.lower().rpartition(".")
            if end in {"dist-info", "egg-info"}:
                found.setdefault(re.sub(r"[-_.]+", "_", stem.partition("-")[0]), []).append(child)
        for name in wanted.keys() & found.keys():
            library = wanted.pop(name)
            if len(found[name]) == 1 and (version := _version_in(os.path.join(directory, found[name][0]))):  # noqa: PTH118 - the same
                versions[library] = version
    return versions | dict.fromkeys(wanted.values())


def _version_in(dist_info: str) -> str | None:
    """The version in the METADATA of a .dist-info directory; None where that is anything but plain."""
    with suppress(OSError, UnicodeDecodeError), open(f"{dist_info}/METADATA", encoding="utf-8") as lines:  # noqa: PTH123 - the same
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or line[0].isspace():
                return None
            if name.lower() == "version":
                return (value.strip() or None) if not next(lines, "")[:1].isspace() else None
    return None
