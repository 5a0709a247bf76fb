"""Token health: what is watched, how it is now, how it was, and what is to be told of it.

    fleet file or directory → entries → census (asks, judges) → Seen → history → changes → whoever tells people

- `entries`: which credentials are looked at;
- `census`: looks at all of them at the same time; one that is sick stops no other;
- `history`: what was seen, in SQLite; `schema` has its tables;
- `telling`: what is to be told, so that it is told once, and what could not be delivered yet;
- `notifying`: delivers it.
"""

from __future__ import annotations

from release.token_health.health_history import History
from release.token_health.notify.outbox import Letter, announce, changes, claim, delivered, due, failed

__all__ = ["History", "Letter", "announce", "changes", "claim", "delivered", "due", "failed"]
