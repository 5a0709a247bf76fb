"""What to try on an installed project when its maintainer does not say. Pure."""

from __future__ import annotations

import configparser
import keyword
import re
import shlex
from collections.abc import Iterable, Iterator

from release.core.config import SmokeTestSettings
from release.core.errors import ConfigError
from release.core.models.smoke_test import SmokeTest

_SOURCE = re.compile(r"\.(?:py|pyc|[\w.-]*so|[\w.-]*pyd)$")
#: shipped by mistake more often than meant as API; importing a setup.py would even run it
_RUBBISH = {
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "example",
    "examples",
    "benchmarks",
    "scripts",
    "setup",
    "conftest",
}
#: imports to try at most: a namespace of hundreds would take minutes, and the first tell enough
_MOST = 24


def default_attempts(names: Iterable[str], entry_points: str) -> tuple[SmokeTest, ...]:
    """The top-level modules and packages, and each console script with `--help`.

    `names` are the members of a wheel, or the files of an installed distribution, with forward
    slashes; `entry_points` is the text of entry_points.txt.
    """
    imports = [SmokeTest(kind="import", words=(name,)) for name in import_roots(names)[:_MOST]]
    return (*imports, *(SmokeTest(kind="script", words=(name, "--help")) for name in console_scripts(entry_points)))


def attempts_from_settings(settings: SmokeTestSettings) -> tuple[SmokeTest, ...] | None:
    """The configured attempts; None where the installed project's own are used. Raises `ConfigError`."""
    if settings.imports is None and settings.commands is None:
        return None
    return configured_attempts(settings.imports, settings.commands)


def configured_attempts(imports: Iterable[str] | None, commands: Iterable[str] | None) -> tuple[SmokeTest, ...]:
    """What the configuration lists. Raises `ConfigError` where a command line can't be split into words."""
    wanted = [SmokeTest(kind="import", words=(name,), asked_for=True) for name in imports or ()]
    for line in commands or ():
        try:
            split = tuple(shlex.split(line))
        except ValueError as error:
            raise ConfigError(
                f"tool.release.smoke.commands: {line!r} can't be split into words: {str(error).lower()}",
                remedy="close its quotes, or double its backslashes",
            ) from error
        wanted.append(SmokeTest(kind="command", words=split, asked_for=True))
    return tuple(wanted)


def import_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The modules that the project is known by, dotted: in a namespace, the first real ones."""
    paths = {parts for name in names if (parts := _parts(name))}
    return tuple(dict.fromkeys(_roots(paths, ())))


def console_scripts(entry_points: str) -> dict[str, str]:
    """Console scripts and what they call, "package.module:function"."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive; documented so
    try:
        parser.read_string(entry_points)
    except configparser.Error:
        return {}  # a broken file is a matter for the inspection
    found = dict(parser.items("console_scripts")) if parser.has_section("console_scripts") else {}
    return {name: target.partition("[")[0].replace(" ", "") for name, target in found.items()}


def _parts(name: str) -> tuple[str, ...] | None:
    """The path of a module below site-packages, each part as it is imported; None where it is none."""
    parts = name.split("/")
    if re.fullmatch(r".+\.data", parts[0]) and parts[1:2] in (["purelib"], ["platlib"]):
        parts = parts[2:]
    if not parts or not _SOURCE.search(parts[-1]) or "__pycache__" in parts:
        return None
    parts = [*parts[:-1], parts[-1].partition(".")[0]]
    good = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return tuple(parts) if good and parts[0] not in _RUBBISH and "__main__" not in parts else None


def _roots(paths: set[tuple[str, ...]], at: tuple[str, ...]) -> Iterator[str]:
    below = sorted(path for path in paths if path[: len(at)] == at)
    for child in sorted({path[: len(at) + 1] for path in below}):
        if child in paths or (*child, "__init__") in paths:
            yield ".".join(child)
        else:
            yield from _roots(paths, child)
