"""The preparation of a release: the next version, and what the project's files say of it afterwards.

Everything is computed before anything is written: a plan is this value, and undoing it restores `FileEdit.before`.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct
from packaging.version import Version

from release.core.models.check_result import Finding

#: what raises a version: a part of it, the next pre-release, its final release, the next post-release or development
#: release, or the date of a calendar version
Bump = Literal["major", "minor", "patch", "pre", "final", "post", "dev", "calendar"]


class EarlierVersion(Struct, frozen=True, kw_only=True):
    """A version that is released: of a tag, or on the index."""

    #: as the tag spells it, without what stands before the version: "2026.06.04", "1.0.0-rc.1"
    text: str
    #: when; None if that is not known
    released: date | None = None


class CommitSummary(Struct, frozen=True, kw_only=True):
    """A commit since the last release."""

    #: 40 hex digits (64 in a SHA-256 repository)
    commit: str
    #: the first line of its message
    subject: str
    #: the rest of its message; empty where there is none
    body: str = ""


class VersionPlace(Struct, frozen=True, kw_only=True):
    """A place in the project's files that states its version."""

    #: relative to the project, with slashes
    path: str
    #: from 1
    line: int
    #: characters of the line before the text
    column: int
    #: "project.version", "tool.poetry.version", "__version__", "setup(version=…)", …
    setting: str
    #: as it is spelled there
    text: str


class DerivedFromTags(Struct, frozen=True, kw_only=True):
    """The version is derived from the repository's tags: no file states it."""

    #: "setuptools-scm", "hatch-vcs", …
    tool: str


class FileEdit(Struct, frozen=True, kw_only=True):
    """A change of one file, not made yet."""

    #: relative to the project, with slashes
    path: str
    #: the bytes of the file now; None if it does not exist
    before: bytes | None
    #: the bytes afterwards; None if the file is removed
    after: bytes | None
    #: in a few words: "project.version 1.1.0 → 1.2.0"
    what: str


class ToolRun(Struct, frozen=True, kw_only=True):
    """A tool of the project that changes files itself: `uv lock`, `towncrier build`, `scriv collect`."""

    argv: tuple[str, ...]
    #: in a few words: "update uv.lock"
    what: str
    #: the files and directories that it changes, relative to the project, with slashes
    paths: tuple[str, ...] = ()


class Proposal(Struct, frozen=True, kw_only=True):
    """The next version, and why."""

    version: Version
    #: in the spelling of the project's tags: "2026.06.04"
    text: str
    #: None where the user gave the version itself, or where the version of the project is not released yet
    bump: Bump | None
    #: "feat: add x (abc1234)", "no release yet", "given on the command line"
    reason: str


class Preparation(Struct, frozen=True, kw_only=True):
    """What `prepare` is going to do to one project."""

    #: as its metadata spells it
    project: str
    #: None where the project has no version yet
    current: Version | None
    proposal: Proposal
    #: the tag that the commits are counted from; None where there is no release yet
    last_tag: str | None
    #: since that tag, the newest first
    commits: tuple[CommitSummary, ...]
    edits: tuple[FileEdit, ...] = ()
    #: run after the edits are written, in this order
    runs: tuple[ToolRun, ...] = ()
    #: the subject of the commit: "Release 1.2.0"; None where nothing is to be committed
    message: str | None = None
    #: the local tag to create, where the version is derived from tags; None otherwise
    tag: str | None = None
    #: what blocks it, or what the user should know of the files
    findings: tuple[Finding, ...] = ()
