"""What all formats of a set's record share: how the run and each member ended, and what each index has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from release.core.time_text import format_count
from release.reports import record_text
from release.reports.check_tally import tally_to_text
from release.reports.record_text import Data, Level

#: how a member ended → level and text
_ENDS: Mapping[str, tuple[Level, str]] = {
    "done": ("good", "done"), "skipped": ("good", "nothing to do"), "refused": ("bad", "failed"),
    "stopped": ("warn", "stopped"), "broken off": ("bad", "interrupted"), "not reached": ("calm", "not begun"),
    "left out": ("calm", "not released"),
}  # fmt: skip
#: the state of a member that is not released → text
_STATES = {
    "released": "on the index", "unchanged": "unchanged since its last tag", "private": "private",
    "not-selected": "not selected", "unknown": "unknown", "release": "to be released, in no order yet",
}  # fmt: skip
_NOT_ENDED = "the run has not ended: it was interrupted, or is still running"
#: the worst first
_LEVELS: tuple[Level, ...] = ("bad", "warn", "good", "calm")


class StandingText(Struct, frozen=True, kw_only=True):
    """What an index has of a member, in a few words."""

    level: Level
    text: str


class SharedWarning(Struct, frozen=True, kw_only=True):
    """A check that warns in several members."""

    check: Data
    members: tuple[str, ...]


def set_title(record: Data) -> str:
    """The number of members, and the command: "set of 5 members: release"."""
    return f"set of {format_count(len(record['members']), 'member')}: {record['verb']}"


def set_outcome(record: Data) -> tuple[Level, str]:
    """How the run ended: a level and a word."""
    return record_text.run_outcome(record) if record["exit"] else ("bad", "not ended")


def set_headline(record: Data) -> str:
    """What happened, on one line."""
    return str(record["exit"]["message"]).partition("\n")[0] if record["exit"] else _NOT_ENDED


def set_progress(record: Data) -> list[str]:
    """What each index has of the members, a line each; empty for a run that is complete."""
    return str(record["exit"]["message"]).splitlines()[1:] if record["exit"] else []


def set_remedy(record: Data) -> str:
    return str(record["exit"]["remedy"]) if record["exit"] else ""


def set_next_command(record: Data) -> str:
    """The command to run next; a run that was interrupted is continued by its own."""
    return str(record["exit"]["next"] if record["exit"] else record["command"])


def released(record: Data) -> list[Data]:
    """The members that the run releases, in the order of the levels."""
    found = [one for one in record["members"] if one["level"] is not None]
    return sorted(found, key=lambda one: int(one["level"]))


def left_out_text(record: Data) -> str:
    """The members that the run does not release, by the reason: "private: acme-docs"."""
    by: dict[str, list[str]] = {}
    for one in record["members"]:
        if one["level"] is None:
            by.setdefault(_STATES.get(one["state"], one["state"]), []).append(one["name"])
    return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by.items())


def member_title(member: Data) -> str:
    return f"{member['name']} {member['version']}"


def member_end(member: Data) -> tuple[Level, str]:
    """How a member ended: a level and a text."""
    return _ENDS.get(member["how"], ("bad", str(member["how"])))


def member_standing(member: Data, index: str) -> StandingText | None:
    """What an index has of a member; None if it was not to be uploaded there."""
    found = next((one for one in member["standings"] if one["index"] == index), None)
    return standing_text(found, released=member["level"] is None) if found else None


def standing_text(standing: Data, *, released: bool = False) -> StandingText:
    """A standing in a few words. `released`: whether the member needs no release, so that no confirmation is due."""
    files = f"{standing['accepted']} of {standing['expected']} files" if standing["expected"] is not None else ""
    match standing["standing"]:
        case "whole" if standing["confirmed"]:
            return StandingText(level="good", text="confirmed")
        case "whole":
            return StandingText(level="good" if released else "warn", text=files or "all files")
        case "partial":
            return StandingText(level="bad", text=files or "some files")
        case "not-begun":
            return StandingText(level="calm", text="not begun")
        case _:
            return StandingText(level="bad", text="unknown")


def member_tally(member: Data) -> str:
    """The number of checks in each state."""
    return tally_to_text(member["tally"])


def has_problem(member: Data) -> bool:
    """Whether its own run failed, or one of its checks would stop it."""
    failed = any(record_text.level(check) == "bad" for check in member.get("checks", ()))
    return failed or member["how"] in {"refused", "broken off"}


def shared_warnings(members: Iterable[Data]) -> list[SharedWarning]:
    """The checks that do not stop a member, each with the members that have it."""
    by: dict[str, list[tuple[str, Data]]] = {}
    for member in members:
        found = {check["check"]: check for check in member.get("checks", ()) if record_text.level(check) == "warn"}
        for name, check in found.items():
            by.setdefault(name, []).append((member["name"], check))
    return [SharedWarning(check=some[0][1], members=tuple(name for name, _ in some)) for some in by.values()]


def worst_level(levels: Iterable[Level]) -> Level:
    """The worst of these levels; "calm" if there are none."""
    return min(levels, key=_LEVELS.index, default="calm")
