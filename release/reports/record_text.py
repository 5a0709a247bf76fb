"""What all formats of a release record share: levels, times, progress on each index, answers of indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from release.core.errors import Exit
from release.core.models.index import WELL_KNOWN
from release.core.time_text import format_time

Data = Mapping[str, Any]
Level = Literal["good", "warn", "bad", "calm"]

#: state of a check → level and mark
CHECK_STATES: Mapping[str, tuple[Level, str]] = {
    "passed": ("good", "✓"), "warned": ("warn", "!"), "waived": ("warn", "~"), "failed": ("bad", "✕"),
    "unknown": ("bad", "?"), "crashed": ("bad", "✕"), "skipped": ("calm", "·"), "not applicable": ("calm", "·"),
}  # fmt: skip
_OUTCOMES: Mapping[int, tuple[Level, str]] = {
    Exit.DONE: ("good", "done"), Exit.REFUSED: ("bad", "refused"), Exit.USAGE: ("bad", "not possible"),
    Exit.UNCHANGED: ("bad", "upload failed"), Exit.INCOMPLETE: ("bad", "incomplete"),
}  # fmt: skip
#: characters of a title
_LONG = 140
_WORST_FIRST: tuple[Level, ...] = ("bad", "warn", "good")


class CheckGroup(Struct, frozen=True, kw_only=True):
    """The checks of one step."""

    title: str
    checks: tuple[Data, ...]

    @property
    def tally(self) -> str:
        """The number of checks in each state: "14 passed, 1 waived"."""
        states = [str(check["state"]) for check in self.checks]
        return ", ".join(f"{states.count(state)} {state}" for state in CHECK_STATES if state in states)

    @property
    def level(self) -> Level:
        """The worst level of the checks."""
        levels = [level(check) for check in self.checks]
        return next((one for one in _WORST_FIRST if one in levels), "calm")


def group_checks(run: Data) -> list[CheckGroup]:
    """The checks by step, in order."""
    titles = dict.fromkeys(check["step"] for check in run["checks"])
    return [CheckGroup(title=title, checks=tuple(c for c in run["checks"] if c["step"] == title)) for title in titles]


def state_label(check: Data) -> str:
    """The state of a check; a rehearsal continues where a release would stop."""
    return "would block a release" if blocks_release(check) and not check.get("stops", True) else str(check["state"])


def level(check: Data) -> Level:
    found = CHECK_STATES.get(check["state"], ("bad", "?"))[0]
    return "warn" if found == "bad" and not check.get("stops", True) else found


def state_mark(check: Data) -> str:
    """One character for the state of a check."""
    return CHECK_STATES.get(check["state"], ("bad", "?"))[1]


def blocks_release(check: Data) -> bool:
    return CHECK_STATES.get(check["state"], ("bad", "?"))[0] == "bad"


def checks_with_problems(run: Data) -> list[Data]:
    """The checks that failed or warned, the worst first."""
    found = [check for check in run["checks"] if level(check) in {"bad", "warn"}]
    return sorted(found, key=lambda check: _WORST_FIRST.index(level(check)))


def findings_of(check: Data) -> Iterator[Data]:
    """The findings of a check, or one for a check that could not run, also where that is accepted."""
    yield from check["findings"]
    if not check["findings"] and (blocks_release(check) or check["state"] == "waived"):
        yield {"message": check.get("reason") or check["state"], "remedy": check.get("remedy", "")}


def run_outcome(run: Data) -> tuple[Level, str]:
    """How a run ended: a level and a word."""
    return _OUTCOMES.get(run["exit"]["status"], ("bad", "failed"))


def headline(message: str) -> str:
    """The cause in a message, for a title: its first line; of a long one, the first part."""
    first = message.partition("\n")[0]
    return first if len(first) <= _LONG else first.partition("; ")[0]


def after_headline(message: str) -> str:
    """What the headline leaves out."""
    return message[len(headline(message)) :].strip("; \n")


def release_title(record: Data) -> str:
    return f"{record['project'] or 'unknown project'} {record['version'] or '(version unknown)'}"


def timestamp_to_text(timestamp: str) -> str:
    """A timestamp as `2026-11-05 12:00 UTC`; an invalid one is unchanged."""
    try:
        return format_time(datetime.fromisoformat(timestamp))
    except ValueError:
        return timestamp


def run_seconds(run: Data) -> float:
    """How long a run took, without the time that a person took to answer; 0 if its times are invalid."""
    try:
        took = (datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["begun"])).total_seconds()
        return max(0.0, took - sum(map(prompted_seconds, run.get("steps") or run.get("phases") or ())))
    except (ValueError, TypeError):
        return 0.0


def prompted_seconds(step: Data) -> float:
    """The seconds that a person took to answer in a step, or after a phase; earlier versions did not record them."""
    found = step.get("prompted", 0)
    return float(found) if isinstance(found, int | float) else 0.0


class IndexProgress(Struct, frozen=True, kw_only=True):
    """The progress of the release on one index, over all runs."""

    index: str
    #: names of the files that the index has accepted
    there: tuple[str, ...]
    #: names of the files that the index refused when they were last sent
    refused: tuple[str, ...]
    #: number of files in the release
    total: int
    #: whether the last confirmation succeeded; None if there was none
    verified: bool | None

    @property
    def summary(self) -> str:
        """The progress in a few words."""
        there = f"has {len(self.there)} of {self.total} files"
        if self.refused:
            return f"{there}, refused {len(self.refused)}"
        if self.verified:
            return "verified"
        return there if self.verified is None else f"{there}, not verified"


def progress_by_index(record: Data) -> list[IndexProgress]:
    """The progress on each index that any run uploaded to, or confirmed the release on."""
    ours = {(file["filename"], file["sha256"]) for file in record["files"]}
    names = dict.fromkeys(name for run in record["runs"] for name in [*run["uploads"], *_confirmations(run)])
    return [_progress(record, name, ours) for name in names]


def _progress(record: Data, name: str, ours: set[tuple[str, str]]) -> IndexProgress:
    accepted: dict[str, bool] = {}
    verified: bool | None = None
    for run in record["runs"]:
        for answer in run["uploads"].get(name, ()):
            if answer["answer"] == "receipt" and (answer["filename"], answer["sha256"]) in ours:
                accepted[answer["filename"]] = True
            elif answer["answer"] == "rejection":
                accepted[answer["filename"]] = False
        verified = _confirmations(run).get(name, verified)
    known = {filename for filename, _ in ours}
    return IndexProgress(
        index=name, total=len(ours), verified=verified,
        there=tuple(file for file, there in accepted.items() if there),
        refused=tuple(file for file, there in accepted.items() if not there and file in known),
    )  # fmt: skip


def _confirmations(run: Data) -> dict[str, bool]:
    """Index → whether the confirmation of this run succeeded there."""
    return {
        step["index"]: step["how"] in {"done", "skipped"}
        for step in run["steps"]
        if step["step"] == "verify" and step["begun"] is not None
    }


def release_urls(record: Data) -> dict[str, str]:
    """Index → address of the release's page there, for PyPI and TestPyPI."""
    indexes = (index for run in record["runs"] for index in run["indexes"])
    sites = {one.simple_url: one.simple_url.removesuffix("simple/") for one in WELL_KNOWN.values()}
    if not record["project"] or not record["version"]:
        return {}
    path = f"project/{quote(record['project'], safe='')}/{quote(record['version'], safe='')}/"
    return {one["name"]: sites[one["simple_url"]] + path for one in indexes if one["simple_url"] in sites}


