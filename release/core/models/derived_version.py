"""Where the version of a project comes from."""

from __future__ import annotations

from msgspec import Struct


class VersionSource(Struct, frozen=True, kw_only=True):
    """What gives the project its version."""

    #: the tool that derives it from git: "setuptools-scm", "hatch-vcs", …; None if the backend reads it elsewhere
    tool: str | None
    #: the variable that replaces the version that the tool would derive, with `{name}` in it; None if there is none
    variable: str | None = None
    #: whether the user has set that variable
    overridden: bool = False
