"""The constraints of a build that were written, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from release.core.config import Config
from release.core.models.build_requirement import WrittenConstraints
from release.core.quoting import quote_path
from release.core.time_text import format_count


def written_to_lines(written: WrittenConstraints, config: Config) -> Iterator[str]:
    """What the file pins, and what is left to do in a project with this configuration."""
    for (name, version), hashes in sorted(written.hashes.items()):
        yield f"  {name}=={version}, {format_count(len(hashes), 'file')}"
    what = "is up to date" if written.unchanged else f"pins {format_count(len(written.hashes), 'build requirement')}"
    yield f"{quote_path(written.path)} {what}"
    if config.build_constraints is None:
        yield f'next: add to [tool.release] in pyproject.toml: build-constraints = "{written.place}"'
        yield "      and, to refuse any other requirement: require-pinned-build = true"
    elif not written.unchanged:
        yield "next: commit it"


def written_to_json(written: WrittenConstraints) -> dict[str, Any]:
    """The same for JSON, schema 1."""
    pins = [
        {"name": name, "version": version, "sha256": list(hashes)}
        for (name, version), hashes in sorted(written.hashes.items())
    ]
    return {"schema": 1, "file": str(written.path), "unchanged": written.unchanged, "requirements": pins}
