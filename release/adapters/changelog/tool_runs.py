"""How a tool of the project is started: from its environment, from PATH, or by `uv run`."""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from release.adapters.install import installer
from release.adapters.system.program_path import find_program
from release.adapters.system.system import System
from release.core.models.check_result import Finding
from release.core.toml_text import TomlError, parse_toml


def find_tool(system: System, directory: Path, name: str) -> tuple[str, ...] | Finding:
    """The start of the command line of a tool; a finding with the remedy where it is not installed."""
    scripts = "Scripts" if os.name == "nt" else "bin"
    places = [directory / ".venv", directory / "venv"]
    if system.env.get("VIRTUAL_ENV"):
        places.append(Path(system.env["VIRTUAL_ENV"]))
    for place in places:
        if found := find_program(name, str(place.resolve() / scripts)):
            return (found,)
    if found := find_program(name, system.env.get("PATH", "")):
        return (found,)
    if (directory / "uv.lock").is_file() and _is_locked(directory / "uv.lock", name):
        uv = installer.find_uv(system)
        if uv is not None:
            return (str(uv), "run", "--frozen", name)
    if importlib.util.find_spec(name) is not None:
        return (sys.executable, "-P", "-m", name)
    return Finding(
        message=f"the changelog is made by {name}, which is not installed",
        remedy=f"install it: python -m pip install {name}; then run the same command again",
    )


def load_table(path: Path, *keys: str) -> dict[str, Any] | None:
    """A table of a TOML file; None where the file does not exist, is not valid, or has no such table."""
    data: Any = None
    with suppress(OSError, UnicodeDecodeError, TomlError):
        data = parse_toml(path.read_text(encoding="utf-8-sig"))
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else None


def _is_locked(path: Path, name: str) -> bool:
    packages = (load_table(path) or {}).get("package", [])
    return any(isinstance(one, dict) and one.get("name") == name for one in packages)
