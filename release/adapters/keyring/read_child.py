"""Asks the keyring, in a process of its own: an unlock prompt that nobody answers blocks for ever.

Loads the library first, then reads requests, each a line of JSON, from stdin, and writes each answer as
a line of JSON to stdout, until stdin ends. Run by path, with `-P`, so that no `keyring.py` beside it or in the current
directory is taken for the library.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Answer requests."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a backend prints is no answer
    backend: Any = None

    def load() -> dict[str, Any]:
        nonlocal backend
        import keyring

        backend = keyring.get_keyring()
        return {"backend": _name(backend)}

    state = _tried(load)
    if "state" not in state and state["backend"] in {"fail", "null"}:
        state["state"] = "no backend"  # null would say that it has nothing, and keep nothing either
    while line := sys.stdin.readline():
        answer = state if "state" in state else state | {"state": "answered"} | _asked(backend, line)
        output.write(json.dumps({"is": "answer", **answer}) + "\n")
        output.flush()


def _asked(backend: Any, line: str) -> dict[str, Any]:
    return _tried(lambda: _look(backend, json.loads(line)))


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
