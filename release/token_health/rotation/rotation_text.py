"""A rotation in words and as data: what there is, what would be done, what has become of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from release.token_health.rotation.discovery import Asked, Found
from release.token_health.rotation.perform import Ended
from release.token_health.rotation.rotation_plan import by_hand, changeable, page_to_delete, title

_LIFE = {
    "dead": "the old token is dead",
    "alive": "the old token still works",
    "unknown": "nobody could tell whether the old token still works",
    "none": "",
}


def beginning(asked: Asked, found: Found) -> Iterator[str]:
    """The token that goes, and where it lies."""
    about = f"{asked.index.name}, {asked.name or 'the account'}"
    if found.mark is not None:
        yield f"{about}: a rotation that has begun goes on; the new token is in {', '.join(found.done)}"
    else:
        yield f"{about}: the old token"
    told = {
        "identifier": found.identifier, "fingerprint": found.fingerprint, "scope": found.scope,
        "known for": f"{found.age.days} days" if found.age is not None else "",
    }  # fmt: skip
    yield "  " + " · ".join(f"{name} {value}" for name, value in told.items() if value)
    for one in found.holdings:
        note = "" if changeable(one.spot) else " (can't be changed from here)"
        yield f"  in {one.where}{note}"
    for where in found.leaked_in:
        yield f"  leaked: {where}; it goes first"


def plan(found: Found) -> Iterator[str]:
    """What would be done, in order."""
    for number, step in enumerate(found.steps, 1):
        yield f"{number}. {title(step)}"
    for one in found.holdings:
        if not changeable(one.spot):
            yield f"by hand: {one.where}: {by_hand(one.spot)}"


def ending(asked: Asked, ended: Ended, *, narrower: bool) -> Iterator[str]:
    """What has become of it, and what is left to do."""
    yield f"the new token, fingerprint {ended.new}, is in {', '.join(ended.replaced)}"
    for one in ended.left:
        yield f"not replaced: {one.where}: {one.why}"
        yield f"  → {one.remedy}"
    if narrower:
        yield "note: the old token was for the entire account, and the new one is not: other projects need their own"
    if _LIFE[ended.life]:
        yield _LIFE[ended.life]
    if ended.life not in {"dead", "none"}:
        first = "once the places above are changed, " if ended.left and not ended.leaked else ""
        yield f"  → {first}delete it: {page_to_delete(asked.index)}; then run the same command again"


def as_data(asked: Asked, found: Found, ended: Ended | None) -> dict[str, Any]:
    """The same as JSON data, schema 1; without an end, it is the plan."""
    return {
        "schema": 1,
        "index": asked.index.name,
        "project": asked.name,
        "old": {
            "identifier": found.identifier,
            "fingerprint": found.fingerprint,
            "scope": found.scope,
            "places": [one.where for one in found.holdings],
            "leaked": found.leaked,
            "leaked_in": list(found.leaked_in),
            "state": ended.life if ended else None,
        },
        "resumed": found.mark is not None,
        "steps": [title(one) for one in found.steps],
        "new": {"fingerprint": ended.new, "places": list(ended.replaced)} if ended else None,
        "left": [{"where": one.where, "message": one.why, "remedy": one.remedy} for one in ended.left] if ended else [],
        "exit": int(ended.status) if ended else None,
    }
