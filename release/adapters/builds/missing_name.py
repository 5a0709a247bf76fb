"""A project whose pyproject.toml cannot be built for lack of a name."""

from __future__ import annotations

from pathlib import Path

from release.adapters.builds import builder
from release.core.errors import ConfigError
from release.core.models.check_result import Unknown
from release.core.quoting import quote_path


def explain_missing_name(directory: Path) -> Unknown | None:
    """Why the name is not known, if `[project]` has none, which no other table may state in its place.

    Source: PEP 621, "name": required, and never dynamic. Poetry reads its own table as well.
    """
    try:
        document = builder.load_pyproject(directory)
    except ConfigError:
        return None
    project, tools = document.get("project"), document.get("tool")
    poetry = isinstance(tools, dict) and "poetry" in tools
    if not isinstance(project, dict) or "name" in project or poetry:
        return None
    path = quote_path(directory / "pyproject.toml")
    return Unknown(reason=f"[project] in {path} has no name", remedy='add it to [project]: name = "NAME"')
