"""Where the files of a wheel come from: the directories of its packages in the source, and what is missing of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

#: where an installer puts modules, besides the top of the wheel. Source: the wheel specification, "The .data directory"
_MODULES = re.compile(r"^[^/]+\.data/(?:purelib|platlib)/")
_NO_MODULES = re.compile(r"^[^/]+\.(?:data|dist-info)/")
_CODE = (".py", ".pyi", ".so", ".pyd", ".pyc")
#: what may stand in a wheel for `module.py`
_COMPILED = re.compile(r"\.(?:[\w-]+\.)?(?:so|pyd)$|\.pyc$")
_COMPILER_INPUT = (".c", ".cc", ".cpp", ".cxx")
_PROJECT_FILES = ("pyproject.toml", "setup.py", "package.json")


class MissingFile(Struct, frozen=True, kw_only=True):
    """A file in the source of a package that the wheel does not have."""

    #: in the project
    source: str
    #: where it would be in the wheel
    installed: str
    #: the package that it is below, a directory of the wheel
    package: str

    @property
    def inside(self) -> str:
        """Its path below the package."""
        return self.installed[len(self.package) + 1 :]


class Layout(Struct, frozen=True, kw_only=True):
    """The packages of a wheel and their directories in the source."""

    #: every path that is installed below site-packages
    installed: frozenset[str]
    #: directory in the wheel → directory in the project, for the outermost packages
    packages: Mapping[str, str]
    #: directories in the project that hold the top level of the wheel: "", "src"
    tops: frozenset[str]
    missing: tuple[MissingFile, ...]

    def has_module(self, dotted: str) -> bool:
        """Whether the wheel has the module, or a package or namespace of that name."""
        path = dotted.replace(".", "/")
        return any(
            one == f"{path}.py" or one.startswith(f"{path}/") or _is_compiled_from(one, f"{path}.py")
            for one in self.installed
        )


def find_layout(members: Iterable[str], tracked: frozenset[str]) -> Layout:
    """Compare the members of a wheel with the paths that git tracks."""
    members = list(members)
    inside = [_MODULES.sub("", path) for path in members if _MODULES.match(path) or not _NO_MODULES.match(path)]
    installed = frozenset(inside)
    ours, theirs = _by_directory(installed), _by_directory(tracked)
    sources = _find_sources(ours, theirs)
    packages: dict[str, str] = {}
    for directory in sorted(sources):
        outer = any(directory.startswith(f"{one}/") for one in packages)
        if not outer and any(name.endswith(_CODE) for name in ours[directory]):
            packages[directory] = sources[directory]
    tops = {source[: -len(name)].rstrip("/") for name, source in packages.items() if _ends_with(source, name)}
    tops |= {path[: -len(name)].rstrip("/") for name in ours.get("", ()) for path in _modules_at_top(name, tracked)}
    missing = [
        one
        for package, source in packages.items()
        if source
        for one in _missing_below(package, source, tracked, installed, sources)
    ]
    elsewhere = {path.rpartition("/")[2] for path in members if _is_elsewhere(path, packages)}
    return Layout(
        installed=installed,
        packages=packages,
        tops=frozenset(tops),
        missing=tuple(one for one in missing if _is_code(one.source) or one.source.rpartition("/")[2] not in elsewhere),
    )


def _by_directory(paths: Iterable[str]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for path in paths:
        directory, _, name = path.rpartition("/")
        found[directory].add(name)
    return dict(found)


def _find_sources(ours: Mapping[str, set[str]], theirs: Mapping[str, set[str]]) -> dict[str, str]:
    """Directory in the wheel → the directory in the project with the same files."""
    by_name = defaultdict(list)
    for directory in theirs:
        by_name[directory.rpartition("/")[2]].append(directory)
    found: dict[str, str] = {}
    for directory in sorted(ours):
        if not directory:
            continue
        parent, _, name = directory.rpartition("/")
        below = f"{found[parent]}/{name}" if parent in found else ""
        if below in theirs and ours[directory] & theirs[below]:
            found[directory] = below
            continue
        same = [one for one in by_name[name] if _ends_with(one, directory) and ours[directory] & theirs[one]]
        if same:
            found[directory] = max(same, key=lambda one: (len(ours[directory] & theirs[one]), -one.count("/")))
        elif not any(directory.startswith(f"{one}/") for one in found):
            renamed = _renamed(ours[directory], theirs)
            found |= {directory: renamed} if renamed else {}
    return found


def _renamed(names: set[str], theirs: Mapping[str, set[str]]) -> str | None:
    """The only directory of the source that has most of the same modules, under another name."""
    code = {name for name in names if name.endswith(".py")}
    if len(code) < 2:  # noqa: PLR2004 - every package has an __init__.py
        return None
    fitting = [one for one, there in theirs.items() if one and 2 * len(code & there) > len(code)]
    fitting = [one for one in fitting if len(code & theirs[one]) > 1]
    # CMake installs single modules from there: what it leaves out is a tool of the build
    fitting = [one for one in fitting if not any(name.endswith(_COMPILER_INPUT) for name in theirs[one])]
    return fitting[0] if len(fitting) == 1 else None


def _ends_with(source: str, directory: str) -> bool:
    return source == directory or source.endswith(f"/{directory}")


def _modules_at_top(name: str, tracked: frozenset[str]) -> Iterator[str]:
    if name.endswith(".py"):
        yield from (path for path in (name, f"src/{name}", f"lib/{name}", f"python/{name}") if path in tracked)


def _missing_below(
    package: str, source: str, tracked: frozenset[str], installed: frozenset[str], sources: Mapping[str, str]
) -> Iterator[MissingFile]:
    start = f"{source}/"
    others = {one for name, one in sources.items() if not _ends_with(one, name)}
    below = sorted(path for path in tracked if path.startswith(start))
    nested = _nested_projects(start, below)
    stems = {_COMPILED.sub("", path) for path in installed if _COMPILED.search(path)}
    for path in below:
        there = f"{package}/{path[len(start) :]}"
        compiled = path.endswith(".py") and there.removesuffix(".py") in stems
        moved = any(path.startswith(f"{one}/") for one in others if one != source)
        if there not in installed and not compiled and not moved and not path.startswith(nested):
            yield MissingFile(source=path, installed=there, package=package)


def _nested_projects(start: str, below: list[str]) -> tuple[str, ...]:
    """Directories of other projects below a package: of Python, and of node."""
    found = set()
    for path in below:
        directory, _, name = path.rpartition("/")
        is_module = name == "setup.py" and f"{directory}/__init__.py" in below
        if f"{directory}/" != start and name in _PROJECT_FILES and not is_module:
            found.add(f"{directory}/")
    return tuple(found)


def _is_elsewhere(path: str, packages: Mapping[str, str]) -> bool:
    inside = _MODULES.sub("", path)
    return ".dist-info/" not in path and not any(inside.startswith(f"{one}/") for one in packages)


def _is_code(path: str) -> bool:
    return path.endswith((".py", ".pyi"))


def _is_compiled_from(path: str, module: str) -> bool:
    return _COMPILED.search(path) is not None and _COMPILED.sub("", path) == module.removesuffix(".py")
