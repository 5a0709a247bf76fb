"""The names of wheels and sdists, as the server's `packaging` reads them.

Other versions refuse odd tags and an empty name, or take a build number in other digits than ASCII's.
Source: binary and source distribution format. Observed: packaging 25.0 to 26.4, 2026-11.
"""

from __future__ import annotations

import re

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from release.acceptance.server_reference import ServerFailsError
from release.acceptance.version_specifiers import is_version


class InvalidFileNameError(ValueError):
    """The file name cannot be parsed; the text is the server's."""


def parse_wheel_name(filename: str) -> tuple[NormalizedName, Version]:
    """Normalized name, and version. Raises InvalidFileNameError."""
    if not filename.endswith(".whl"):
        raise InvalidFileNameError(f"Invalid wheel filename (extension must be '.whl'): {filename!r}")
    stem = filename.removesuffix(".whl")
    parts = stem.split("-")
    if len(parts) not in {5, 6}:
        raise InvalidFileNameError(f"Invalid wheel filename (wrong number of parts): {stem!r}")
    name, version = parts[:2]
    if "__" in name or not re.match(r"[\w.]*$", name):
        raise InvalidFileNameError(f"Invalid project name: {stem!r}")
    if not _is_version(version):
        raise InvalidFileNameError(f"Invalid wheel filename (invalid version): {stem!r}")
    if len(parts) == 6 and not re.match("[0-9]", parts[2]):  # noqa: PLR2004 - a build number is the sixth part
        raise InvalidFileNameError(f"Invalid build number: {parts[2]} in {stem!r}")
    return canonicalize_name(name), Version(version)


def parse_sdist_name(filename: str) -> NormalizedName | None:
    """Normalized name, which may be empty; None where the name cannot be parsed."""
    stem = filename.removesuffix(".tar.gz") if filename.endswith(".tar.gz") else filename.removesuffix(".zip")
    name, hyphen, version = stem.rpartition("-")
    return canonicalize_name(name) if stem != filename and hyphen and _is_version(version) else None


def _is_version(text: str) -> bool:
    try:
        return is_version(text)
    except ServerFailsError:  # at more digits than a file name has characters, which other rules refuse
        return False
