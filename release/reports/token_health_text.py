"""The health of tokens, its history, and notifications about changes, as text and JSON. They contain no secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from release.core.models.check_result import VerdictWord
from release.core.models.token_health import (
    HealthReport,
    StatusChange,
    StatusInterval,
    TokenReport,
    TokenState,
    TokenStatus,
)
from release.core.redaction import redact
from release.reports.lines import Line, format_iso_time, outcome_to_json, printable

_STYLES: Mapping[str, str] = {
    "healthy": "green", "warning": "yellow", "expiring": "yellow", "expired": "bold red", "revoked": "bold red",
    "broken": "bold red", "unknown": "magenta",
}  # fmt: skip
WORST_FIRST: tuple[VerdictWord, ...] = ("broken", "unknown", "warning", "healthy")
#: rows of healthy tokens, or of the history, that are shown
_SHOWN = 40
_MARKS = {"healthy": "✅", "warning": "⚠️", "unknown": "⚪", "broken": "❌"}
#: tokens in an issue, whose body GitHub limits to 65,536 characters. Source: GitHub's refusal of longer ones
_LIMIT = 100


def counts_to_text(words: Iterable[VerdictWord], order: Sequence[VerdictWord] = WORST_FIRST) -> str:
    """The number of tokens in each state: "2 broken, 1 healthy"; empty if there are none."""
    counts = Counter(words)
    return ", ".join(f"{counts[word]} {word}" for word in order if counts[word])


def scan_to_lines(report: HealthReport, *, quiet: bool = False) -> Iterator[Line]:
    """The problems with their remedies, the worst first; then the healthy tokens, unless `quiet`; then the counts."""
    if not report.rows:
        yield Line(text="no credentials found", style="bold yellow")
        yield Line(text="  → store one (pypi-preflight store --index NAME), or list them: --fleet FILE")
    ranked = sorted(report.rows, key=lambda row: WORST_FIRST.index(row.seen.word))
    healthy = [row for row in ranked if row.seen.word == "healthy"]
    for row in ranked[: len(ranked) - len(healthy)]:
        yield from _problem_to_lines(row)
    if not quiet:
        yield from (_row_to_line(row) for row in healthy[:_SHOWN])
        if len(healthy) > _SHOWN:
            yield Line(text=f"  … and {len(healthy) - _SHOWN} more that are healthy", style="dim")
    yield from _summary(report)


def _row_to_line(row: TokenReport, annotation: tuple[str, str, str] | None = None) -> Line:
    age = f"{row.age.days} days old" if row.age is not None and row.age.days else ""
    left = f"{row.left.days} days left" if row.left is not None and row.left > timedelta() else ""
    open_question = "" if row.confirmed or row.seen.word != "healthy" else "not confirmed by the index"
    proven = f"proven at {row.proven:%Y-%m-%d %H:%M} UTC" if row.proven is not None else ""
    times = ", ".join(filter(None, (age, left, proven, open_question)))
    text = f"{row.seen.state:<9} {row.seen.about}: {row.seen.place}" + (f" ({times})" if times else "")
    return Line(text=text, style=_STYLES[row.seen.state], annotation=annotation)


def _problem_to_lines(row: TokenReport) -> Iterator[Line]:
    seen = row.seen
    level = "warning" if seen.word == "warning" else "error"
    message = f"{seen.message}. {seen.remedy}" if seen.remedy else seen.message
    yield _row_to_line(row, (level, f"{seen.about}: {seen.state}", message))
    failed = [outcome for outcome in row.outcomes if outcome.state in {"warned", "failed"}]
    others = ((one.message, one.remedy) for outcome in failed for one in outcome.findings)
    names = {outcome.reason: outcome.check for outcome in row.outcomes}
    names |= {one.message: outcome.check for outcome in failed for one in outcome.findings}
    for text, remedy in dict.fromkeys([(seen.message, seen.remedy), *others]):
        yield Line(text=f"          {text}" + (f" [{names[text]}]" if text in names else ""))
        if remedy:
            yield Line(text=f"          → {remedy}")


def _summary(report: HealthReport) -> Iterator[Line]:
    words = [row.seen.word for row in report.rows]
    counts = counts_to_text(words, WORST_FIRST[::-1]) or "none"
    healthy = bool(words) and set(words) == {"healthy"}
    if any(row.seen.word == "healthy" and not row.confirmed for row in report.rows):
        counts += f" ({'no problem found offline, ' * report.offline}not confirmed by the index)"
    yield Line(text=f"{len(words)} checked: {counts}", style="bold green" if healthy else "bold")
    if report.interrupted:
        yield Line(text="  interrupted: tokens that were not checked are unknown", style="bold yellow")
    if report.offline:
        yield Line(text="  offline: no index was contacted", style="dim")
    for note in report.notes:
        yield Line(text=f"  note: {note}", annotation=("warning", "token health", note))
    if report.forgotten is not None:
        message, remedy = report.forgotten
        yield Line(text=f"  this run is not in the history: {message}", style="bold yellow")
        yield Line(text=f"  → {remedy}")


def scan_to_json(report: HealthReport, *, strict: bool) -> dict[str, Any]:
    """The document of a scan, schema 1; its tokens are made one after the other, since there may be thousands."""
    counts = Counter(row.seen.state for row in report.rows)
    forgotten = report.forgotten
    return {
        "schema": 1, "exit": int(report.status(strict=strict)),
        "interrupted": report.interrupted, "offline": report.offline,
        "counts": {state: counts[state] for state in get_args(TokenState)},
        "notes": list(report.notes), "history": report.history, "remembered": forgotten is None,
        "forgotten": None if forgotten is None else {"message": forgotten[0], "remedy": forgotten[1]},
        "tokens": map(_row_to_json, report.rows),
    }  # fmt: skip


def _row_to_json(row: TokenReport) -> dict[str, Any]:
    return token_status_to_json(row.seen) | {
        "age_days": row.age.days if row.age is not None else None,
        "confirmed": row.confirmed,
        "proven": format_iso_time(row.proven),
        "days_left": row.left.days if row.left is not None else None,
        "checks": dict(row.seen.checks), "findings": [outcome_to_json(one) for one in row.outcomes],
    }  # fmt: skip


def token_status_to_json(seen: TokenStatus) -> dict[str, Any]:
    """The status of one credential."""
    return {
        "index": seen.index, "project": seen.project, "place": seen.place,
        "state": seen.state, "verdict": seen.word, "cause": seen.cause or None,
        "message": seen.message, "remedy": seen.remedy,
        "identifier": seen.identifier or None, "fingerprint": seen.fingerprint or None,
        "scope": seen.scope or None, "expires": format_iso_time(seen.expires),
    }  # fmt: skip


def token_history_to_lines(now: Sequence[StatusInterval], changed: Iterable[StatusInterval]) -> Iterator[Line]:
    """The status of each credential and since when; then the changes, newest first."""
    if not now:
        yield Line(text="the history is empty: run pypi-preflight tokens")
        return
    ranked = sorted(now, key=lambda one: (WORST_FIRST.index(one.seen.word), one.seen.about, one.seen.place))
    for one in ranked[:_SHOWN]:
        seen, times = one.seen, f"since {one.since:%Y-%m-%d %H:%M}, last seen {one.last_seen:%Y-%m-%d %H:%M}"
        yield Line(text=f"{seen.state:<9} {times}  {seen.about}: {seen.place}", style=_STYLES[seen.state])
    if len(now) > _SHOWN:
        yield Line(text=f"  … and {len(now) - _SHOWN} more; --json lists all of them", style="dim")
    yield Line(text="changes, newest first", style="bold")
    for one in changed:
        seen, change = one.seen, f"{one.since:%Y-%m-%d %H:%M}  {one.before or 'new'} → {one.seen.state}"
        yield Line(text=f"  {change}  {seen.about}: {seen.place}", style=_STYLES[seen.state])
        if seen.message:
            yield Line(text=f"                    {seen.message}", style="dim")


def token_history_to_json(now: Iterable[StatusInterval], changed: Iterable[StatusInterval]) -> dict[str, Any]:
    """The document of the history, schema 1; its intervals are made one after the other, as the tokens of a scan."""
    return {"schema": 1, "tokens": map(_interval_to_json, now), "changes": map(_interval_to_json, changed)}


def _interval_to_json(one: StatusInterval) -> dict[str, Any]:
    return token_status_to_json(one.seen) | {
        "before": one.before, "since": format_iso_time(one.since), "last_seen": format_iso_time(one.last_seen),
        "count": one.count, "checks": dict(one.seen.checks),
    }  # fmt: skip


def notification_title(changes: Sequence[StatusChange]) -> str:
    """One line: "token health: 2 broken, 1 healthy"; for a single change, also the token."""
    summary = counts_to_text(one.now.word for one in changes)
    if len(changes) == 1:
        summary = f"{changes[0].now.state}: {changes[0].now.about}"
    return printable(redact(f"token health: {summary}"))


def notification_to_text(changes: Sequence[StatusChange]) -> str:
    """The changes with their remedies, the worst first."""
    ranked = sorted(changes, key=lambda one: WORST_FIRST.index(one.now.word))
    return "\n\n".join("\n".join(map(printable, _change_to_lines(one))) for one in ranked) + "\n"


def _change_to_lines(one: StatusChange) -> Iterator[str]:
    seen = one.now
    before = "still" if one.kind == "reminder" else f"was {one.before}"
    yield redact(f"{seen.state} ({before}): {seen.about}: {seen.place}")
    yield f"  since {one.since:%Y-%m-%d %H:%M} UTC" + (f", identifier {seen.identifier}" if seen.identifier else "")
    if seen.message:
        yield redact(f"  {seen.message}")
    if seen.remedy:
        yield redact(f"  → {seen.remedy}")


def notification_to_json(changes: Sequence[StatusChange], *, number: str, at: datetime) -> dict[str, Any]:
    """The document, schema 1 (docs/notifications.md). `number` identifies this message."""
    documents = [
        {"kind": one.kind, "before": one.before, "since": format_iso_time(one.since)}
        | {key: redact(item) if isinstance(item, str) else item for key, item in token_status_to_json(one.now).items()}
        for one in changes
    ]
    return {
        "schema": 1, "id": number, "at": format_iso_time(at),
        "title": notification_title(changes), "text": notification_to_text(changes), "changes": documents,
    }  # fmt: skip


def issue_to_markdown(rows: Sequence[TokenReport], *, at: datetime) -> str:
    """The body of an issue: the counts of all tokens, then the problems, the worst first."""
    problems = [row.seen for row in rows if row.seen.word != "healthy"]
    problems.sort(key=lambda one: WORST_FIRST.index(one.word))
    counts = counts_to_text(row.seen.word for row in rows) or "none"
    parts = [f"**{len(rows)} credentials: {counts}**, {at:%Y-%m-%d %H:%M} UTC"]
    parts += ["\n".join(_problem_to_markdown(one)) for one in problems[:_LIMIT]]
    if len(problems) > _LIMIT:
        parts.append(f"… and {len(problems) - _LIMIT} more: `pypi-preflight tokens`")
    return "\n\n".join(parts) + "\n"


def _problem_to_markdown(seen: TokenStatus) -> Iterator[str]:
    yield f"### {_MARKS[seen.word]} {_escape(f'{seen.state}: {seen.about}')}"
    yield ""
    yield f"- where: {_escape(seen.place)}"
    if seen.identifier:
        yield f"- identifier: {_escape(seen.identifier)}"
    yield f"- {_escape(seen.message)}"
    if seen.remedy:
        yield f"- → {_escape(seen.remedy)}"


def _escape(value: str) -> str:
    from release.reports.markdown import escape_markdown

    return escape_markdown(redact(value))
