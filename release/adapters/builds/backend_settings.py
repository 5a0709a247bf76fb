"""The settings of a build backend: which files its configuration declares, and which it leaves out.

Files that cannot be read or parsed have no settings: the build reports what is wrong with them.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from release.core.models.source_tree import BackendSettings, DeclaredFile
from release.core.python_source import parse_source
from release.core.toml_text import TomlError, parse_toml

#: start of a build backend's name → the project that provides it
_BACKENDS = (
    ("setuptools", "setuptools"), ("hatchling", "hatchling"), ("flit", "flit_core"), ("poetry", "poetry-core"),
    ("pdm", "pdm-backend"), ("uv_build", "uv_build"), ("scikit_build_core", "scikit-build-core"),
    ("mesonpy", "meson-python"), ("maturin", "maturin"),
)  # fmt: skip
#: what a requirement of the build says where the backend itself is in the project's tree
_REQUIREMENTS = (
    ("hatchling", "hatchling"), ("flit", "flit_core"), ("poetry", "poetry-core"), ("pdm-backend", "pdm-backend"),
    ("uv", "uv_build"), ("scikit-build-core", "scikit-build-core"), ("meson-python", "meson-python"),
    ("maturin", "maturin"), ("setuptools", "setuptools"),
)  # fmt: skip
#: keys of pyproject.toml with patterns of paths that backend leaves out of everything
_EXCLUDED = {
    "hatchling": ("hatch.build.exclude", "hatch.build.targets.wheel.exclude"),
    "poetry-core": ("poetry.exclude",),
    "pdm-backend": ("pdm.build.excludes",),
    "uv_build": ("uv.build-backend.source-exclude", "uv.build-backend.wheel-exclude"),
    "scikit-build-core": ("scikit-build.wheel.exclude",),
    "maturin": ("maturin.exclude",),
}
_EXCLUDED_FROM_SDIST = {
    "hatchling": ("hatch.build.targets.sdist.exclude",),
    "flit_core": ("flit.sdist.exclude",),
    "scikit-build-core": ("scikit-build.sdist.exclude",),
}
#: files that builds make, each for one machine
_BUILT = re.compile(r"\.(?:so|pyd|dll|dylib|py[co]|c|cpp|o|a|lib|egg-link)$|(?:^|/)(?:__pycache__|\.[^/]+)(?:/|$)|~$")
#: files that one pattern is expanded to
_MOST = 500
_PACKAGE_DIRECTORIES = ("", "src", "lib", "python")


def load_backend_settings(directory: Path) -> BackendSettings:
    """The settings of the project's build backend."""
    pyproject: Mapping[str, Any] = {}
    with suppress(TomlError):
        pyproject = parse_toml(_read(directory / "pyproject.toml"))
    name, tool = _backend(pyproject), _table(pyproject, "tool")
    excluded = [*_strings(tool, _EXCLUDED.get(name, ())), *_export_ignored(_read(directory / ".gitattributes"))]
    only_sdist = list(_strings(tool, _EXCLUDED_FROM_SDIST.get(name, ())))
    declared: list[tuple[str, str, str]] = []
    file, listed = "pyproject.toml", False
    if name == "setuptools":
        manifest = _read(directory / "MANIFEST.in")
        setup_cfg = configparser.ConfigParser(interpolation=None, strict=False)
        with suppress(configparser.Error):
            setup_cfg.read_string(_read(directory / "setup.cfg"))
        setup_py = _keywords(_read(directory / "setup.py"))
        excluded += [
            *_manifest_excludes(manifest),
            *_of_setuptools(tool),
            *_of_setup_cfg(setup_cfg),
            *_of_setup_py(setup_py),
        ]
        declared += [("MANIFEST.in", "", pattern) for pattern in _manifest_includes(manifest)]
        declared += _declared(_table(tool, "setuptools", "package-data"), "package-data in pyproject.toml")
        if setup_cfg.has_section("options.package_data"):
            data = {key: re.split(r"[,\s]+", value.strip()) for key, value in setup_cfg.items("options.package_data")}
            declared += _declared(data, "package_data in setup.cfg")
        declared += _declared(setup_py.get("package_data"), "package_data in setup.py")
        file, listed = _where(tool, setup_cfg, setup_py)
    return BackendSettings(
        name=name, file=file, lists_packages=listed, excluded=tuple(excluded), excluded_from_sdist=tuple(only_sdist),
        declared=tuple(declared),
    )  # fmt: skip


def find_declared_files(
    directory: Path, settings: BackendSettings, tracked: frozenset[str]
) -> tuple[DeclaredFile, ...]:
    """The files on this machine that the configuration declares, but that git does not track."""
    found: dict[str, DeclaredFile] = {}
    for setting, package, pattern in settings.declared:
        for base in _bases(package, tracked):
            for path in _glob(directory, f"{base}/{pattern}" if base else pattern):
                if path not in tracked and not _BUILT.search(path):
                    found.setdefault(path, DeclaredFile(path=path, setting=setting))
    return tuple(found.values())


def _bases(package: str, tracked: frozenset[str]) -> list[str]:
    """The directories that patterns for a package are relative to."""
    if not package:
        return [""]
    if package == "*":
        return sorted({path.rpartition("/")[0] for path in tracked if path.endswith("/__init__.py")})
    path = package.replace(".", "/")
    bases = [f"{one}/{path}" if one else path for one in _PACKAGE_DIRECTORIES]
    return [base for base in bases if f"{base}/__init__.py" in tracked]


