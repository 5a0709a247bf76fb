"""Load the configuration of a project, and other files in TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release.core import config as configuration
from release.core.config import Config
from release.core.errors import ConfigError, lower_first
from release.core.quoting import quote_path
from release.core.toml_text import TomlError, parse_toml

if TYPE_CHECKING:
    from pathlib import Path

    from release.core.config import CheckNames


def load_config(
    directory: Path,
    file: Path | None = None,
    *,
    check_names: CheckNames,
    needs_project: bool = True,
    instead: str = "",
) -> Config:
    """The project's configuration. Raises `ConfigError` where there is no project, or the file is invalid.

    `check_names` returns the names that `waive` and `checks` may contain. `instead`: what the command does without a
    project, for the remedy.
    """
    if needs_project:
        from release.adapters import members

        members.require_project(directory, instead=instead)
    path = file or directory / "pyproject.toml"
    if file is None and not path.is_file():
        return Config()
    tool = load_toml(path).get("tool", {})
    table = tool.get("release", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"tool.release in {quote_path(path)} is not a table", remedy="write it as [tool.release]")
    return configuration.parse_config(table, check_names)


def load_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises `ConfigError` where it cannot be read, or is not valid TOML in UTF-8."""
    try:
        return parse_toml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {quote_path(path)}: {error.strerror}", remedy="check the path and its permissions"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{quote_path(path)} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}",
            remedy="save it as UTF-8, the only encoding of TOML",
        ) from None
    except TomlError as error:
        raise ConfigError(
            f"{quote_path(path)} is not valid TOML: {lower_first(str(error))}", remedy="correct that line"
        ) from None


def load_project_name(directory: Path) -> str | None:
    """The project's name from pyproject.toml; None where only the backend knows it."""
    path = directory / "pyproject.toml"
    table = load_toml(path).get("project") if path.is_file() else None
    found = table.get("name") if isinstance(table, dict) else None
    return found if isinstance(found, str) else None
