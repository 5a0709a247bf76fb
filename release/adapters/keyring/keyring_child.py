"""A child program that reads and writes the keyring, because an unanswered unlock prompt blocks forever.

It loads the library first. Then it reads requests, one line of JSON each, from stdin, and writes each response as a
line of JSON to stdout, until stdin ends:

    → {"service", "username", "default", "own": [user, …], "near": [service, …], "users": [user, …]}
    → {"do": "keep", "service", "username", "password", "insecure"}   or {"do": "remove", "service", "username"}
    ← {"is": "answer", "state", "backend", …}   answered, done, insecure, locked, broken, no backend, not installed

Run by path, with `-P`, so that no `keyring.py` next to it or in the current directory is imported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

#: user names of entries for one project's own token start with one of these
_ONE_PROJECT = ("__token__:", "pypi_token:project:")


def main() -> bool:
    """Answer requests; returns whether one of them has changed the keyring."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a backend prints is not a response
    backend: Any = None
    changed = False

    def load() -> dict[str, Any]:
        nonlocal backend
        import keyring

        backend = keyring.get_keyring()
        return {"backend": str(type(backend).__module__.removeprefix("keyring.backends."))}

    loaded = _try(load)
    if loaded.get("backend") in {"fail", "null"}:  # null accepts everything and stores nothing
        loaded["state"] = "no backend"
    while line := sys.stdin.readline():
        request = json.loads(line)
        act = _write if "do" in request else _read
        changed = changed or "do" in request
        answer = loaded if "state" in loaded else loaded | _try(lambda act=act, r=request: act(backend, r))  # type: ignore[misc]
        output.write(json.dumps({"is": "answer", **answer}) + "\n")
        output.flush()
    return changed


def _try(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of `act`; if it fails, the state that says how."""
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
    except Exception as error:  # noqa: BLE001 - a backend, which the user may choose, raises anything
        return {"state": "broken", "error": type(error).__name__}


def _read(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The entries of the users in `own`, and the one that twine would read; without any, similar entries.

    Where twine asks for no user in particular, the backend may return an entry for one project, which only twine would
    then use: `first`.
    """
    service, username = request["service"], request["username"]
    found: dict[str, Any] = {"state": "answered", "password": None, "first": None}
    found["own"] = [[one, text] for one in request["own"] if (text := backend.get_password(service, one)) is not None]
    if username is None:
        first = backend.get_credential(service, None)
        if first is not None and not first.username.startswith(_ONE_PROJECT):
            return found | {"username": first.username, "password": first.password}
        found["first"] = [first.username, first.password] if first is not None else None
        username = request["default"]
    password = backend.get_password(service, username)
    if password is not None or found["own"]:
        return found | {"username": username, "password": password}
    near = [*_similar(backend, service, request["users"])]
    for one in request["near"]:
        # The keychain of macOS cannot search for the entry of any user.
        users = request["users"] if sys.platform == "darwin" else []
        near += _similar(backend, one, [username, *request["own"], *users])
    return found | {"near": near}


def _similar(backend: Any, service: str, users: list[str]) -> Iterator[dict[str, Any]]:
    """The entries of a service: of any user, where the backend can search for one, and of these."""
    other = backend.get_credential(service, None)
    if other is not None:
        yield {"service": service, "username": other.username, "password": other.password}
    for user in users:
        password = backend.get_password(service, user) if other is None or user != other.username else None
        if password is not None:
            yield {"service": service, "username": user, "password": password}


def _write(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    service, username = request["service"], request["username"]
    if request["do"] == "remove":
        backend.delete_password(service, username)
        return {"state": "done"}
    readable = _plaintext_backend(backend)
    if readable and not request["insecure"]:
        return {"state": "insecure", "why": readable}
    backend.set_password(service, username, request["password"])
    return {"state": "done"}


def _plaintext_backend(backend: Any) -> str:
    """The backend, or the one in a chain, that stores secrets in a readable file; empty if there is none.

    Observed: keyrings.alt 5.0, 2026-11: with another backend installed, the default is a chain, which writes to the
    first that accepts it.
    """
    if type(backend).__name__.startswith("Plaintext"):
        return f"{type(backend).__module__}.{type(backend).__name__}"
    return next(filter(None, map(_plaintext_backend, getattr(backend, "backends", ()))), "")


if __name__ == "__main__" and not main():
    os._exit(0)  # at once, without the cleanup of a backend that was only read
