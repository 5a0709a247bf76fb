"""Which tool gives the project its version, and the variable that replaces it.

Observed: setuptools-scm 10.3, hatch-vcs 0.5, flit-scm 1.7, pdm-backend 2.5, poetry-dynamic-versioning 1.10,
uv-dynamic-versioning 0.14, pbr 7.1, versioningit 3.3, versioneer 0.29, setuptools-git-versioning 3.2, 2026-11. The last
three read no variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.core.models.derived_version import VersionSource
from release.core.toml_text import TomlError, parse_toml

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: tool → the variable that replaces the version, with `{name}` of the project; hatch-vcs and flit-scm do not pass the
#: name on to setuptools-scm
_VARIABLES: Mapping[str, str] = {
    "setuptools-scm": "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}",
    "hatch-vcs": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "flit-scm": "SETUPTOOLS_SCM_PRETEND_VERSION",
    "pdm-backend": "PDM_BUILD_SCM_VERSION",
    "poetry-dynamic-versioning": "POETRY_DYNAMIC_VERSIONING_BYPASS",
    "uv-dynamic-versioning": "UV_DYNAMIC_VERSIONING_BYPASS",
    "pbr": "PBR_VERSION",
}
#: tools of setuptools: what the text of setup.py, setup.cfg or [build-system] requires has
_OF_SETUPTOOLS: Mapping[str, str] = {
    "setuptools-scm": r"use_scm_version",
    "setuptools-git-versioning": r"setuptools[-_]git[-_]versioning",
    "pbr": r"\bpbr\s*=|\bpbr\b",
    "versioneer": r"\bversioneer\b",
    "versioningit": r"\bversioningit\b",
    "dunamai": r"\bdunamai\b",
    "miniver": r"\bget_version_and_cmdclass\b",
    "setupmeta": r"\bsetupmeta\b",
}


def find_version_source(system: System, directory: Path) -> VersionSource | None:
    """What gives the project its version; None if pyproject.toml, setup.py or setup.cfg declares it."""
    data: Mapping[str, Any] = {}
    with suppress(OSError, UnicodeDecodeError, TomlError):
        data = parse_toml((directory / "pyproject.toml").read_text(encoding="utf-8-sig"))
    tool = find_version_tool(directory, data)
    if tool is None:
        return None if _declares_version(data, _legacy_text(directory)) else VersionSource(tool=None)
    variable = _VARIABLES.get(tool)
    start = (variable or "\0").removesuffix("_FOR_{name}")
    return VersionSource(tool=tool, variable=variable, overridden=any(name.startswith(start) for name in system.env))


def find_version_tool(directory: Path, pyproject: Mapping[str, Any]) -> str | None:
    """The tool that derives the version from git; None if the version stands in a file. `pyproject`: its content."""
    return _vcs_tool(pyproject, _legacy_text(directory))


def _legacy_text(directory: Path) -> str:
    return "\n".join(map(_text_of, (directory / "setup.py", directory / "setup.cfg")))


def _vcs_tool(data: Mapping[str, Any], legacy: str) -> str | None:
    """The tool that derives the version from git."""
    project, tools = _table(data, "project"), _table(data, "tool")
    if _table(tools, "poetry-dynamic-versioning").get("enable") is True:
        return "poetry-dynamic-versioning"
    if isinstance(project.get("version"), str) or isinstance(_table(tools, "poetry").get("version"), str):
        return None
    build = _table(data, "build-system")
    backend, listed = str(build.get("build-backend", "")), build.get("requires")
    requires = " ".join(map(str, listed)) if isinstance(listed, list) else ""
    hatch = _table(_table(tools, "hatch"), "version").get("source")
    provider = _table(_table(_table(tools, "scikit-build"), "metadata"), "version")
    rules: Mapping[str, Callable[[], bool]] = {
        "hatch-vcs": lambda: backend.startswith("hatchling") and hatch == "vcs",
        "uv-dynamic-versioning": lambda: backend.startswith("hatchling") and hatch == "uv-dynamic-versioning",
        "versioningit": lambda: hatch == "versioningit" or "versioningit" in tools,
        "flit-scm": lambda: backend.startswith("flit_scm"),
        "pdm-backend": lambda: _table(_table(tools, "pdm"), "version").get("source") == "scm",
        "setuptools-scm": lambda: "setuptools_scm" in str(provider.get("provider", "")),
        "pbr": lambda: backend.startswith("pbr."),
    }
    found = next((name for name, holds in rules.items() if holds()), None)
    if found is not None or not (backend.startswith("setuptools") or not backend):
        return found
    return _tool_of_setuptools(tools, requires, legacy)


def _tool_of_setuptools(tools: Mapping[str, Any], requires: str, legacy: str) -> str | None:
    if "version" in _table(_table(tools, "setuptools"), "dynamic"):
        return None
    configured = {"setuptools_scm": "setuptools-scm", "vcs-versioning": "setuptools-scm"}
    for table, tool in configured.items():
        if table in tools:
            return tool
    if re.search(r"setuptools[-_]scm\[[^\]]*simple", requires):
        return "setuptools-scm"
    for tool, pattern in _OF_SETUPTOOLS.items():
        if tool in tools and _table(tools, tool).get("enabled") is not False:
            return tool
        if re.search(pattern, legacy) or (tool != "setuptools-scm" and re.search(rf"\b{tool}\b", requires)):
            return tool
    return None


def _declares_version(data: Mapping[str, Any], legacy: str) -> bool:
    poetry = _table(_table(data, "tool"), "poetry")
    if isinstance(_table(data, "project").get("version"), str) or isinstance(poetry.get("version"), str):
        return True
    return re.search(r"""(?m)^\s*version\s*=\s*(['"]?)\d|\bversion\s*=\s*['"]\d""", legacy) is not None


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
