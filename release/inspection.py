"""Looks into distribution files that need no project, and says whether the index would take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from release import survey
from release.adapters import builder
from release.adapters.system import System
from release.checks.inspection import inspection, refused
from release.errors import UsageError

__all__ = ["inspect", "lines", "refused"]


def inspect(system: System, paths: Sequence[Path]) -> dict[str, Any]:
    """The verdict on each file and on the set, as a JSON document of schema 1.

    Raises `UsageError` where a path is no file that can be read.
    """
    files = []
    for path in paths:
        try:
            files.append(builder.describe(path))
        except OSError as error:
            raise UsageError(
                f"{str(path)!r} can't be read: {(error.strerror or str(error)).lower()}",
                remedy="give the path of a file",
            ) from None
    return inspection(survey.built(system, tuple(files), None))


def lines(document: dict[str, Any], *, quiet: bool = False) -> Iterator[str]:
    """The same for a terminal: a verdict a file, then what was found."""
    for file in document["files"]:
        accepted = file["verdict"] == "accept"
        if not (quiet and accepted):
            size = f"{file['size'] / 1000:.0f} kB" if file["size"] >= 1000 else f"{file['size']} bytes"  # noqa: PLR2004 - kilo
            yield f"{'accept' if accepted else 'REFUSE'}  {file['file']}  {size}  sha256 {file['sha256'][:16]}…"
        for finding in file["findings"]:
            if not quiet or finding["severity"] == "block":
                yield from _finding(finding)
    for finding in document["release"]:
        if not quiet or finding["severity"] == "block":
            yield from _finding(finding)


def _finding(finding: dict[str, Any]) -> Iterator[str]:
    mark = "FAIL" if finding["severity"] == "block" else "warn"
    yield f"  {mark}  {finding['message']}"
    if finding["server_text"] and finding["server_text"] not in finding["message"]:
        yield f"        the index would say: {finding['server_text']}"
    if finding["remedy"]:
        yield f"        → {finding['remedy']}"
