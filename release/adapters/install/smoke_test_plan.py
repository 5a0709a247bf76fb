"""The smoke tests of a project: those of its configuration, else the default ones. Pure."""

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
#: usually shipped by mistake; importing a setup.py would even run it
_NOT_API = {
    "test", "tests", "testing", "doc", "docs", "example", "examples", "benchmarks", "scripts", "setup", "conftest",
}  # fmt: skip
#: the most imports to test: hundreds of modules in a namespace would take minutes
_MOST = 24


def default_smoke_tests(names: Iterable[str], entry_points: str) -> tuple[SmokeTest, ...]:
    """An import of each top-level module, and each console script with `--help`.

    `names` are the members of a wheel or the files of an installed distribution, with forward slashes;
    `entry_points` is the text of entry_points.txt.
    """
    imports = [SmokeTest(kind="import", words=(name,)) for name in import_roots(names)[:_MOST]]
    return (*imports, *(SmokeTest(kind="script", words=(name, "--help")) for name in console_scripts(entry_points)))


def smoke_tests_from_settings(settings: SmokeTestSettings) -> tuple[SmokeTest, ...] | None:
    """The configured tests; None where the default tests are used. Raises `ConfigError`."""
    if settings.imports is None and settings.commands is None:
        return None
    return configured_smoke_tests(settings.imports, settings.commands)


def configured_smoke_tests(imports: Iterable[str] | None, commands: Iterable[str] | None) -> tuple[SmokeTest, ...]:
    """The configured tests. Raises `ConfigError` where a command line cannot be split into words."""
    wanted = [SmokeTest(kind="import", words=(name,), asked_for=True) for name in imports or ()]
    for line in commands or ():
        try:
            split = tuple(shlex.split(line))
        except ValueError as error:
            raise ConfigError(
                f"tool.release.smoke.commands: cannot split {line!r} into words: {str(error).lower()}",
                remedy="close its quotes, and double its backslashes",
            ) from error
        wanted.append(SmokeTest(kind="command", words=split, asked_for=True))
    return tuple(wanted)


def import_roots(names: Iterable[str]) -> tuple[str, ...]:
    """The top-level modules, dotted; of a namespace package, the topmost regular modules."""
    paths = {parts for name in names if (parts := _parts(name))}
    return tuple(dict.fromkeys(_roots(paths, ())))


def console_scripts(entry_points: str) -> dict[str, str]:
    """Console scripts and their targets, "package.module:function"."""
    parser = configparser.RawConfigParser(delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive; a documented way
    try:
        parser.read_string(entry_points)
    except configparser.Error:
        return {}  # another check reports the broken file
    found = dict(parser.items("console_scripts")) if parser.has_section("console_scripts") else {}
    return {name: target.partition("[")[0].replace(" ", "") for name, target in found.items()}


def _parts(name: str) -> tuple[str, ...] | None:
    """The dotted parts of an importable module, from its path below site-packages; else None."""
    parts = name.split("/")
    if re.fullmatch(r".+\.data", parts[0]) and parts[1:2] in (["purelib"], ["platlib"]):
        parts = parts[2:]
    if not parts or not _SOURCE.search(parts[-1]) or "__pycache__" in parts:
        return None
    parts = [*parts[:-1], parts[-1].partition(".")[0]]
    good = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return tuple(parts) if good and parts[0] not in _NOT_API and "__main__" not in parts else None


def _roots(paths: set[tuple[str, ...]], at: tuple[str, ...]) -> Iterator[str]:
    below = sorted(path for path in paths if path[: len(at)] == at)
    for child in sorted({path[: len(at) + 1] for path in below}):
        if child in paths or (*child, "__init__") in paths:
            yield ".".join(child)
        else:
            yield from _roots(paths, child)
