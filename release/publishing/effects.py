"""What this process has, or may have, uploaded: known from what the journals record, before it is done.

The exit status of a run that ends unexpectedly depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from typing import Any

#: events of a journal that say whether an index has, or may have, a file
_STATES = {"sending", "unclear", "accepted", "refused"}

#: (name of an index, file name) → the last such event; None outside of `recorded_effects`
_files: dict[tuple[str, str], str] | None = None


@contextmanager
def recorded_effects() -> Iterator[None]:
    """Within the block, `uploaded_text` knows what has been uploaded since its beginning."""
    global _files  # noqa: PLW0603 - of the process, as its exit status is
    before, _files = _files, {}
    try:
        yield
    finally:
        _files = before


def record_effect(event: Mapping[str, Any]) -> None:
    """Note an event of a journal about a lasting index; those that are not about files are left out."""
    if _files is not None and event.get("event") in _STATES:
        _files[event["index"], event["file"]] = event["event"]


def uploaded_text() -> str:
    """What each lasting index has, or may have, as a clause; empty if nothing was uploaded."""
    from release.core.time_text import format_count

    parts = []
    for index in dict.fromkeys(index for index, _ in _files or {}):
        states = [state for (where, _), state in (_files or {}).items() if where == index]
        accepted = states.count("accepted")
        unknown = len(states) - accepted - states.count("refused")
        parts += [f"{index} has {format_count(accepted, 'file')} of this release"] * bool(accepted)
        parts += [f"{index} may have {format_count(unknown, 'file')} {'more' if accepted else 'of it'}"] * bool(unknown)
    return "; ".join(parts)
