"""What people are told of their tokens: a subject, a text, a document, the body of an issue. Never a secret."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from release.core.models.token_health import StatusChange, TokenReport, TokenStatus
from release.core.redaction import redact
from release.reports.archive_tree import printable
from release.reports.token_health_text import WORST_FIRST, format_iso_time, token_status_to_json

#: how a change is said, with the state in front
_KINDS: Mapping[str, str] = {
    "worse": "was {before}",
    "healed": "was {before}",
    "otherwise": "was {before}",
    "reminder": "still",
}
#: what means something inside a line of Markdown
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~&#@!]")
_MARKS = {"healthy": "✅", "warning": "⚠️", "unknown": "⚪", "broken": "❌"}
#: rows of an issue's table; a forge takes 65,536 characters of it. Source: GitHub's refusal of longer ones
_MOST = 100


def notification_title(changes: Sequence[StatusChange]) -> str:
    """In one line: "token health: 2 broken, 1 healthy"; of a single one, also which."""
    counts = Counter(one.now.word for one in changes)
    said = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST if counts[word])
    if len(changes) == 1:
        said = f"{changes[0].now.state}: {changes[0].now.about}"
    return printable(redact(f"token health: {said}"))


def notification_to_text(changes: Sequence[StatusChange]) -> str:
    """The gravest first, each with what to do."""
    ranked = sorted(changes, key=lambda one: WORST_FIRST.index(one.now.word))
    return "\n\n".join("\n".join(map(printable, _lines(one))) for one in ranked) + "\n"


def _lines(one: StatusChange) -> Iterator[str]:
    seen = one.now
    how = _KINDS[one.kind].format(before=one.before)
    yield redact(f"{seen.state} ({how}): {seen.about}: {seen.place}")
    yield f"  since {one.since:%Y-%m-%d %H:%M} UTC" + (f", identifier {seen.identifier}" if seen.identifier else "")
    if seen.message:
        yield redact(f"  {seen.message}")
    if seen.remedy:
        yield redact(f"  → {seen.remedy}")


def notification_to_json(changes: Sequence[StatusChange], *, number: str, at: datetime) -> dict[str, Any]:
    """The same for programs, schema 1, as docs/notifications.md explains it. `number` is of this message alone."""
    return {
        "schema": 1,
        "id": number,
        "at": format_iso_time(at),
        "title": notification_title(changes),
        "text": notification_to_text(changes),
        "changes": [
            {"kind": one.kind, "before": one.before, "since": format_iso_time(one.since)}
            | _clean(token_status_to_json(one.now))
            for one in changes
        ],
    }


def _clean(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in data.items()}


def issue_to_markdown(rows: Sequence[TokenReport], *, at: datetime) -> str:
    """How all tokens are, as the body of an issue in Markdown: what is wrong, the gravest first."""
    wrong = sorted(
        (row.seen for row in rows if row.seen.word != "healthy"), key=lambda one: WORST_FIRST.index(one.word)
    )
    counts = Counter(row.seen.word for row in rows)
    said = ", ".join(f"{counts[word]} {word}" for word in WORST_FIRST if counts[word]) or "none"
    parts = [f"**{len(rows)} credentials: {said}**, {at:%Y-%m-%d %H:%M} UTC"]
    parts += ["\n".join(_item(one)) for one in wrong[:_MOST]]
    if len(wrong) > _MOST:
        parts.append(f"… and {len(wrong) - _MOST} more: `python -m release tokens`")
    return "\n\n".join(parts) + "\n"


def _item(seen: TokenStatus) -> Iterator[str]:
    yield f"### {_MARKS[seen.word]} {_plain(f'{seen.state}: {seen.about}')}"
    yield ""
    yield f"- where: {_plain(seen.place)}"
    if seen.identifier:
        yield f"- identifier: {_plain(seen.identifier)}"
    yield f"- {_plain(seen.message)}"
    if seen.remedy:
        yield f"- → {_plain(seen.remedy)}"


def _plain(value: str) -> str:
    """Text that stays text in Markdown, on one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(printable(redact(value)).split()))
