"""A version that the backend finds in a file by a regular expression: pdm-backend, hatchling, scikit-build-core.

Observed: pdm-backend 2.5.0, hatchling 1.33.0, hatch-regex-commit 0.0.4, hatch-nodejs-version 0.4.0, scikit-build-core
1.1.2, 2026-11: their default patterns, and how they apply one (`re.MULTILINE`; the text with LF).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from release.adapters.project_version.base import ProjectFiles, not_stated, place_at, table_of
from release.adapters.project_version.json_values import json_span
from release.adapters.project_version.python_values import attribute_place
from release.core.errors import ConfigError
from release.core.models.preparation import VersionPlace
from release.core.toml_text import TomlError, parse_toml

_PDM = r"""^(?:__version__|VERSION)\s*=\s*["'](.+?)["']\s*(?:#.*)?$"""
_HATCH = r"""(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *(['"])v?(?P<version>.+?)\2"""
_SCIKIT_BUILD = r"""(?i)^(__version__|VERSION)(?: ?\: ?str)? *= *(['"])v?(?P<value>.+?)\2"""


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version of a backend that searches a file for it."""
    backend = project.backend
    if backend.startswith("pdm.backend"):
        return _pdm(project)
    if backend.startswith("hatchling"):
        return _hatch(project)
    if backend.startswith("scikit_build_core"):
        return _scikit_build(project)
    return ()


def _pdm(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    settings = project.table("tool", "pdm", "version")
    path = settings.get("path")
    if settings.get("source", "file") == "file" and path:
        return _search(project, str(path), settings.get("pattern") or _PDM, 1, "tool.pdm.version")
    if settings.get("source") == "call":
        raise _computed("tool.pdm.version", f"calls {settings.get('getter')!r}")
    return ()


def _hatch(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    settings = _hatch_settings(project)
    source, path, table = settings.get("source", "regex"), settings.get("path"), "tool.hatch.version"
    if source in {"regex", "regex_commit"} and path:
        pattern = settings.get("pattern")
        return _search(project, str(path), pattern if isinstance(pattern, str) else _HATCH, "version", table)
    if source == "nodejs":
        return _node(project, str(path or "package.json"), table)
    if source == "code" and path:
        name = str(settings.get("expression") or "__version__")
        found = attribute_place(project, str(path), name) if name.isidentifier() else None
        if found is not None:
            return (found,)
        raise _computed(table, f"evaluates {name!r} in {path}")
    if source == "env":
        variable = settings.get("variable")
        raise ConfigError(
            f"tool.hatch.version reads the version from the variable {variable}, not from a file",
            remedy=f"set {variable} to the new version, then run `pypi-preflight release`",
        )
    if settings and source != "regex":
        raise not_stated(f"tool.hatch.version reads the version by the plug-in {source!r}", edit="what that reads")
    return ()


def _node(project: ProjectFiles, path: str, table: str) -> tuple[VersionPlace, ...]:
    text = project.text(path) or ""
    span = json_span(text, "version")
    if span is None:
        raise not_stated(f"{table} reads the version from {path!r}, which states none", edit=path)
    return (place_at(path, text, span, "version"),)


def _hatch_settings(project: ProjectFiles) -> Mapping[str, Any]:
    """The table `version`, of hatch.toml where that has one."""
    try:
        own = parse_toml((project.text("hatch.toml") or "").removeprefix("\ufeff"))
    except TomlError:
        own = {}
    return table_of(own, "version") or project.table("tool", "hatch", "version")


def _scikit_build(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    table = "tool.scikit-build.metadata.version"
    settings = project.table("tool", "scikit-build", "metadata", "version")
    provider = settings.get("provider")
    if provider is None:
        return ()
    path, result = settings.get("input"), settings.get("result", "{value}")
    pattern = settings.get("regex", _SCIKIT_BUILD)
    if provider != "scikit_build_core.metadata.regex" or not path:
        raise _computed(table, f"asks {provider!r}")
    group = re.fullmatch(r"\{(\w+)\}", str(result))
    if group is None or settings.get("remove"):
        raise _computed(table, f"makes {result!r} of parts of {path}", edit=str(path))
    return _search(project, str(path), str(pattern), group[1], table)


def _search(project: ProjectFiles, path: str, pattern: str, group: str | int, setting: str) -> tuple[VersionPlace, ...]:
    """The place that a pattern matches in a file."""
    text = project.text(path)
    if text is None:
        raise ConfigError(f"{setting} names {path!r}, which does not exist", remedy=f"correct {setting}.path")
    try:
        found = re.search(pattern, text, re.MULTILINE)
        span = found.span(group) if found else (-1, -1)
    except (re.error, IndexError) as error:
        raise ConfigError(f"the pattern of {setting} is not valid: {error}", remedy=f"correct {setting}") from None
    if span[0] < 0:
        raise ConfigError(
            f"{path} states no version that the pattern of {setting} matches",
            remedy=f"""add `__version__ = "…"` to {path}, or correct {setting}""",
        )
    name = (
        "version"
        if path.endswith(".json")
        else "__version__"
        if "__version__" in _line_of(text, span[0])
        else "version"
    )
    return (place_at(path, text, span, name),)


def _line_of(text: str, offset: int) -> str:
    return text[text.rfind("\n", 0, offset) + 1 : offset]


def _computed(setting: str, how: str, *, edit: str = "the code that computes it") -> Exception:
    return not_stated(f"{setting} {how}, so no file states the version as text", edit=edit)
