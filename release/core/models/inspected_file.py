"""A distribution file after its inspection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from release.core.models.check_result import Finding


def parse_version(text: str) -> Version | str:
    """The version, or the text itself if it is not valid; two of them can be compared."""
    try:
        return Version(text)
    except InvalidVersion:
        return text


@dataclass(frozen=True, kw_only=True)
class InspectedFile:
    """What the inspection of a file found."""

    filename: str
    #: public name of a check, finding
    findings: tuple[tuple[str, Finding], ...]
    #: of the bytes, 64 lower-case hex digits; empty if they cannot be read
    sha256: str = ""
    #: in the form that twine would send; empty if there is no metadata
    name: str = ""
    version: str = ""
    #: of a wheel; empty if it has none
    entry_points: bytes = field(default=b"", repr=False)
    #: the files in the archive, in order: path, bytes
    members: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    #: the core metadata as it is in the archive
    metadata: bytes = field(default=b"", repr=False)

    @property
    def is_wheel(self) -> bool:
        return self.filename.endswith(".whl")

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The core metadata as in `packaging.metadata.RawMetadata`."""
        from packaging.metadata import parse_email

        raw, _ = parse_email(self.metadata)
        return {**raw}


@dataclass(slots=True)
class InspectionCache:
    """Inspections that several checks need; None until the first of them asks."""

    files: tuple[InspectedFile, ...] | None = None
    previous: tuple[InspectedFile, ...] | None = None
