"""What a build is held to, and what was installed for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class PinnedBuild(Struct, frozen=True, kw_only=True):
    """What the requirements of a build are held to."""

    #: the file of `build-constraints`, absolute; None for a build that finds out what to write into it
    path: Path | None
    #: the same, relative to the project, as its configuration has it; empty where it is not known
    place: str = ""
    #: whether a requirement that it does not pin with a hash is refused: `require-pinned-build`
    required: bool = False
    #: whether requirements that have only an sdist are refused: nothing states what their own builds install
    only_wheels: bool = False


class InstalledRequirement(Struct, frozen=True, kw_only=True, order=True):
    """A distribution that was installed into the environment of a build."""

    #: normalized
    name: str
    version: str
    #: of the file that it was installed from, 64 lower-case hex digits; None where the installer does not report it
    sha256: str | None = None
    #: the SHA-256 that the constraints allow for this version, sorted; empty without any
    allowed: tuple[str, ...] = ()


class BuildEnvironments(Struct, frozen=True, kw_only=True):
    """What was installed for a build, in all its environments."""

    #: sorted, without duplicates
    requirements: tuple[InstalledRequirement, ...]
    #: those of them that no constraint pins with a hash, as "name==version"
    unpinned: tuple[str, ...] = ()


class WrittenConstraints(Struct, frozen=True, kw_only=True):
    """A file of constraints that was written, and what it pins."""

    path: Path
    #: the same, relative to the project, with slashes
    place: str
    #: (normalized name, version) → SHA-256, sorted
    hashes: Mapping[tuple[str, str], tuple[str, ...]]
    #: whether the file had the same pins before
    unchanged: bool
