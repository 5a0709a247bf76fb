"""The files in which the configuration of a bump tool says that the version stands.

Source: the documentation of bump-my-version 1.8 ("Configuration"), bumpver 2026.1132 ("Pattern Search and Replace"),
commitizen 4.19 ("version_files"), python-semantic-release 10.7 ("version_toml", "version_variables"), tbump 6.11. Their
lists are what the user states, so a file that has not the version is an error, as it is for them.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from posixpath import normpath
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from packaging.version import Version

from release.adapters.project_version.base import ProjectFiles, is_same_version, place_at, table_of
from release.adapters.project_version.setup_cfg import ini_options
from release.adapters.project_version.toml_values import toml_places
from release.core.errors import ConfigError
from release.core.models.preparation import VersionPlace
from release.core.toml_text import TomlError, parse_toml

#: where a version begins and ends, so that 1.1.0 is found in "v1.1.0" and "acme-1.1.0.tar.gz", but not in 11.1.0,
#: 1.1.0.1 or 1.1.0rc1: the tools replace a part of these too
_START = r"(?<![\d.])(?<![^\W\d_vV])"
_END = r"(?!\d|\.\d|[-._]?(?:a|b|c|rc|alpha|beta|pre|dev|post)[-._]?\d)"


class SearchedFile(Struct, frozen=True, kw_only=True):
    """A file that a bump tool edits."""

    #: relative to the project; may be a glob pattern
    path: str
    #: what is searched, a regular expression with a group `version`
    pattern: str
    #: the tool's setting, for messages
    setting: str
    #: whether the tool accepts a file without the version
    optional: bool = False


def find_listed(project: ProjectFiles, current: str) -> Iterator[VersionPlace]:
    """The places that the project's bump tools would edit. Tools that state another current version are not in use.

    Raises `ConfigError` for a listed file that has not the version.
    """
    for tool in TOOLS.values():
        for listed in tool(project, current):
            if isinstance(listed, VersionPlace):
                yield listed
                continue
            places = tuple(_search(project, listed))
            if not places and not listed.optional:
                raise ConfigError(
                    f"{listed.setting} lists {listed.path!r}, which has no version {current}",
                    remedy=f"write {current} into it, or remove it from {listed.setting}",
                )
            yield from places


def _bumpversion(project: ProjectFiles, current: str) -> Iterator[SearchedFile | VersionPlace]:
    """bump-my-version and bump2version."""
    for file, keys, settings in _toml_settings(project, (".bumpversion.toml", "pyproject.toml"), "tool", "bumpversion"):
        if (own := _own(settings.get("current_version"), current)) is not None:
            setting = f"tool.bumpversion of {file}"
            yield from toml_places(project, file, *keys, "current_version")
            search, missing = settings.get("search"), settings.get("ignore_missing_version")
            for entry in settings.get("files", ()):
                path = entry.get("filename") or entry.get("glob") if isinstance(entry, Mapping) else None
                pattern = _template(str(entry.get("search", search or "{current_version}")), own) if path else None
                if path and pattern and not entry.get("regex", settings.get("regex")):
                    optional = bool(entry.get("ignore_missing_version", missing))
                    yield SearchedFile(path=str(path), pattern=pattern, setting=setting, optional=optional)
    for file in (".bumpversion.cfg", "setup.cfg"):
        yield from _bumpversion_ini(project, file, current)


def _bumpversion_ini(project: ProjectFiles, file: str, current: str) -> Iterator[SearchedFile | VersionPlace]:
    text = project.text(file) or ""
    stated = [(value, span) for *where, value, span in ini_options(text) if where == ["bumpversion", "current_version"]]
    own = _own(stated[0][0], current) if stated else None
    if own is None:
        return
    yield place_at(file, text, stated[0][1], "bumpversion.current_version")
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ConfigError(f"{file} is not valid: {error.message}", remedy=f"correct {file}") from None
    common = parser.get("bumpversion", "search", fallback="{current_version}")
    for section in parser.sections():
        named = re.fullmatch(r"bumpversion:(?:file|glob)(?:\s*\([^)]*\))?:(.+?)(?:\s*\(.*\))?\s*", section)
        pattern = _template(parser.get(section, "search", fallback=common), own) if named else None
        if named and pattern:
            missing = parser.get(section, "ignore_missing_version", fallback="").lower() == "true"
            yield SearchedFile(path=named[1], pattern=pattern, setting=f"[{section}] of {file}", optional=missing)


def _bumpver(project: ProjectFiles, current: str) -> Iterator[SearchedFile | VersionPlace]:
    for file, keys, settings in _toml_settings(project, ("bumpver.toml", "pyproject.toml"), "tool", "bumpver"):
        own = _own(settings.get("current_version"), current)
        if own is None:
            continue
        setting = f"tool.bumpver of {file}"
        yield from toml_places(project, file, *keys, "current_version")
        for path, patterns in table_of(settings, "file_patterns").items():
            for text in patterns if isinstance(patterns, list) else [patterns]:
                name = "{version}" if "{version}" in str(text) else "{pep440_version}"
                spelled = own if name == "{version}" else str(Version(own))
                if path != file and (pattern := _template(str(text), spelled, name)):
                    pattern = "(?m)" + re.sub(r"^\\\^", "^", re.sub(r"\\\$$", "$", pattern))
                    yield SearchedFile(path=path, pattern=pattern, setting=setting)


def _commitizen(project: ProjectFiles, current: str) -> Iterator[SearchedFile | VersionPlace]:
    names = (".cz.toml", "cz.toml", "pyproject.toml")
    for file, keys, settings in _toml_settings(project, names, "tool", "commitizen"):
        setting = f"tool.commitizen of {file}"
        own = _own(settings.get("version"), current)
        if own is not None:
            yield from toml_places(project, file, *keys, "version")
        elif settings.get("version_provider", "commitizen") == "commitizen":
            continue
        for entry in settings.get("version_files", ()):
            path, _, line = str(entry).partition(":")
            pattern = rf"(?m)^(?=.*(?:{line or ''})).*?{_version(own or current)}"
            yield SearchedFile(path=path, pattern=pattern, setting=setting)


def _semantic_release(project: ProjectFiles, current: str) -> Iterator[SearchedFile | VersionPlace]:
    """Its own current version is that of the tags."""
    files = ("releaserc.toml", "pyproject.toml")
    for file, _, settings in _toml_settings(project, files, "tool", "semantic_release"):
        for entry in _strings(settings.get("version_toml")):
            path, _, keys = entry.partition(":")
            stated = toml_places(project, path, *keys.partition(":")[0].split("."))
            yield from (place for place in stated if place.text == current)
        for entry in _strings(settings.get("version_variables")):
            path, _, rest = entry.partition(":")
            name, _, form = rest.partition(":")
            if form != "tf":
                pattern = rf"""(?<![\w]){re.escape(name)}['"]?\s*(?::=|[:=@]|==)\s*(['"]?){_version(current)}\1"""
                yield SearchedFile(path=path, pattern=pattern, setting=f"tool.semantic_release of {file}")


def _tbump(project: ProjectFiles, current: str) -> Iterator[SearchedFile | VersionPlace]:
    for file, keys, settings in _toml_settings(project, ("tbump.toml", "pyproject.toml"), "tool", "tbump"):
        own = _own(table_of(settings, "version").get("current"), current)
        if own is None:
            continue
        yield from toml_places(project, file, *keys, "version", "current")
        for entry in settings.get("file", ()):
            pattern = _template(str(entry.get("search", "{current_version}")), own)
            if pattern and "version_template" not in entry:
                yield SearchedFile(path=str(entry.get("src")), pattern=pattern, setting=f"tool.tbump of {file}")


#: tool → the files that its configuration lists
TOOLS: Mapping[str, Callable[[ProjectFiles, str], Iterator[SearchedFile | VersionPlace]]] = MappingProxyType({
    "bump-my-version": _bumpversion,
    "bumpver": _bumpver,
    "commitizen": _commitizen,
    "python-semantic-release": _semantic_release,
    "tbump": _tbump,
})  # fmt: skip


def _search(project: ProjectFiles, listed: SearchedFile) -> Iterator[VersionPlace]:
    """The places that a pattern matches in a file, or in all files of a glob pattern."""
    paths = [normpath(listed.path)]
    if any(letter in listed.path for letter in "*?["):
        found = sorted(project.directory.glob(listed.path))
        paths = [PurePosixPath(*path.relative_to(project.directory).parts).as_posix() for path in found]
    try:
        pattern = re.compile(listed.pattern)
    except re.error as error:
        raise ConfigError(
            f"the pattern of {listed.setting} for {listed.path!r} is not valid: {error}",
            remedy=f"correct {listed.setting}",
        ) from None
    for path in paths:
        text = project.text(path) or ""
        for match in pattern.finditer(text):
            yield place_at(path, text, match.span("version"), "version")


def _toml_settings(
    project: ProjectFiles, files: tuple[str, ...], *keys: str
) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """The tables of a tool, with their keys; in a file of its own also `[NAME]`, or the top."""
    for file in files:
        if file == "pyproject.toml":
            data: Mapping[str, Any] = project.pyproject
        else:
            try:
                data = parse_toml((project.text(file) or "").removeprefix("\ufeff"))
            except TomlError:
                continue
        forms = [keys] if file == "pyproject.toml" else [keys, keys[-1:], ()]
        form = next((one for one in forms if table_of(data, *one)), None)
        if form is not None:
            yield file, form, table_of(data, *form)


def _template(text: str, current: str, name: str = "{current_version}") -> str | None:
    """The pattern of a search text; None where it has no version."""
    before, mark, after = text.partition(name)
    if not mark or re.search(r"\{(?:now|new_version|utcnow|current_\w+)\b", before + after):
        return None
    rest = re.escape(after).replace(re.escape(name), re.escape(current))
    return f"{'' if before else _START}{re.escape(before)}{_version(current, '' if after else _END)}{rest}"


def _version(current: str, end: str = _END) -> str:
    return rf"(?P<version>{re.escape(current)}){end}"


def _own(stated: Any, current: str) -> str | None:
    """The current version as a tool spells it ("v1.1.0"); None if it states none, or another one: it is not in use."""
    return stated if isinstance(stated, str) and is_same_version(stated, current) else None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (value,) if isinstance(value, str) else ()
