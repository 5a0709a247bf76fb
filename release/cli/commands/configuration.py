"""The command that shows and checks the configuration."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from release.cli.command import READS_PROJECT, Command, Write, show
from release.core.errors import ConfigError, Exit
from release.core.harmless import harmless_json
from release.core.quoting import quote_path

if TYPE_CHECKING:
    from release.core.config_listing import Setting

#: variables that replace settings
_VARIABLES = ("PREFLIGHT_STATE", "PYPI_PREFLIGHT_STATE", "PYPI_PREFLIGHT_OFFLINE")
_ACTIONS = {
    "show": "print every setting with its value, and where that comes from",
    "check": "report every mistake in the configuration",
    "schema": "print the JSON Schema of a pyproject.toml with [tool.release], for editors",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    text = "; ".join(f"{name}: {what}" for name, what in _ACTIONS.items())
    parser.add_argument("action", choices=tuple(_ACTIONS), nargs="?", default="show", help=f"{text} (default: show)")


def _config(options: argparse.Namespace, write: Write) -> int:
    if options.action == "schema":
        write(harmless_json(_pyproject_schema()))
        return Exit.DONE
    file, data = _load(options)
    if options.action == "check":
        return _check(options, write, file, data)
    from release.adapters.system.system import real_system
    from release.core.config_listing import list_settings

    _require_valid(data)
    settings = list_settings(data, _schema())
    env = real_system().env
    variables = {name: env[name] for name in _VARIABLES if env.get(name)}
    document = {
        "schema": 1, "file": file, "environment": variables,
        "settings": [
            {
                "key": f"{one.table}.{one.key}" if one.table else one.key, "value": one.value,
                "from": file if one.is_set else "default",
            }
            for one in settings
        ],
    }  # fmt: skip
    show(options, write, document, _to_lines(settings, file, variables))
    return Exit.DONE


def _check(options: argparse.Namespace, write: Write, file: str, data: Mapping[str, Any]) -> int:
    """Exit status 2 if there is a mistake."""
    from release.checks.all_checks import check_names
    from release.core.config_listing import find_mistakes
    from release.token_health.fleet import parse_fleet

    mistakes = [*find_mistakes(data, check_names)]
    try:
        parse_fleet(data.get("fleet", {}))
    except ConfigError as error:
        mistakes.append(error)
    document = {
        "schema": 1, "file": file, "keys": len(data),
        "mistakes": [{"message": one.message, "remedy": one.remedy} for one in mistakes],
    }  # fmt: skip
    lines = [text for one in mistakes for text in (one.message, f"→ {one.remedy}")]
    number = f"{len(data)} key{'' if len(data) == 1 else 's'}"
    show(options, write, document, lines or [f"{file}: [tool.release] is valid: {number if data else 'all defaults'}"])
    return Exit.USAGE if mistakes else Exit.DONE


def _require_valid(data: Mapping[str, Any]) -> None:
    from release.checks.all_checks import check_names
    from release.core.config import parse_config

    parse_config(data, check_names)


def _load(options: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The file, and its `[tool.release]`. Raises `ConfigError` where it is not readable."""
    from release.adapters.project_config import load_toml

    path = options.config or options.directory / "pyproject.toml"
    if not path.is_file() and options.config is None:
        return str(path), {}
    tool = load_toml(path).get("tool", {})
    table = tool.get("release", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"tool.release in {quote_path(path)} is not a table", remedy="write [tool.release]")
    return str(path), table


def _to_lines(settings: tuple[Setting, ...], file: str, variables: Mapping[str, str]) -> Iterator[str]:
    """TOML, with the origin of each value as a comment."""
    import tomlkit

    table = None
    for one in settings:
        if one.table != table:
            yield from ([] if table is None else [""])
            yield f"[{'.'.join(filter(None, ('tool.release', one.table)))}]"
            table = one.table
        if one.value is None:
            yield f"# {one.key}: not set"
        else:
            text = tomlkit.item(one.value).as_string().strip()
            yield f"{one.key} = {text}  # {file if one.is_set else 'default'}"
    for name, value in variables.items():
        yield f"# ${name}: {value}"


def _schema() -> dict[str, Any]:
    from pypi_preflight.config_schema import config_schema

    return config_schema()


def _pyproject_schema() -> dict[str, Any]:
    """The schema for a whole pyproject.toml, which says nothing of other tables."""
    schema = _schema()
    tool = {"type": "object", "properties": {"release": {key: one for key, one in schema.items() if key[0] != "$"}}}
    return {
        "$schema": schema["$schema"], "title": "pyproject.toml with [tool.release]", "type": "object",
        "properties": {"tool": tool},
    }  # fmt: skip


COMMANDS = {"config": Command(_add_arguments, _config, READS_PROJECT)}
