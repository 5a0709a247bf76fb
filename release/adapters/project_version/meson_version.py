"""`project(version: '…')` of meson.build, which meson-python reads, or the file that it names.

Source: Meson 1.12's reference manual, "project()": the version is a string, or `files('VERSION')`.
"""

from __future__ import annotations

import re

from release.adapters.project_version.base import ProjectFiles, not_stated, place_at
from release.core.models.preparation import VersionPlace

_PROJECT = re.compile(r"(?m)^[ \t]*project\s*\(")
_STRING = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_VERSION = re.compile(r"version\s*:\s*(?:'(?P<text>[^'\\\n]+)'|files\s*\(\s*'(?P<file>[^']+)'\s*\))")


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version of a Meson project."""
    if not project.backend.startswith("mesonpy"):
        return ()
    text = project.text("meson.build") or ""
    call = _PROJECT.search(text)
    found = _argument(text, call.end()) if call else None
    if found and found["text"]:
        return (place_at("meson.build", text, found.span("text"), "project(version:)"),)
    file = project.text(found["file"]) if found else None
    if found and file and file.strip():
        start = len(file) - len(file.lstrip())
        return (place_at(found["file"], file, (start, start + len(file.split()[0])), "version"),)
    raise not_stated("meson-python reads the version from meson.build, which states none as text", edit="meson.build")


def _argument(text: str, start: int) -> re.Match[str] | None:
    """The argument `version` of a call that begins before `start`; strings, comments and inner calls are skipped."""
    at, depth = start, 1
    while at < len(text) and depth:
        if depth == 1 and (found := _VERSION.match(text, at)) and not text[at - 1].isalnum() and text[at - 1] != "_":
            return found
        if string := _STRING.match(text, at):
            at = string.end()
        elif text[at] == "#":
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        else:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
            at += 1
    return None
