"""Whose a project is, as its index tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Who has a role on a project. Whoever is missing here may still have one, through a team or organization."""

    #: the project's name as the index spells it
    name: str
    #: ("Owner" | "Maintainer", user), as the index lists them
    roles: tuple[tuple[str, str], ...] = ()
    #: the organization that it belongs to; None where it belongs to none
    organization: str | None = None
