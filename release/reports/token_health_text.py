"""What a look at many tokens comes to: lines, one JSON document, an exit status. Never a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from release.core.models.token_health import HealthReport, StatusInterval, TokenReport, TokenState, TokenStatus
from release.core.models.verdict import VerdictWord
from release.reports.lines import Line, outcome_to_json

_STYLES: Mapping[str, str] = {
    "healthy": "green", "warning": "yellow", "expiring": "yellow", "expired": "bold red", "revoked": "bold red",
    "broken": "bold red", "unknown": "magenta",
}  # fmt: skip
#: the words of a verdict, the gravest first
WORST_FIRST: tuple[VerdictWord, ...] = ("broken", "unknown", "warning", "healthy")
#: lines of what is in order that are worth reading one by one
_FEW = 40


def scan_to_lines(look: HealthReport, *, quiet: bool = False) -> Iterator[Line]:
    """The run for a reader: what is wrong first, each with what to do; then what is in order."""
    if not look.rows:
        yield Line(text="no credential was found, so there is none to look at", style="bold yellow")
        yield Line(text="  → store one (python -m release store --index NAME), or list them: --fleet FILE")
    ranked = sorted(look.rows, key=lambda row: WORST_FIRST.index(row.seen.word))
    wrong = [row for row in ranked if row.seen.word != "healthy"]
    fine = [row for row in ranked if row.seen.word == "healthy"]
    for row in wrong:
        yield from _trouble(row)
    if not quiet:
        yield from (_row(row) for row in fine[:_FEW])
        if len(fine) > _FEW:
            yield Line(text=f"  … and {len(fine) - _FEW} more that are healthy", style="dim")
    yield from _ending(look)


def _row(row: TokenReport) -> Line:
    seen, state = row.seen, row.seen.state
    more = [text for text in (_age(row.age), _left(row.left)) if text]
    told = f" ({', '.join(more)})" if more else ""
    return Line(text=f"{state:<9} {seen.about}: {seen.place}{told}", style=_STYLES[state])


def _trouble(row: TokenReport) -> Iterator[Line]:
    seen = row.seen
    level = "warning" if seen.word == "warning" else "error"
    line = _row(row)
    yield Line(text=line.text, style=line.style, annotation=(level, f"{seen.about}: {seen.state}", _sentence(seen)))
    for message, remedy in dict.fromkeys([(seen.message, seen.remedy), *_others(row)]):
        yield Line(text=f"          {message}")
        if remedy:
            yield Line(text=f"          → {remedy}")


def _sentence(seen: TokenStatus) -> str:
    return f"{seen.message}. {seen.remedy}" if seen.remedy else seen.message


def _others(row: TokenReport) -> Iterator[tuple[str, str]]:
    """What else is wrong, beside the root of it."""
    for outcome in row.outcomes:
        if outcome.state in {"warned", "failed"}:
            yield from ((one.message, one.remedy) for one in outcome.findings)


def _ending(look: HealthReport) -> Iterator[Line]:
    counts: Counter[str] = Counter(row.seen.word for row in look.rows)
    said = ", ".join(f"{counts[word]} {word}" for word in reversed(WORST_FIRST) if counts[word]) or "nothing"
    passed = set(counts) <= {"healthy"} and bool(look.rows)
    yield Line(text=f"{len(look.rows)} looked at: {said}", style="bold green" if passed else "bold")
    if look.interrupted:
        yield Line(text="  ended early: what was not looked at is unknown", style="bold yellow")
    if look.offline:
        yield Line(text="  as far as this machine can tell: no index was asked", style="dim")
    for note in look.notes:
        yield Line(text=f"  note: {note}", annotation=("warning", "token health", note))
    if look.forgotten is not None:
        what, remedy = look.forgotten
        yield Line(text=f"  this run is not remembered: {what}", style="bold yellow")
        yield Line(text=f"  → {remedy}")


def _age(age: timedelta | None) -> str:
    return f"{age.days} days old" if age is not None and age.days else ""


def _left(left: timedelta | None) -> str:
    return f"{left.days} days left" if left is not None and left > timedelta() else ""


# -- JSON -------------------------------------------------------------------------------------------


def scan_to_json(look: HealthReport, *, strict: bool) -> dict[str, Any]:
    """The run for JSON, schema 1."""
    counts = Counter(row.seen.state for row in look.rows)
    return {
        "schema": 1,
        "exit": int(look.status(strict=strict)),
        "interrupted": look.interrupted,
        "offline": look.offline,
        "counts": {state: counts[state] for state in get_args(TokenState)},
        "notes": list(look.notes),
        "history": look.history,
        "remembered": look.forgotten is None,
        "forgotten": None if look.forgotten is None else dict(zip(("message", "remedy"), look.forgotten, strict=True)),
        "tokens": [_token(row) for row in look.rows],
    }


def _token(row: TokenReport) -> dict[str, Any]:
    return token_status_to_json(row.seen) | {
        "age_days": row.age.days if row.age is not None else None,
        "days_left": row.left.days if row.left is not None else None,
        "checks": dict(row.seen.checks),
        "findings": [outcome_to_json(one) for one in row.outcomes],
    }


def token_status_to_json(seen: TokenStatus) -> dict[str, Any]:
    """What was seen of one credential."""
    return {
        "index": seen.index,
        "project": seen.project,
        "place": seen.place,
        "state": seen.state,
        "verdict": seen.word,
        "cause": seen.cause or None,
        "message": seen.message,
        "remedy": seen.remedy,
        "identifier": seen.identifier or None,
        "fingerprint": seen.fingerprint or None,
        "scope": seen.scope or None,
        "expires": format_iso_time(seen.expires),
    }


def format_iso_time(moment: datetime | None) -> str | None:
    """A time for JSON."""
    return moment.isoformat() if moment else None


# -- the history ------------------------------------------------------------------------------------


def token_history_to_lines(now: Sequence[StatusInterval], changed: Iterable[StatusInterval]) -> Iterator[Line]:
    """How each credential is and since when; then what has changed, the newest first."""
    if not now:
        yield Line(text="nothing is remembered yet: python -m release tokens")
        return
    for one in sorted(now, key=lambda one: (WORST_FIRST.index(one.seen.word), one.seen.about, one.seen.place))[:_FEW]:
        seen = one.seen
        yield Line(
            text=f"{seen.state:<9} since {one.since:%Y-%m-%d %H:%M}, last seen {one.last_seen:%Y-%m-%d %H:%M}  "
            f"{seen.about}: {seen.place}",
            style=_STYLES[seen.state],
        )
    if len(now) > _FEW:
        yield Line(text=f"  … and {len(now) - _FEW} more (--json has all of them)", style="dim")
    yield Line(text="what has changed, the newest first", style="bold")
    for one in changed:
        seen = one.seen
        yield Line(
            text=f"  {one.since:%Y-%m-%d %H:%M}  {one.before or 'new'} → {seen.state}  {seen.about}: {seen.place}",
            style=_STYLES[seen.state],
        )
        if seen.message:
            yield Line(text=f"                    {seen.message}", style="dim")


def token_history_to_json(now: Iterable[StatusInterval], changed: Iterable[StatusInterval]) -> dict[str, Any]:
    """The same for JSON, schema 1."""
    return {"schema": 1, "tokens": [_interval(one) for one in now], "changes": [_interval(one) for one in changed]}


def _interval(one: StatusInterval) -> dict[str, Any]:
    return token_status_to_json(one.seen) | {
        "before": one.before,
        "since": format_iso_time(one.since),
        "last_seen": format_iso_time(one.last_seen),
        "count": one.count,
        "checks": dict(one.seen.checks),
    }
