"""The process that asks the keyring, started before anybody knows what it will be asked.

The library and its backends take longer to load than everything else that a look at credentials needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from release.adapters.system.json_pipe import Pipe

_CHILD = Path(__file__).parent / "read_child.py"
#: a choice, a bus, or a screen that a bus can be started for
_LEADING_TO_ONE = ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")
_GROUP = b"[keyring.backends]"


def start_keyring(env: Mapping[str, str]) -> Pipe | None:
    """A child that loads the keyring, and then waits for one request; close it. None: there is no keyring.

    `env` reaches it whole: PYTHON_KEYRING_BACKEND and the session's bus are named there.
    """
    return None if _nobody_to_ask(env) else Pipe([sys.executable, "-P", str(_CHILD)], env)


def _nobody_to_ask(env: Mapping[str, str]) -> bool:
    """Whether the library would find no backend, which it tells only after loading all of them.

    On Linux its own ones speak over the session bus; without one, without anybody's choice and without a
    backend from elsewhere there is none. Observed: keyring 25.7.0, 2026-11.
    """
    if not sys.platform.startswith("linux") or any(env.get(name) for name in _LEADING_TO_ONE):
        return False
    home = Path(env.get("HOME") or "~").expanduser()
    settings = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "python_keyring"
    bus = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    return not (settings.exists() or bus.exists() or any(_backends_from_elsewhere(env)))


def _backends_from_elsewhere(env: Mapping[str, str]) -> Iterator[str]:
    """Installed distributions that bring a backend, beside keyring itself.

    Read from the files: `importlib.metadata` takes as long to load as all else here.
    Source: packaging.python.org, "Entry points specification".
    """
    for place in {*sys.path, *env.get("PYTHONPATH", "").split(os.pathsep)}:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - thousands of names, of which few become paths
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith("keyring-"):
                try:
                    if _GROUP in Path(place, name, "entry_points.txt").read_bytes():
                        yield name
                except OSError:
                    continue
