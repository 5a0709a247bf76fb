"""How far a release has come, read off its record: per index, over all its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexProgress:
    """How far the release has come on one index, over all its runs."""

    index: str
    #: names of the release's files that the index has, as far as the runs know
    there: tuple[str, ...]
    #: names of those that it refused the last time they were sent
    refused: tuple[str, ...]
    #: how many files the release has
    total: int
    #: whether the last look from outside found everything right; None where nobody looked
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


def progress_by_index(record: Mapping[str, Any]) -> list[IndexProgress]:
    """The standing of the release on every index that it was sent to, or looked for, in any run."""
    ours = {(file["filename"], file["sha256"]) for file in record["files"]}
    names = dict.fromkeys(name for one in record["runs"] for name in [*one["uploads"], *_looked(one)])
    return [_standing(record, name, ours) for name in names]


def _standing(record: Mapping[str, Any], name: str, ours: set[tuple[str, str]]) -> IndexProgress:
    answers: dict[str, bool] = {}
    verified: bool | None = None
    for one in record["runs"]:
        for answer in one["uploads"].get(name, ()):
            if answer["answer"] == "receipt" and (answer["filename"], answer["sha256"]) in ours:
                answers[answer["filename"]] = True
            elif answer["answer"] == "rejection":
                answers[answer["filename"]] = False
        verified = _looked(one).get(name, verified)
    known = {filename for filename, _ in ours}
    return IndexProgress(
        index=name,
        there=tuple(file for file, there in answers.items() if there),
        refused=tuple(file for file, there in answers.items() if not there and file in known),
        total=len(ours),
        verified=verified,
    )


def _looked(run: Mapping[str, Any]) -> dict[str, bool]:
    """Index → whether this run, where it looked, found the release there as it should be."""
    return {
        step["index"]: step["how"] in {"done", "skipped"}
        for step in run["steps"]
        if step["step"] == "verify" and step["begun"] is not None
    }
