"""Which submodules a project's distributions take files from, and how a missing one makes a build fail."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from release.adapters.git import repository, submodules
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.source_tree import Submodule
from release.core.toml_text import TomlError, parse_toml

#: tables of [tool] in which build backends are configured
_BACKENDS = (
    "setuptools", "hatch", "flit", "poetry", "pdm", "uv", "scikit-build", "meson-python", "maturin", "py-build-cmake",
)  # fmt: skip
#: directories whose submodules are not for the users of a release, even in a package
_ASIDE = frozenset(
    "benchmark benchmarks ci demo demos doc docs example examples notebooks test testing tests".split()  # noqa: SIM905 - a list that people read
)


def collect_submodules(system: System, root: Path, directory: Path) -> tuple[Submodule, ...]:
    """The submodules of the repository at `root`, judged for the project in `directory`. Raises `ToolError`."""
    listed = submodules.list_submodules(system, root)
    if all(ready for _, ready in listed):
        return tuple(Submodule(path=path, checked_out=True) for path, _ in listed)
    project = Project(directory.resolve())
    inside = directory.resolve().relative_to(root.resolve()).as_posix()
    prefix = "" if inside == "." else f"{inside}/"
    names = set(submodules.named_paths(system, root))
    return tuple(
        Submodule(
            path=path,
            checked_out=ready,
            used_because=project.use(path.removeprefix(prefix)) if path.startswith(prefix) else None,
            named=path in names or any(path.startswith(f"{other}/") for other, _ in listed),
        )
        for path, ready in listed
    )


class Project:
    """What a project's configuration says about its files; paths are relative to the project."""

    def __init__(self, directory: Path) -> None:
        data: Mapping[str, Any] = {}
        with suppress(OSError, UnicodeDecodeError, TomlError):
            data = parse_toml((directory / "pyproject.toml").read_text(encoding="utf-8"))
        tool, project = _table(data, "tool"), _table(data, "project")
        self._directory = directory
        self._module = re.sub(r"[-_.]+", "_", str(project.get("name", ""))).lower()
        self._settings = [item for name in _BACKENDS for item in _settings(tool.get(name), f"tool.{name}")]
        with suppress(OSError, UnicodeDecodeError):
            lines = (directory / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
            self._settings += _manifest_settings(lines)

    def use(self, path: str) -> str | None:
        """Why the distributions include the submodule at `path`; None if they may not include it."""
        if _ASIDE & set(path.lower().split("/")) or self._excludes(path):
            return None
        parts = path.split("/")
        for depth in range(1, len(parts)):
            package = "/".join(parts[:depth])
            if (self._directory / package / "__init__.py").is_file():
                return f"it is in the package {package!r}"
        top = "/".join(parts[1:] if parts[0] == "src" else parts)
        if self._module and (top == self._module or top.startswith(f"{self._module}/")):
            return f"it is in the package {self._module!r}"
        for setting, value in self._settings:
            name = value.removeprefix("./").strip("/")
            if "exclude" not in setting and (name == path or name.startswith(f"{path}/")):
                return f"{setting} names {value!r}"
        return None

    def _excludes(self, path: str) -> bool:
        names = [value for setting, value in self._settings if "exclude" in setting]
        patterns = [pattern for name in names for pattern in (name.strip("/"), name.replace(".", "/"))]
        return any(
            fnmatch.fnmatchcase(place, pattern)
            for pattern in patterns
            for place in (path, f"{path}/file", path.removeprefix("src/"), f"{path.removeprefix('src/')}/file")
        )


def _settings(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Key and text of each string in a table; a key that is a path is a text, too."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for one in value:
            yield from _settings(one, key)
    elif isinstance(value, dict):
        for name, one in value.items():
            if "/" in name:
                yield key, name
            yield from _settings(one, key if "/" in name else f"{key}.{name}")


def _manifest_settings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """What MANIFEST.in includes and excludes. Source: setuptools' documentation, "Controlling files"."""
    for line in lines:
        command, *words = line.split() or [""]
        if command in {"graft", "recursive-include"}:
            yield "MANIFEST.in", words[0] if words else ""
        elif command == "include":
            yield from (("MANIFEST.in", word) for word in words)
        elif command in {"prune", "exclude"}:
            yield from (("MANIFEST.in exclude", word) for word in words)


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def missing_submodule(system: System, source: Path, output: str) -> str | None:
    """The submodule that is not checked out and that the output of a failed build names.

    `source` is the project that was built.
    """
    with suppress(ToolError):
        root = repository.find_root(system, source)
        for path, ready in submodules.list_submodules(system, root) if root else ():
            if not ready and re.search(rf"(?<![\w.-]){re.escape(path)}(?![\w-])", output.replace("\\", "/")):
                return path
    return None
