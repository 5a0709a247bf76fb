"""Inspects pyproject.toml files: whether the index would accept what they declare, without a build.

What reads projects is imported where such a file is given: it takes longer than the inspection of a small wheel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from release.core.errors import UsageError
from release.core.quoting import quote_path
from release.reports.inspection_report import finding_to_json, findings_to_text

_NAME = "pyproject.toml"


def is_declaration(path: Path) -> bool:
    """Whether a file declares metadata, and is no distribution."""
    return path.name == _NAME


def inspect_declarations(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """The verdict on each file, in the form of the files of `inspection_to_json`.

    Raises `UsageError` for a file that cannot be read, or that declares no metadata: only a build shows what it has.
    """
    return list(map(_inspect, paths))


def _inspect(path: Path) -> dict[str, Any]:
    from release.adapters import project_config
    from release.checks.declared_metadata import declared_findings, readme_file

    project = project_config.load_toml(path).get("project")
    if not isinstance(project, Mapping):
        raise UsageError(
            f"{quote_path(path)} has no table [project]: its metadata is known only after a build",
            remedy="pypi-preflight build, which inspects the files",
        )
    text, readme = None, readme_file(project)
    if readme is not None:
        with suppress(OSError, ValueError):
            text = (path.parent / readme).read_text(encoding="utf-8-sig")
    findings = [finding_to_json(name, one) for name, one in declared_findings(project, text)]
    refused = any(one["severity"] == "block" for one in findings)
    return {
        "file": str(path), "sha256": None, "size": path.stat().st_size, "verdict": "refuse" if refused else "accept",
        "findings": findings,
    }  # fmt: skip


def refuses(documents: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any of these files would be refused."""
    return any(one["verdict"] == "refuse" for one in documents)


def declarations_to_text(documents: Sequence[Mapping[str, Any]], *, quiet: bool) -> Iterator[str]:
    """For each file the verdict and the findings. With `quiet`, only what would be refused."""
    for one in documents:
        if one["verdict"] == "refuse":
            yield f"REFUSE  {one['file']}"
        elif not quiet:
            yield f"accept  {one['file']}  as far as it declares the metadata; nothing was built"
        yield from findings_to_text(one["findings"], quiet=quiet, of_release=True)
