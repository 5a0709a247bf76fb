"""What is asked of a changelog, and what its new version is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct
from packaging.version import Version

from release.adapters.system.system import System
from release.core.models.check_result import Finding
from release.core.models.preparation import CommitSummary, FileEdit, ToolRun


class ChangelogRequest(Struct, frozen=True, kw_only=True):
    """The release that a changelog is to have."""

    system: System
    #: of the project
    directory: Path
    version: Version
    #: the version as the project spells it: "2026.06.04"
    text: str
    today: date
    #: the release's tag
    tag: str
    #: the tag of the release before; None where there is none
    last_tag: str | None
    #: since that tag, the newest first
    commits: Sequence[CommitSummary]
    #: the file that `changelog` in `[tool.release]` names, relative to the project; None: not configured
    configured: str | None
    #: the bytes that a path, relative to the project, has at the last tag; None where it has no such file
    at_last_tag: Callable[[str], bytes | None]


class ChangelogChange(Struct, frozen=True, kw_only=True):
    """What brings a changelog to the release. Nothing is done yet."""

    edits: tuple[FileEdit, ...] = ()
    runs: tuple[ToolRun, ...] = ()
    findings: tuple[Finding, ...] = ()
