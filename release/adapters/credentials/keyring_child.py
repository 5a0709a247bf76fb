"""Asks the keyring, in a process of its own: an unlock prompt that nobody answers blocks for ever.

Loads the library first, then reads one request as a line of JSON from stdin, and writes the answer as
a line of JSON to stdout. Run by path, with `-P`, so that no `keyring.py` beside it or in the current
directory is taken for the library.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

#: a choice, a bus, or a screen that a bus can be started for
_LEADING_TO_ONE = ("PYTHON_KEYRING_BACKEND", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY")


def main() -> None:
    """Answer one request."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a backend prints is no answer
    backend: Any = None

    def load() -> dict[str, Any]:
        nonlocal backend
        import keyring

        backend = keyring.get_keyring()
        return {"backend": _name(backend)}

    state = {"backend": "fail", "state": "no backend"} if _nobody_to_ask(os.environ) else _tried(load)
    line = sys.stdin.readline()
    if not line:
        return
    if "state" not in state and state["backend"] in {"fail", "null"}:
        state["state"] = "no backend"  # null would say that it has nothing, and keep nothing either
    elif "state" not in state:
        state |= {"state": "answered"} | _tried(lambda: _look(backend, json.loads(line)))
    output.write(json.dumps({"is": "answer", **state}) + "\n")
    output.flush()


def _nobody_to_ask(env: Mapping[str, str]) -> bool:
    """Whether the library would find no backend, which it tells only after loading all of them.

    On Linux its own ones speak over the session bus; without one, without anybody's choice and without a
    backend from elsewhere there is none. Observed: keyring 25.7.0, 2026-11.
    """
    if not sys.platform.startswith("linux") or any(env.get(name) for name in _LEADING_TO_ONE):
        return False
    settings = Path(env.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "python_keyring"
    bus = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "bus"
    if settings.exists() or bus.exists():
        return False
    from importlib.metadata import entry_points

    return all(one.value.startswith("keyring.") for one in entry_points(group="keyring.backends"))


def _name(backend: Any) -> str:
    return str(type(backend).__module__.removeprefix("keyring.backends."))


def _tried(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What it gives; where it fails, the state that tells how."""
    try:
        from keyring.errors import KeyringLocked, NoKeyringError
    except ImportError:
        return {"state": "not installed"}
    try:
        return act()
    except NoKeyringError:
        return {"state": "no backend"}
    except KeyringLocked:
        return {"state": "locked"}
    except Exception as error:  # noqa: BLE001 - a backend, which the user may name, raises what it likes
        return {"state": "broken", "error": type(error).__name__}


def _look(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The entry that twine would read, or, where there is none, which entries lie beside it."""
    service, username = request["service"], request["username"]
    if username is None:
        found = backend.get_credential(service, None)
        if found is not None:
            return {"username": found.username, "password": found.password}
        username = request["default"]
    password = backend.get_password(service, username)
    if password is not None:
        return {"username": username, "password": password}
    other = backend.get_credential(service, None)
    near = [one for one in request["near"] if backend.get_password(one, username) is not None]
    return {"password": None, "near": near, "other_username": other.username if other else None}


if __name__ == "__main__":
    main()
    os._exit(0)  # at once: whatever a backend would tidy up, nobody waits for
