"""Changelogs that towncrier makes of news fragments. Observed: towncrier 26.9.0, 2026-11."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.changelog.tool_runs import find_tool, load_table
from release.core.models.check_result import Finding
from release.core.models.preparation import ToolRun

#: Source: towncrier's documentation, "Configuration Reference"
_FRAGMENTS, _FILE = "newsfragments", "NEWS.rst"
#: files in the directory of fragments that are none
_NO_FRAGMENT = ("readme", "template", ".git")


def plan_towncrier(request: ChangelogRequest) -> ChangelogChange | None:
    """The run of `towncrier build`. None where towncrier is not configured."""
    table = load_table(request.directory / "towncrier.toml", "tool", "towncrier")
    if table is None:
        table = load_table(request.directory / "pyproject.toml", "tool", "towncrier")
    if table is None:
        return None
    start = find_tool(request.system, request.directory, "towncrier")
    if isinstance(start, Finding):
        return ChangelogChange(findings=(start,))
    argv = (*start, "build", "--yes", "--version", request.text, "--date", request.today.isoformat())
    file, fragments = str(table.get("filename", _FILE)), fragments_directory(table)
    run = ToolRun(
        argv=argv, what=f"make the section of {file} from the fragments in {fragments}", paths=(file, fragments)
    )  # fmt: skip
    empty = not _has_fragments(request.directory / fragments)
    return ChangelogChange(runs=(run,), findings=(_no_fragments(fragments),) if empty else ())


def fragments_directory(table: dict[str, Any]) -> str:
    """The directory of the fragments, relative to the project; with several sections, the one that has them all."""
    if "directory" in table:
        return str(table["directory"]).rstrip("/")
    if not table.get("package"):
        return _FRAGMENTS
    package = "/".join((str(table.get("package_dir", ".")), *str(table["package"]).split(".")))
    package = package.removeprefix("./")
    return package if table.get("section") else f"{package}/{_FRAGMENTS}"


def _has_fragments(directory: Path) -> bool:
    if not directory.is_dir():
        return False
    files = (one for one in directory.rglob("*") if one.is_file())
    return any(not one.name.lower().startswith(_NO_FRAGMENT) for one in files)


def _no_fragments(place: str) -> Finding:
    return Finding(
        message=f"{place!r} has no news fragment: towncrier writes 'No significant changes.'", severity="warn",
        remedy="add what users notice: towncrier create 123.feature.rst --content TEXT; then commit it", where=place,
    )  # fmt: skip
