"""`PYPI_PREFLIGHT_OFFLINE`: the environment in which no index is asked."""

from __future__ import annotations

from collections.abc import Mapping

#: set to anything but "" or "0", it keeps a command from asking an index, as `--offline` does
OFFLINE = "PYPI_PREFLIGHT_OFFLINE"


def is_offline(env: Mapping[str, str]) -> bool:
    """Whether the environment says that no index is to be asked."""
    return env.get(OFFLINE, "") not in {"", "0"}
