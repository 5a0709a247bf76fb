"""The Python versions that a project requires, as far as its files state them."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from release.core.python_source import parse_source
from release.core.toml_text import TomlError, parse_toml

#: the minor versions of Python 3 that a remedy may name. Source: devguide.python.org, "Status of Python versions"
MINORS = range(8, 16)
_PYPROJECT = "pyproject.toml"


def declared_requires_python(
    pyproject: str | None, setup_cfg: str | None = None, setup_py: str | None = None
) -> tuple[str, str] | None:
    """The version specifier and where it is stated; None where only the build backend knows, or nothing is required.

    From the texts of these files; None where there is no such file.
    """
    try:
        tables = parse_toml(pyproject or "")
    except TomlError:
        return None  # reported where name and version are read
    project, tool = _table(tables, "project"), _table(tables, "tool")
    poetry = _table(_table(tool, "poetry"), "dependencies").get("python")
    stated = (
        (_text(project.get("requires-python")), f"requires-python in {_PYPROJECT}"),
        (poetry_to_specifier(_text(poetry)), f"python in [tool.poetry.dependencies] of {_PYPROJECT}"),
        (_text(_flit(tool).get("requires-python")), f"requires-python in {_PYPROJECT}"),
        (_of_setup_cfg(setup_cfg or ""), "python_requires in setup.cfg"),
        (_of_setup_py(setup_py or ""), "python_requires in setup.py"),
    )
    return next(((specifier, where) for specifier, where in stated if specifier and _valid(specifier)), None)


def satisfies(specifier: str, version: tuple[int, int, int]) -> bool:
    """Whether a Python version satisfies a specifier, as pip decides it; so does any if the specifier is not valid.

    Source: pip, `check_requires_python`, which compares without the suffix of a pre-release.
    """
    try:
        return SpecifierSet(specifier).contains(".".join(map(str, version)), prereleases=True)
    except InvalidSpecifier:
        return True


def fitting_minors(specifier: str) -> tuple[str, ...]:
    """The known minor versions that satisfy a specifier, with a later micro version: ("3.13", "3.14")."""
    return tuple(
        f"3.{minor}" for minor in MINORS if any(satisfies(specifier, (3, minor, micro)) for micro in (0, 5, 99))
    )


def poetry_to_specifier(constraint: str) -> str:
    """A version constraint of Poetry as a specifier; empty where it has no such form, or allows every version.

    Source: Poetry documentation, "Dependency specification".
    """
    text = re.sub(r"(?<=[<>=!~^])\s+", "", constraint.strip())
    if "|" in text:
        return ""
    return ",".join(filter(None, map(_poetry_part, re.split(r"[,\s]+", text))))


def _poetry_part(part: str) -> str:
    found = re.fullmatch(r"(\^|~|==?|)(\d+(?:\.\d+)*)(\.\*)?", part)
    if not found:
        return "" if part == "*" else part
    sign, version, wildcard = found.groups()
    numbers = [int(number) for number in version.split(".")]
    if sign == "^":
        place = next((n for n, number in enumerate(numbers) if number), len(numbers) - 1)
        return f">={version},<{_next(numbers[: place + 1])}"
    if sign == "~":
        return f">={version},<{_next(numbers[:2])}"
    if wildcard or len(numbers) < 3:  # noqa: PLR2004 - Python 3.13 means each of its micro versions
        return f"=={version}.*"
    return f"=={version}"


def _next(numbers: list[int]) -> str:
    return ".".join(map(str, [*numbers[:-1], numbers[-1] + 1]))


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def _flit(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    return _table(_table(tool, "flit"), "metadata")


def _text(value: object) -> str:
    if isinstance(value, dict):  # Poetry's { version = "^3.13" }
        value = value.get("version")
    return value.strip() if isinstance(value, str) else ""


def _valid(specifier: str) -> bool:
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        return False
    return True


def _of_setup_cfg(text: str) -> str:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        return parser.get("options", "python_requires", fallback="").strip()
    except configparser.Error:
        return ""


def _of_setup_py(text: str) -> str:
    """The literal `python_requires` of a call of `setup`; it is parsed, not run."""
    try:
        tree = parse_source(text)
    except (SyntaxError, ValueError, RecursionError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "python_requires" and isinstance(keyword.value, ast.Constant):
                    return _text(keyword.value.value)
    return ""
