"""How the parts of a record read, in every form that it is shown in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from release.core.errors import Exit
from release.core.models.index import WELL_KNOWN

Data = Mapping[str, Any]
Level = Literal["good", "warn", "bad", "calm"]

#: state of a check → how grave it is, and its mark
CHECK_STATES: Mapping[str, tuple[Level, str]] = {
    "passed": ("good", "✓"),
    "warned": ("warn", "!"),
    "waived": ("warn", "~"),
    "failed": ("bad", "✕"),
    "unknown": ("bad", "?"),
    "crashed": ("bad", "✕"),
    "skipped": ("calm", "·"),
    "not applicable": ("calm", "·"),
}
_ENDS: Mapping[int, tuple[Level, str]] = {
    Exit.DONE: ("good", "done"),
    Exit.REFUSED: ("bad", "refused"),
    Exit.USAGE: ("bad", "not possible"),
    Exit.UNCHANGED: ("bad", "upload failed"),
    Exit.INCOMPLETE: ("bad", "incomplete"),
}
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckGroup:
    """The checks of one step."""

    title: str
    checks: tuple[Data, ...]

    @property
    def tally(self) -> str:
        """How they ended: "14 passed, 1 waived"."""
        states = [str(check["state"]) for check in self.checks]
        return ", ".join(f"{states.count(state)} {state}" for state in CHECK_STATES if state in states)

    @property
    def level(self) -> Level:
        """That of the gravest."""
        levels = [level(check) for check in self.checks]
        return next((one for one in _WORST_FIRST if one in levels), "calm")


_WORST_FIRST: tuple[Level, ...] = ("bad", "warn", "good")


def group_checks(run: Data) -> list[CheckGroup]:
    """The checks by step, in order."""
    titles = dict.fromkeys(check["step"] for check in run["checks"])
    return [CheckGroup(title=title, checks=tuple(c for c in run["checks"] if c["step"] == title)) for title in titles]


def state_label(check: Data) -> str:
    """How a check ended, in a word or two: a rehearsal goes on where a release would stop."""
    return "would stop a release" if blocks_release(check) and not check.get("stops", True) else str(check["state"])


def level(check: Data) -> Level:
    """How grave a check's state is."""
    found = CHECK_STATES.get(check["state"], ("bad", "?"))[0]
    return "warn" if found == "bad" and not check.get("stops", True) else found


def state_mark(check: Data) -> str:
    """A character for a check's state."""
    return CHECK_STATES.get(check["state"], ("bad", "?"))[1]


def blocks_release(check: Data) -> bool:
    """Whether a check stops a release."""
    return CHECK_STATES.get(check["state"], ("bad", "?"))[0] == "bad"


def checks_with_problems(run: Data) -> list[Data]:
    """The checks that have something to say, the gravest first."""
    found = [check for check in run["checks"] if level(check) in {"bad", "warn"}]
    return sorted(found, key=lambda check: _WORST_FIRST.index(level(check)))


def run_outcome(run: Data) -> tuple[Level, str]:
    """How a run ended: level and word."""
    return _ENDS.get(run["exit"]["status"], ("bad", "failed"))


def release_title(record: Data) -> str:
    """Project and version."""
    return f"{record['project'] or 'unknown project'} {record['version'] or '(version unknown)'}"


def format_time(stamp: str) -> str:
    """A time for a reader: `2026-11-05 12:00 UTC`; what is none is shown as it is."""
    try:
        return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return stamp


def run_seconds(run: Data) -> float:
    """How long a run took."""
    try:
        return (datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["begun"])).total_seconds()
    except (ValueError, TypeError):
        return 0.0


def format_duration(count: float) -> str:
    """Seconds for a reader: `0.3 s`, `12 s`, `2 min 5 s`."""
    if count < 10:  # noqa: PLR2004 - from there on tenths tell nothing
        return f"{count:.1f} s"
    whole = round(count)
    return f"{whole} s" if whole < _MINUTE else f"{whole // _MINUTE} min {whole % _MINUTE} s"


def release_url(index: Data, record: Data) -> str | None:
    """Address of the release's page; None where the index is none of the two that have such pages."""
    known = next((one for one in WELL_KNOWN.values() if one.simple_url == index["simple_url"]), None)
    if known is None or not record["project"] or not record["version"]:
        return None
    path = f"project/{quote(record['project'], safe='')}/{quote(record['version'], safe='')}/"
    return known.simple_url.removesuffix("simple/") + path


def release_urls(record: Data) -> dict[str, str]:
    """Index → address of the release's page there, over all runs."""
    indexes: Sequence[Data] = [index for run in record["runs"] for index in run["indexes"]]
    return {index["name"]: address for index in indexes if (address := release_url(index, record))}


def ephemeral_indexes(record: Data) -> set[str]:
    """Names of the indexes that were made for a run and are gone."""
    return {index["name"] for run in record["runs"] for index in run["indexes"] if index["ephemeral"]}


def findings_of(check: Data) -> Iterator[Data]:
    """The findings of a check; one where the check itself could not be made."""
    yield from check["findings"]
    if not check["findings"] and blocks_release(check):
        yield {"message": check.get("reason") or check["state"], "remedy": check.get("remedy", "")}


def failed_uploads(run: Data) -> list[tuple[str, Data]]:
    """(index, answer) of each file that an index did not take, or may not have taken."""
    answers = [(name, answer) for name, many in run["uploads"].items() for answer in many]
    return [(name, answer) for name, answer in answers if answer["answer"] != "receipt"]


def answer_to_text(answer: Data) -> str:
    """What an index said of a file, in its words."""
    match answer["answer"]:
        case "receipt":
            return "was there already" if answer.get("already_there") else "accepted"
        case "rejection":
            return f"refused with {answer.get('status')}: {answer.get('text')}"
        case _:
            return f"unclear ({answer.get('what')}): {answer.get('detail')}"
