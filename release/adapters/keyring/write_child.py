"""Writes to the keyring, in a process of its own: an unlock prompt that nobody answers blocks for ever.

Reads a request as JSON from stdin, the secret in it, and writes the answer as the last line of stdout.
Run by path, with `-P`, so that no `keyring.py` beside it or in the current directory is taken for the
library.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    """Answer one request."""
    request, output = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr  # whatever a backend prints is no answer
    output.write(f"\n{json.dumps(_answer(request))}\n")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        import keyring
        from keyring.errors import KeyringLocked, NoKeyringError
    except ImportError:
        return {"state": "not installed", "backend": ""}
    name = ""
    try:
        backend = keyring.get_keyring()
        name = type(backend).__module__.removeprefix("keyring.backends.")
        if name in {"fail", "null"}:  # null would take it, and keep nothing
            return {"state": "no backend", "backend": name}
        return {"backend": name, **_do(backend, request)}
    except NoKeyringError:
        return {"state": "no backend", "backend": name}
    except KeyringLocked:
        return {"state": "locked", "backend": name}
    except Exception as error:  # noqa: BLE001 - a backend, which the user may name, raises what it likes
        return {"state": "broken", "backend": name, "error": type(error).__name__}


def _do(backend: Any, request: dict[str, Any]) -> dict[str, Any]:
    service, username = request["service"], request["username"]
    if request["do"] == "remove":
        backend.delete_password(service, username)
        return {"state": "done"}
    readable = _readable(backend)
    if readable and not request["insecure"]:
        return {"state": "insecure", "why": readable}
    backend.set_password(service, username, request["password"])
    return {"state": "done"}


def _readable(backend: Any) -> str:
    """The backend, or the one in a chain, that keeps secrets where any program can read them; empty where none does.

    Observed: keyrings.alt 5.0, 2026-11: beside another backend it makes the chain the default, which
    writes to the first that takes it.
    """
    if type(backend).__name__.startswith("Plaintext"):
        return f"{type(backend).__module__}.{type(backend).__name__}"
    return next(filter(None, map(_readable, getattr(backend, "backends", ()))), "")


if __name__ == "__main__":
    main()