def _glob(directory: Path, pattern: str) -> list[str]:
    if pattern.startswith("/") or ".." in pattern.split("/"):
        return []
    try:
        paths = [path for path in islice(directory.glob(pattern), _MOST) if path.is_file() and not path.is_symlink()]
        return [path.relative_to(directory).as_posix() for path in paths]
    except (OSError, ValueError, NotImplementedError):
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def _table(data: object, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _strings(tool: Mapping[str, Any], keys: Iterable[str]) -> Iterator[str]:
    """The patterns under dotted keys: strings, or tables with a path."""
    for key in keys:
        *tables, last = key.split(".")
        value = _table(tool, *tables).get(last)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                yield one
            elif isinstance(one, dict) and isinstance(one.get("path"), str):
                yield one["path"]


def _backend(pyproject: Mapping[str, Any]) -> str:
    table = _table(pyproject, "build-system")
    backend = table.get("build-backend", "setuptools")
    for start, name in _BACKENDS if isinstance(backend, str) else ():
        if backend.startswith(start):
            return name
    requires = table.get("requires")
    wanted = [str(one).lower() for one in requires] if isinstance(requires, list) else []
    return next((name for start, name in _REQUIREMENTS if any(one.startswith(start) for one in wanted)), "")


def _where(
    tool: Mapping[str, Any], setup_cfg: configparser.ConfigParser, setup_py: Mapping[str, Any]
) -> tuple[str, bool]:
    """The file with the packages of setuptools, and whether it lists them."""
    table = _table(tool, "setuptools")
    if "packages" in table or "py-modules" in table:
        return "pyproject.toml", not isinstance(table.get("packages"), dict)
    if setup_cfg.has_option("options", "packages"):
        return "setup.cfg", "find" not in setup_cfg.get("options", "packages")
    if "packages" in setup_py or "py_modules" in setup_py:
        return "setup.py", isinstance(setup_py.get("packages"), list)
    return ("setup.py" if "name" in setup_py and not setup_cfg.has_section("options") else "pyproject.toml"), False


def _of_setuptools(tool: Mapping[str, Any]) -> Iterator[str]:
    found = _strings(tool, ["setuptools.packages.find.exclude"])
    yield from (f"package:{one}" for one in found)
    for patterns in _table(tool, "setuptools", "exclude-package-data").values():
        yield from (str(one) for one in patterns if isinstance(patterns, list))


def _of_setup_cfg(setup_cfg: configparser.ConfigParser) -> Iterator[str]:
    found = setup_cfg.get("options.packages.find", "exclude", fallback="")
    yield from (f"package:{one}" for one in re.split(r"[,\s]+", found) if one)
    if setup_cfg.has_section("options.exclude_package_data"):
        for _, value in setup_cfg.items("options.exclude_package_data"):
            yield from (one for one in re.split(r"[,\s]+", value) if one)


def _of_setup_py(keywords: Mapping[str, Any]) -> Iterator[str]:
    found = keywords.get("exclude")
    yield from (f"package:{one}" for one in found or () if isinstance(one, str))
    data = keywords.get("exclude_package_data")
    for patterns in data.values() if isinstance(data, dict) else ():
        yield from (one for one in patterns if isinstance(one, str))


def _keywords(code: str) -> Mapping[str, Any]:
    """The arguments of setup() and find_packages() in a setup.py; of those that are computed, only their names."""
    found: dict[str, Any] = {}
    try:
        tree = parse_source(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        for keyword in node.keywords if name in {"setup", "find_packages", "find_namespace_packages"} else ():
            if keyword.arg and (name == "setup" or keyword.arg == "exclude"):
                try:
                    found[keyword.arg] = ast.literal_eval(keyword.value)
                except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                    found.setdefault(keyword.arg, None)
    return found


def _manifest_lines(text: str) -> Iterator[list[str]]:
    for line in text.replace("\\\n", " ").splitlines():
        words = line.partition("#")[0].split()
        if len(words) > 1:
            yield words


def _manifest_excludes(text: str) -> Iterator[str]:
    """Source: setuptools, "Controlling files in the distribution"."""
    for command, *words in _manifest_lines(text):
        if command in {"exclude", "global-exclude", "prune"}:
            yield from words
        elif command == "recursive-exclude":
            yield from _recursive(words)


def _manifest_includes(text: str) -> Iterator[str]:
    for command, *words in _manifest_lines(text):
        if command == "include":
            yield from words
        elif command == "recursive-include":
            yield from (f"{words[0].rstrip('/')}/**/{pattern}" for pattern in words[1:])


def _recursive(words: list[str]) -> Iterator[str]:
    directory, *patterns = words
    for pattern in patterns:
        if directory in {".", "*", "**"}:
            yield pattern
        elif pattern in {"*", "*.*"}:
            yield directory
        else:
            yield f"{directory}/{pattern}"
            yield f"{directory}/*/{pattern}"


def _declared(table: object, setting: str) -> Iterator[tuple[str, str, str]]:
    for package, patterns in table.items() if isinstance(table, dict) else ():
        for pattern in patterns if isinstance(patterns, list | tuple) else ():
            if isinstance(pattern, str) and pattern:
                yield setting, package or "*", pattern


def _export_ignored(text: str) -> Iterator[str]:
    """What `git archive` leaves out, from which meson-python makes its sdist."""
    for line in text.splitlines():
        words = line.split()
        if "export-ignore" in words[1:] and not line.lstrip().startswith("#"):
            yield words[0]
