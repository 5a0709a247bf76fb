"""The version of setuptools: `attr:` and `file:` in pyproject.toml and setup.cfg, a literal in setup.cfg or setup.py.

Source: setuptools 84's documentation, "Configuring setuptools using pyproject.toml files" (Dynamic Metadata) and
"Configuring setuptools using setup.cfg files". Observed: an argument of `setup()` precedes setup.cfg.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from release.adapters.project_version.base import ProjectFiles, not_stated, place_at
from release.adapters.project_version.python_values import (
    attribute_place,
    module_files,
    parse_python,
    string_span,
)
from release.adapters.project_version.setup_cfg import ini_options
from release.core.errors import ConfigError
from release.core.models.preparation import VersionPlace

#: files without a key that state nothing but a version, by custom
_PLAIN = ("VERSION", "VERSION.txt", "version.txt", "version")

#: names of a version in a module, by custom
_NAMES = ("__version__", "version", "VERSION")


def find_places(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version that setuptools reads."""
    if not project.backend.startswith("setuptools"):
        return ()
    dynamic = project.table("tool", "setuptools", "dynamic").get("version")
    if isinstance(dynamic, Mapping) and "version" not in project.table("project"):
        return _declared(project, dynamic, "tool.setuptools.dynamic.version")
    return tuple(dict.fromkeys((*_of_script(project), *_of_setup_cfg(project))))


def _of_setup_cfg(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    text = project.text("setup.cfg") or ""
    for section, key, value, span in ini_options(text):
        if (section, key) != ("metadata", "version") or not value:
            continue
        kind, colon, rest = value.partition(":")
        if colon and kind in {"attr", "file"}:
            return _declared(project, {kind: rest.strip()}, "version of setup.cfg")
        return (place_at("setup.cfg", text, span, "metadata.version"),)
    return ()


def _declared(project: ProjectFiles, declared: Mapping[str, Any], setting: str) -> tuple[VersionPlace, ...]:
    """The place that `attr` or `file` names."""
    if "file" in declared:
        files = declared["file"]
        paths = [files] if isinstance(files, str) else list(map(str, files))
        return tuple(_plain(project, path.strip(), setting) for one in paths for path in one.split(","))
    module, _, name = str(declared.get("attr", "")).strip().rpartition(".")
    roots = _roots(project, module)
    files_of_module = [file for file in module_files(module, roots) if (project.directory / file).is_file()]
    for file in files_of_module[:1]:
        if place := attribute_place(project, file, name, roots=roots):
            return (place,)
        raise not_stated(f"{setting} reads {name} of {file}, which assigns no string to it", edit=file)
    raise ConfigError(f"{setting} names {module!r}, which is not in this project", remedy=f"correct {setting}")


def _plain(project: ProjectFiles, path: str, setting: str) -> VersionPlace:
    """The place in a file that has nothing but the version."""
    text = project.text(path)
    if text is None:
        raise ConfigError(f"{setting} names {path!r}, which does not exist", remedy=f"correct {setting}")
    content = text.strip().removeprefix("\ufeff")
    if not content or len(content.split()) != 1:
        raise not_stated(f"{path!r}, which {setting} names, has more than a version", edit=path)
    start = text.index(content)
    return place_at(path, text, (start, start + len(content)), "version")


def _roots(project: ProjectFiles, module: str) -> tuple[str, ...]:
    """The directories in which a module is searched: `package-dir`, then the top and the src layout."""
    table = project.table("tool", "setuptools", "package-dir")
    where = project.table("tool", "setuptools", "packages", "find").get("where")
    own = [str(table[""])] if "" in table else [str(one) for one in where] if isinstance(where, list) else []
    text, package = project.text("setup.cfg") or "", module.partition(".")[0]
    lines = iter(text.splitlines())
    for line in lines:
        if line.replace("-", "_").startswith("package_dir"):
            own += [value.strip() for value in [next(lines, "").partition("=")[2]] if value.strip()]
        elif line.startswith("where"):
            own.append(line.partition("=")[2].strip())
    mapped = table.get(package)
    if isinstance(mapped, str) and PurePosixPath(mapped).name == package:
        own.append(PurePosixPath(mapped).parent.as_posix())
    return tuple(dict.fromkeys(f"{one.rstrip('/')}/" if one not in {"", "."} else "" for one in [*own, "", "src"]))


def _of_script(project: ProjectFiles) -> tuple[VersionPlace, ...]:
    """The version that setup.py passes to `setup()`."""
    text = project.text("setup.py")
    module = parse_python(text) if text is not None else None
    value = next(_arguments(module), None) if module else None
    if text is None or value is None:
        return ()
    if span := string_span(text, value):
        return (place_at("setup.py", text, span, "setup(version=…)"),)
    if isinstance(value, ast.Name) and (place := attribute_place(project, "setup.py", value.id)):
        return (place,)
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        for file in module_files(value.value.id, ("", "src/")):
            if place := attribute_place(project, file, value.attr):
                return (place,)
    found = {place.text: place for place in _mentioned(project, text)}
    if len(found) == 1:
        return tuple(found.values())
    raise not_stated("setup.py computes the version", edit="the file that setup.py reads it from")


def _arguments(module: ast.Module) -> Iterator[ast.expr]:
    """The argument `version` of the calls of `setup`, also where it is passed in a dictionary."""
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call)]
    of_setup = [call for call in calls if _called(call) == "setup"]
    given = [one for call in of_setup for one in call.keywords]
    yield from (one.value for one in given if one.arg == "version")
    if any(one.arg is None for one in given):
        yield from (
            one.value for call in calls if _called(call) == "dict" for one in call.keywords if one.arg == "version"
        )
        for node in ast.walk(module):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                yield from (value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "version")


def _called(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", None)


def _mentioned(project: ProjectFiles, script: str) -> Iterable[VersionPlace]:
    """The places in files whose names the script mentions: it reads the version from one of them."""
    for path in project.package_files():
        places = (attribute_place(project, path, name) for name in _NAMES)
        if PurePosixPath(path).name in script and (place := next(filter(None, places), None)):
            yield place
    for path in _PLAIN:
        text = project.text(path)
        if text and len(text.split()) == 1 and (f'"{path}"' in script or f"'{path}'" in script):
            yield _plain(project, path, "setup.py")
