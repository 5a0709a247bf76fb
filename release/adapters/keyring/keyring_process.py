"""Start the child process that reads and writes the keyring, early, because the library takes long to load."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.system.own_child import own_child_environment

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

_CHILD = Path(__file__).with_name("keyring_child.py")
_CHOSEN = "PYTHON_KEYRING_BACKEND"
#: backends that hold nothing; the first disables the keyring. Source: keyring's README, "Disabling Keyring"
_EMPTY_BACKENDS = ("keyring.backends.null.Keyring", "keyring.backends.fail.Keyring")
#: a chosen backend, a bus, or a display that a bus can be started for
_BACKEND_VARIABLES = (_CHOSEN, "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")


def start_keyring(env: Mapping[str, str]) -> Pipe | None:
    """A child that answers the requests of `keyring_child`; close it. None: the keyring has no backend.

    It gets the variables that backends of the keyring need, but no token, and imports nothing of the project.
    """
    env = own_child_environment(env)
    return None if _has_no_backend(env) else start_child(env)


def start_child(env: Mapping[str, str]) -> Pipe:
    """The same, even if there is no backend: the child reports that."""
    from release.adapters.system.process import Pipe
    from release.core.child_environment import without_credentials

    return Pipe([sys.executable, "-P", str(_CHILD)], own_child_environment(without_credentials(env, "keyring")))


def _has_no_backend(env: Mapping[str, str]) -> bool:
    """Whether the library would find no backend, which it reports only after it has loaded all of them.

    It finds none where an empty one is chosen. On Linux its own backends use the session bus. Without a bus, a chosen
    backend and other installed backends, there is none. Observed: keyring 25.7.0, 2026-11.
    """
    if env.get(_CHOSEN) in _EMPTY_BACKENDS:
        return True
    found = True
    if sys.platform == "linux" and not any(env.get(name) for name in _BACKEND_VARIABLES):
        home = Path(env.get("HOME") or "~").expanduser()
        settings = Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "python_keyring"
        bus = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
        found = settings.exists() or bus.exists() or any(_installed_backends(env))
    return not found


def _installed_backends(env: Mapping[str, str]) -> Iterator[str]:
    """Installed distributions other than keyring that provide a backend.

    Read from their files, because importing `importlib.metadata` takes longer than all other imports here.
    Source: packaging.python.org, "Entry points specification".
    """
    for place in {*sys.path, *env.get("PYTHONPATH", "").split(os.pathsep)}:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - thousands of names, few of which become paths
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and not name.startswith("keyring-"):
                try:
                    with open(os.path.join(place, name, "entry_points.txt"), "rb") as file:  # noqa: PTH118, PTH123 - the same
                        if b"[keyring.backends]" in file.read():
                            yield name
                except OSError:
                    continue