def failed_uploads(run: Data) -> list[tuple[str, Data]]:
    """(index, answer) for each file that an index refused or may not have accepted."""
    answers = [(name, answer) for name, many in run["uploads"].items() for answer in many]
    return [(name, answer) for name, answer in answers if answer["answer"] != "receipt"]


def answer_to_text(answer: Data) -> str:
    """The answer of an index to an upload."""
    match answer["answer"]:
        case "receipt":
            return "was there already" if answer.get("already_there") else "accepted"
        case "rejection":
            return f"refused with {answer.get('status')}: {answer.get('text')}"
        case _:
            return f"unclear ({answer.get('what')}): {answer.get('detail')}"


def finding_to_text(finding: Data) -> str:
    """The location and the message of a finding."""
    where = finding.get("where")
    return f"{where}: {finding['message']}" if where else str(finding["message"])


def requirement_to_text(requirement: Data) -> str:
    """A distribution that a build has installed, with the hash of its file, or those that were allowed."""
    allowed = requirement["allowed"]
    known = requirement["sha256"] or (allowed[0] if len(allowed) == 1 else None)
    hashes = f"sha256 {known}" if known else f"one of {len(allowed)} pinned hashes" if allowed else "not pinned"
    return f"{requirement['name']}=={requirement['version']}, {hashes}"
