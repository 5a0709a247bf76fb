"""Changelogs that scriv collects from fragments. Observed: scriv 1.8.0, 2026-11."""

from __future__ import annotations

import configparser
from contextlib import suppress
from pathlib import Path

from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.changelog.tool_runs import find_tool, load_table
from release.core.models.check_result import Finding
from release.core.models.preparation import ToolRun

#: Source: scriv's documentation, "Configuration"
_FRAGMENTS, _FORMAT, _FILE = "changelog.d", "rst", "CHANGELOG.${config:format}"
_SECTIONS = ("scriv", "tool.scriv")


def plan_scriv(request: ChangelogRequest) -> ChangelogChange | None:
    """The run of `scriv collect`. None where scriv is not configured."""
    settings = load_scriv_settings(request.directory)
    if settings is None:
        return None
    start = find_tool(request.system, request.directory, "scriv")
    if isinstance(start, Finding):
        return ChangelogChange(findings=(start,))
    fragments, form = settings.get("fragment_directory", _FRAGMENTS), settings.get("format", _FORMAT)
    file = settings.get("changelog", _FILE).replace("${config:format}", form)
    files = sorted((request.directory / fragments).glob(f"*.{form}"))
    skipped = settings.get("skip_fragments", "README.*")
    if not any(not one.match(skipped) for one in files):  # scriv fails then: "No changelog fragments to collect"
        finding = Finding(
            message=f"{fragments!r} has no fragment, so that {file!r} gets no section", severity="warn",
            remedy="write one of what users notice: scriv create --edit; then commit it", where=fragments,
        )  # fmt: skip
        return ChangelogChange(findings=(finding,))
    run = ToolRun(
        argv=(*start, "collect", "--version", request.text), paths=(file, fragments),
        what=f"collect the fragments in {fragments} into {file}",
    )  # fmt: skip
    return ChangelogChange(runs=(run,))


def load_scriv_settings(directory: Path) -> dict[str, str] | None:
    """The settings of scriv that are texts; None where it is not configured."""
    table = load_table(directory / "pyproject.toml", "tool", "scriv")
    if table is not None:
        return {key: value for key, value in table.items() if isinstance(value, str)}
    found: dict[str, str] | None = None
    for name in ("setup.cfg", "tox.ini", f"{_FRAGMENTS}/scriv.ini"):
        parser = configparser.ConfigParser(interpolation=None)
        with suppress(OSError, UnicodeDecodeError, configparser.Error):
            parser.read_string((directory / name).read_text(encoding="utf-8"))
        for section in _SECTIONS:
            if parser.has_section(section):
                found = (found or {}) | dict(parser.items(section))
    return found
