"""Notifications about changes in token health: title, text, JSON, and the body of an issue. They contain no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from release.core.models.token_health import StatusChange, TokenReport, TokenStatus
from release.core.redaction import redact
from release.reports.formatting import printable
from release.reports.lines import format_iso_time
from release.reports.token_health_text import WORST_FIRST, counts_to_text, token_status_to_json

#: characters with a meaning inside a line of Markdown
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&#@!]")
_MARKS = {"healthy": "✅", "warning": "⚠️", "unknown": "⚪", "broken": "❌"}
#: tokens in an issue, whose body GitHub limits to 65,536 characters. Source: GitHub's refusal of longer ones
_LIMIT = 100


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
    return {
        "schema": 1,
        "id": number,
        "at": format_iso_time(at),
        "title": notification_title(changes),
        "text": notification_to_text(changes),
        "changes": [
            {"kind": one.kind, "before": one.before, "since": format_iso_time(one.since)}
            | {
                key: redact(value) if isinstance(value, str) else value
                for key, value in token_status_to_json(one.now).items()
            }
            for one in changes
        ],
    }


def issue_to_markdown(rows: Sequence[TokenReport], *, at: datetime) -> str:
    """The body of an issue: the counts of all tokens, then the problems, the worst first."""
    problems = [row.seen for row in rows if row.seen.word != "healthy"]
    problems.sort(key=lambda one: WORST_FIRST.index(one.word))
    counts = counts_to_text(row.seen.word for row in rows) or "none"
    parts = [f"**{len(rows)} credentials: {counts}**, {at:%Y-%m-%d %H:%M} UTC"]
    parts += ["\n".join(_problem_to_markdown(one)) for one in problems[:_LIMIT]]
    if len(problems) > _LIMIT:
        parts.append(f"… and {len(problems) - _LIMIT} more: `python -m release tokens`")
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
    """The text on one line, without a meaning in Markdown."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(printable(redact(value)).split()))
