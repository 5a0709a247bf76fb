"""The result of a set's run: what each member's run did, and what each index has of each member."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from release.core.errors import Exit
from release.core.models.check_result import Outcome
from release.core.models.release_set import ReleaseSet
from release.core.models.results import RunResult

SetVerb = Literal["check", "rehearse", "release"]

#: how much of a member an index has: "whole": all of its files; "partial": some; "not-begun": none; "unknown": it is
#: not known, because the index did not answer, or because the number of the member's files is not known
Standing = Literal["whole", "partial", "not-begun", "unknown"]


class IndexStanding(Struct, frozen=True, kw_only=True):
    """What one index has of one member."""

    index: str
    standing: Standing
    #: the number of the member's files that the index has
    accepted: int = 0
    #: the number of the member's files; None while it is unknown
    expected: int | None = None
    #: whether the release passed the checks of what the index lists and installs
    confirmed: bool = False


class MemberResult(Struct, frozen=True, kw_only=True):
    """What a run of the set did with one member."""

    #: as its metadata spells it
    name: str
    version: str
    #: the result of its last run; None where it did not begin
    result: RunResult | None
    #: one for each index of the run, in order
    standings: tuple[IndexStanding, ...]
    #: whether its run ended only because another member failed, or because the run was interrupted
    stopped: bool = False

    @property
    def title(self) -> str:
        """Name and version, if that is known."""
        return f"{self.name} {self.version}".rstrip()

    @property
    def failed(self) -> bool:
        """Whether its own run failed."""
        return self.result is not None and self.result.exit != Exit.DONE and not self.stopped

    def standing(self, index: str) -> IndexStanding | None:
        return next((one for one in self.standings if one.index == index), None)


class SetRunResult(Struct, frozen=True, kw_only=True):
    """What a run of a set did, and what remains to be done."""

    verb: SetVerb
    release_set: ReleaseSet
    exit: Exit
    #: what happened; where the run stopped, one more line for each index: what it has of the members
    message: str
    #: how to fix it; empty if the run succeeded
    remedy: str
    #: the one command to run next; empty if nothing remains to be done
    next_command: str
    #: names of the indexes of the run, in order
    indexes: tuple[str, ...]
    #: the members that this run is to release, in the order of the levels
    members: tuple[MemberResult, ...]
    #: the checks of the set as a whole
    outcomes: tuple[Outcome, ...] = ()
    #: path of the set's record; empty if it could not be written
    record: str = ""

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    @property
    def progress(self) -> tuple[str, ...]:
        """The other lines of the message: what each index has of the members."""
        return tuple(self.message.splitlines()[1:])
