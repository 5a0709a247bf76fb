"""The user's state directory: what this program stores between runs, outside of projects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: the environment variable that names another directory
STATE_VARIABLE = "PYPI_PREFLIGHT_STATE"


def state_directory(env: Mapping[str, str], chosen: Path | None = None) -> Path:
    """Return the state directory: `chosen`, that of the variable, or the user's state directory."""
    if chosen is not None or env.get(STATE_VARIABLE):
        return chosen or Path(env[STATE_VARIABLE])
    from platformdirs import user_state_path

    return user_state_path("pypi-preflight", appauthor=False)
