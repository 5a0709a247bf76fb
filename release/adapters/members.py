"""Find the projects below a directory: the members of a set, and those that could be members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from release.core.errors import ConfigError
from release.core.models.release_set import SetSettings
from release.core.quoting import quote_path
from release.core.shell import quote_word
from release.core.similar_words import did_you_mean
from release.core.toml_text import TomlError, parse_toml

if TYPE_CHECKING:
    from release.core.config import Config

_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
#: how deep below the root a project is looked for that no pattern names
_DEPTH = 4
#: directories that are searched for that; a home directory has many more
_MOST = 1000
#: projects that a message names
_NAMED = 5
#: tables with the patterns of a workspace's members. Source: uv's documentation, "Using workspaces"; pdm's (2.28),
#: "Workspace"; hatch's (1.18), "How to configure workspace environments"; rye's, "Workspaces"
_WORKSPACES = (
    ("tool", "uv", "workspace"), ("tool", "pdm", "workspace"), ("tool", "hatch", "envs", "default", "workspace"),
    ("tool", "rye", "workspace"),
)  # fmt: skip
#: the table of a set
SET_TABLE = "tool.release.set"


def find_members(root: Path, settings: SetSettings, *, table: str = SET_TABLE) -> tuple[str, ...]:
    """The directories of the members, relative to the root, with slashes, sorted; "." is the root.

    Directories without a project are passed over. `table`: the one that has the patterns. Raises `ConfigError` for a
    pattern of `[tool.release.set]` that matches nothing.
    """
    excluded = [_relative(root, one) for pattern in settings.exclude for one in _expand(root, pattern)]
    strict = table == SET_TABLE
    if strict:
        for pattern in settings.exclude:
            if next(_expand(root, pattern), None) is None:
                raise _no_match(root, "exclude", pattern)
    found: set[str] = set()
    for pattern in settings.members:
        projects = {_relative(root, one) for one in _expand(root, pattern) if has_project(one)}
        if not projects and strict:
            raise _no_match(root, "members", pattern)
        found |= projects
    members = tuple(sorted(one for one in found if not _is_excluded(one, excluded)))
    if not members:
        raise ConfigError(
            f"the set in {quote_path(root)} has no members: {table}.exclude excludes each of {', '.join(sorted(found))}"
            if found
            else f"the set in {quote_path(root)} has no members: the patterns of {table}.members match no project",
            remedy=_remedy(root) or "add a project below it first",
        )
    return members


def resolve_settings(root: Path, config: Config) -> tuple[SetSettings, str]:
    """The settings of the set at `root`, and the table that has its members.

    `[tool.release.set]`; without `members` in it, or without that table, the workspace that pyproject.toml declares.
    Raises `ConfigError` with the lines to add where there is neither.
    """
    declared = find_settings(root, config)
    if declared is not None:
        return declared
    below = projects_below(root)
    where = f"no set is declared in {quote_path(root)}"
    if not below:
        alone = has_project(root)
        raise ConfigError(
            f"{where}: it has one project, and none below"
            if alone
            else f"{where}, and there is no Python project in it",
            remedy="release the project alone: pypi-preflight release"
            if alone
            else "change to the directory that has the projects, or pass it: --directory DIR",
        )
    raise ConfigError(f"{where}: its projects are in {name_some(below)}", remedy=_remedy(root))


def find_settings(root: Path, config: Config) -> tuple[SetSettings, str] | None:
    """The settings of the set that `root` declares, and the table that has its members; None where it declares none."""
    own = config.release_set
    if own is not None and own.members:
        return own, SET_TABLE
    for path in _WORKSPACES:
        found = _table(_load(root / "pyproject.toml"), *path)
        members = _patterns(found.get("members"))
        if members:
            members = ("." if path[1] == "uv" and has_project(root) else "", *members)
            exclude = (*_patterns(found.get("exclude")), *(own.exclude if own else ()))
            settings = SetSettings(
                members=tuple(filter(None, members)), exclude=exclude,
                only_changed=own is not None and own.only_changed, lockstep=own is not None and own.lockstep,
            )  # fmt: skip
            return settings, ".".join(path)
    return None


def require_project(directory: Path, *, instead: str = "") -> None:
    """Raise `ConfigError` where there is no project; where there are projects below, it names them.

    `instead`: what a command does without one, in the imperative; it follows the remedy.
    """
    files = [name for name in _PROJECT_FILES if (directory / name).is_file()]
    if has_project(directory) or (files and not projects_below(directory)):
        return
    below, where = projects_below(directory), f"no Python project in {quote_path(directory)}"
    if not below:
        raise ConfigError(
            f"{where}: there is no {', '.join(_PROJECT_FILES[:-1])} or {_PROJECT_FILES[-1]}",
            remedy="change to the project's directory, or pass it: --directory DIR" + (instead and f"; or {instead}"),
        )
    here = directory.resolve() == Path.cwd()
    one = quote_word(below[0] if here else str(directory / below[0]))
    there = "" if here else f" --directory {quote_word(str(directory))}"
    raise ConfigError(
        f"{where}; there are projects below it: {name_some(below)}",
        remedy=f"pass one of them: --directory {one}; or release them as a set: pypi-preflight set list{there}"
        + (instead and f"; or {instead}"),
    )


def projects_below(root: Path) -> tuple[str, ...]:
    """The directories of the projects below `root`, relative to it, sorted, without samples and test data.

    The directories of a project are not searched. The number of directories is limited.
    """
    found, level, left = [], [root], _MOST
    for _ in range(_DEPTH):
        inside = [one for place in level for one in _directories(place, samples=False) if not one.is_symlink()][:left]
        left -= len(inside)
        projects = [one for one in inside if has_project(one)]
        found += projects
        level = [one for one in inside if one not in projects]
    return tuple(sorted(_relative(root, one) for one in found))


def name_some(directories: Sequence[str]) -> str:
    """The first of several directories, and how many more there are."""
    more = f" and {len(directories) - _NAMED} more" if len(directories) > _NAMED else ""
    return ", ".join(directories[:_NAMED]) + more


def has_project(directory: Path) -> bool:
    """Whether a directory has a Python project: a pyproject.toml that is for more than tools, or a setup script.

    A pyproject.toml that cannot be read counts: its error is to be shown.
    """
    path = directory / "pyproject.toml"
    if (directory / "setup.py").is_file():
        return True
    if path.is_file():
        data = _load(path)
        if data is None or {"project", "build-system"} & data.keys() or _table(data, "tool", "poetry"):
            return True
    with suppress(OSError, UnicodeDecodeError):
        return "[metadata]" in (directory / "setup.cfg").read_text(encoding="utf-8").splitlines()
    return False


def is_workspace_only(root: Path, directory: str) -> bool:
    """Whether uv treats a member of its workspace as one that is not built: it declares no build system.

    Source: uv's documentation, "Build systems": "If a build system is not defined, uv won't attempt to build or
    install the project itself".
    """
    data, top = _load(root / directory / "pyproject.toml"), _load(root / "pyproject.toml")
    return bool(data) and "build-system" not in (data or {}) and bool(_table(top, "tool", "uv", "workspace"))


def suggest_patterns(directories: Iterable[str]) -> tuple[str, ...]:
    """Patterns for these directories: "packages/*" where several have one parent."""
    parents: dict[str, list[str]] = {}
    for one in directories:
        parents.setdefault(str(PurePosixPath(one).parent), []).append(one)
    patterns: list[str] = []
    for parent, inside in parents.items():
        patterns += inside if parent == "." or len(inside) == 1 else [f"{parent}/*"]
    return tuple(sorted(patterns))


def _remedy(root: Path) -> str:
    """The lines that declare a set; empty where there is no project."""
    patterns = suggest_patterns(projects_below(root))
    if not patterns:
        return ""
    verb = "add to" if (root / "pyproject.toml").is_file() else "create"
    listed = ", ".join(f'"{one}"' for one in patterns)
    return f"{verb} {quote_path(root / 'pyproject.toml')}:\n[{SET_TABLE}]\nmembers = [{listed}]"


def _no_match(root: Path, key: str, pattern: str) -> ConfigError:
    below = projects_below(root)
    near = did_you_mean(pattern, (*suggest_patterns(below), *below))
    there = f"; there are {name_some(below)}" if below else f"; there is no project in {quote_path(root)}"
    what = "project" if key == "members" else "directory"
    return ConfigError(
        f"{SET_TABLE}.{key}: {pattern!r} matches no {what}{near or there}",
        remedy=f"correct {SET_TABLE}.{key} in pyproject.toml",
    )


def _expand(root: Path, pattern: str) -> Iterator[Path]:
    """The directories that a pattern matches."""
    yield from _match(root, PurePosixPath(pattern).parts, inside=False)


def _match(place: Path, parts: Sequence[str], *, inside: bool) -> Iterator[Path]:
    """`inside`: whether the place is in a project, where directories of samples are passed over."""
    if not parts:
        yield place
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _match(place, rest, inside=inside)
        inside = inside or has_project(place)
        for one in _directories(place, samples=not inside):
            if not one.is_symlink():
                yield from _match(one, parts, inside=inside)
    elif any(sign in first for sign in "*?["):
        for one in _directories(place):
            if fnmatchcase(one.name, first):
                yield from _match(one, rest, inside=inside)
    elif (place / first).is_dir():
        yield from _match(place / first, rest, inside=inside)


def _directories(place: Path, *, samples: bool = True) -> list[Path]:
    """The directories in a place, sorted, without hidden ones and those that tools make."""
    from release.adapters.git.projects import SAMPLE_DIRECTORY
    from release.adapters.git.repository import LITTER

    with suppress(OSError):
        return sorted(
            one
            for one in place.iterdir()
            if one.is_dir()
            and not one.name.startswith(".")
            and one.name not in LITTER
            and (samples or not SAMPLE_DIRECTORY.fullmatch(one.name))
        )
    return []


def _is_excluded(directory: str, excluded: Iterable[str]) -> bool:
    return any(directory == one or directory.startswith(f"{one}/") for one in excluded)


def _relative(root: Path, directory: Path) -> str:
    return directory.relative_to(root).as_posix()


def _load(path: Path) -> dict[str, Any] | None:
    """The content of a TOML file; None where it cannot be read."""
    with suppress(OSError, UnicodeDecodeError, TomlError):
        return parse_toml(path.read_text(encoding="utf-8-sig"))
    return None


def _table(data: Mapping[str, Any] | None, *path: str) -> Mapping[str, Any]:
    for key in path:
        found = (data or {}).get(key)
        data = found if isinstance(found, dict) else {}
    return data or {}


def _patterns(value: object) -> tuple[str, ...]:
    """The patterns of a workspace that are below the root; hatch also has tables with a `path`."""
    listed = value if isinstance(value, list) else []
    texts = (one.get("path") if isinstance(one, dict) else one for one in listed)
    paths = (PurePosixPath(one) for one in texts if isinstance(one, str) and one.strip())
    return tuple(str(one) for one in paths if not one.is_absolute() and ".." not in one.parts)
