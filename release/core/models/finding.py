"""What a check or a survey has to say: a finding, "not known", "does not apply"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and what to do about it."""

    #: what is wrong and where: lower case, no full stop, the offending value quoted
    message: str
    #: an order: the exact command or address that mends it
    remedy: str
    #: "block" stops the run before its first effect; "warn" is shown
    severity: Literal["block", "warn"] = "block"
    #: file, line, member or field that it is about
    where: str | None = None
    #: the words in which the index would refuse it
    server_text: str | None = None
    #: the document that the rule rests on
    source: str | None = None
    #: id of the known failure in the catalog (`release explain ID`)
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that could not be learnt. It blocks: what can't be seen is not green."""

    #: why it is not known
    reason: str
    #: what would make it known
    remedy: str
    #: id of the known failure in the catalog, where it is one
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """The check has nothing to look at here, and says why."""

    reason: str


Observation = Finding | Unknown | NotApplicable
