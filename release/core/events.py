"""The events of a run, for its observers: a screen, a log, a JSON document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from release.core.models.check_result import Outcome
    from release.core.secret import Secret


class StepStarted(Struct, frozen=True, kw_only=True):
    """A step of the plan starts."""

    title: str


class StepFinished(Struct, frozen=True, kw_only=True):
    """The step that started last is over."""

    title: str
    #: "done", "refused" (a check or the index refused), "skipped" (there was nothing to do)
    status: Literal["done", "refused", "skipped"]
    #: a short text to show after the title; may be empty
    note: str
    #: without the time that a person took to answer
    seconds: float
    #: seconds that a person took to answer: an approval, a new token
    prompted: float = 0
    #: what the step consisted of, in numbers: "12 passed, 1 failed"; empty where its observers count
    counted: str = ""


class CheckFinished(Struct, frozen=True, kw_only=True):
    """A check has an outcome."""

    outcome: Outcome
    #: whether a blocking outcome stops this run; a rehearsal shows it and continues
    stops: bool


class Progress(Struct, frozen=True, kw_only=True):
    """A long operation makes progress."""

    text: str
    #: how much of `total` is done
    done: float = 0
    #: None where it is unknown
    total: float | None = None
    unit: Literal["bytes", "files", "seconds"] = "bytes"


class Message(Struct, frozen=True, kw_only=True):
    """A line for the user."""

    text: str
    #: whether a program that this one runs has printed it
    tool_output: bool = False
    #: whether the end of the step says as much in few words; shown on request
    detail: bool = False


class SecretObtained(Struct, frozen=True, kw_only=True):
    """This run has received a secret, so that a CI system can mask it. It is not shown."""

    secret: Secret


Event = StepStarted | StepFinished | CheckFinished | Progress | Message | SecretObtained


class SetPhaseStarted(Struct, frozen=True, kw_only=True):
    """A phase of a set's run starts: the gate, or one level on one index."""

    #: unique within the run: "gate", "testpypi, level 2 of 8"
    title: str
    #: names of the members that it consists of, as their metadata spells them
    members: tuple[str, ...]
    #: the index that the members are uploaded to; None for a phase without lasting uploads
    index: str | None = None
    #: counted from 1; None for a phase of all levels
    level: int | None = None


class SetPhaseFinished(Struct, frozen=True, kw_only=True):
    """The phase that started last is over, whether its members succeeded or not."""

    title: str
    seconds: float


class MemberEvent(Struct, frozen=True, kw_only=True):
    """An event of one member's run."""

    member: str
    event: Event


class MemberFinished(Struct, frozen=True, kw_only=True):
    """A member has finished its part of the current phase. Each member of the phase that started sends one."""

    member: str
    version: str
    #: as of a step; "stopped": the member did not finish because another one failed, or the run was interrupted
    status: Literal["done", "refused", "skipped", "stopped"]
    #: for "refused" the message of its failure, else a short text or nothing
    note: str = ""
    #: of a failure
    remedy: str = ""
    seconds: float = 0


#: the checks are those of the set as a whole
SetEvent = (
    SetPhaseStarted | SetPhaseFinished | MemberEvent | MemberFinished | CheckFinished | Message | SecretObtained
)  # fmt: skip

#: receives the events of a run. It must not raise: a closed terminal does not stop a release half-way
Observer = Callable[[Event], None]

#: receives the events of a set's run, from several threads. It must not raise
SetObserver = Callable[[SetEvent], None]
