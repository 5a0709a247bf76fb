"""What a check reports: a finding, that a fact is unknown, or that the check does not apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and what to do about it."""

    #: what is wrong and where: lower case, no full stop, the offending value quoted
    message: str
    #: in the imperative: the exact command or address that solves it
    remedy: str
    #: "block" stops the run before its first effect; "warn" is shown
    severity: Literal["block", "warn"] = "block"
    #: file, line, archive member or field
    where: str | None = None
    #: the message with which the index would refuse it
    server_text: str | None = None
    #: the document that the rule is based on
    source: str | None = None
    #: id of the known failure in the catalog (`release explain ID`)
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that could not be determined. It blocks, because an unknown fact must not count as a success."""

    #: why it is unknown
    reason: str
    #: how to make it known
    remedy: str
    #: id of the known failure in the catalog, if it is one
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """The check does not apply, and why."""

    reason: str


Observation = Finding | Unknown | NotApplicable
