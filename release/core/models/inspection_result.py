"""The result of inspecting distribution files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from release.core.facts import BuiltFiles
from release.core.models.index import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionResult:
    """The result of `inspect`."""

    #: `{"schema": 1, "files": […], "release": […]}`
    document: Mapping[str, Any]
    built: BuiltFiles
    #: the index that was contacted; None if none was
    index: Index | None

    @property
    def refused(self) -> bool:
        """Whether any file, or the set, would be refused."""
        of_files = (file["verdict"] == "refuse" for file in self.document["files"])
        return any(of_files) or any(one["severity"] == "block" for one in self.document["release"])
