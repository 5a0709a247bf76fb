"""What a run tells whoever watches it: a screen, a log, a JSON document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from release.core.models.check_result import Outcome
from release.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBegun:
    """A step of the plan starts."""

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """The step that began last is over."""

    title: str
    #: "done", "refused" (a check or the index said no), "skipped" (nothing remained to be done)
    how: Literal["done", "refused", "skipped"]
    #: what there is to say beside the title; may be empty
    note: str
    #: seconds
    took: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check has its outcome."""

    outcome: Outcome
    #: whether a blocking outcome stops this run; a rehearsal shows what would stop a release
    stops: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Something long is under way."""

    what: str
    #: how much is done; of `total`
    done: float = 0
    #: None where nobody knows how much there is
    total: float | None = None
    unit: Literal["bytes", "files", "seconds"] = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line for the reader; tool output where `foreign`."""

    text: str
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A secret that this run was given: for a CI system that masks what it is told of; for no reader."""

    secret: Secret


Event = StepBegun | StepEnded | Checked | Progress | Said | Obtained

#: How a run speaks. Never raises: a closed terminal does not stop a release half-way.
Tell = Callable[[Event], None]
