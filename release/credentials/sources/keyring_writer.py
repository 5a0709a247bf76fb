"""Keeping a token in the system's keyring, and taking one away: each in a child process with a time limit.

What was written is read back by the reader that uploads use: some backends take everything and keep
nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from release.adapters.system.process import TimedOutError, run_program
from release.core.errors import ReleaseError
from release.core.models.credential import Credential, Origin
from release.core.models.index import Index
from release.core.models.secret_location import KeyringEntry
from release.core.secret import Secret
from release.credentials.sources import configured_locations, keyring
from release.credentials.sources.base import Found

_CHILD = Path(__file__).parents[2] / "adapters" / "keyring" / "write_child.py"
_USERNAME = "__token__"
_WITHOUT = "without a keyring, hand the token over as TWINE_PASSWORD, with TWINE_USERNAME=__token__"


def keep(
    index: Index, secret: Secret, env: Mapping[str, str], *, insecure: bool = False, limit: float = keyring.LIMIT
) -> Origin:
    """Keep a token where uploads to `index` look for it, and read it back. Tells where it is now.

    The service is the upload URL to the letter, the user `__token__`. A backend that keeps secrets in
    a readable file is refused unless `insecure`. The keyring has `limit` seconds for each of the two.
    Raises ReleaseError, with the cause where it is a known one.
    """
    request = {"do": "keep", "service": index.upload_url, "insecure": insecure, "password": secret.reveal()}
    backend = _ask(request, env, limit)
    found = keyring.find(index, env, _USERNAME, limit=limit)
    if not isinstance(found, Found) or found.password != secret or found.origin is None:
        raise _not_given_back(backend)
    return found.origin


def put(
    entry: KeyringEntry, secret: Secret, env: Mapping[str, str], *, insecure: bool = False, limit: float = keyring.LIMIT
) -> None:
    """Let an entry have a token, and read it back. Raises ReleaseError as `keep` does."""
    request = {"do": "keep", "service": entry.service, "username": entry.username, "insecure": insecure}
    backend = _ask({**request, "password": secret.reveal()}, env, limit)
    had = configured_locations.of_keyring([entry], env, limit=limit)[entry].resolution.credential
    if not isinstance(had, Credential) or had.password != secret:
        raise _not_given_back(backend)


def _not_given_back(backend: str) -> ReleaseError:
    return ReleaseError(
        f"the keyring ({backend}) took the token, and does not give it back", remedy=_WITHOUT,
        cause="keyring.no-backend",
    )  # fmt: skip


def remove(service: str, username: str, env: Mapping[str, str], *, limit: float = keyring.LIMIT) -> None:
    """Take one entry out of the keyring. Raises ReleaseError as `keep` does."""
    _ask({"do": "remove", "service": service, "username": username}, env, limit)


def _ask(request: dict[str, Any], env: Mapping[str, str], limit: float) -> str:
    """The name of the backend that did it."""
    argv = [sys.executable, "-P", str(_CHILD)]
    try:
        text = json.dumps({"username": _USERNAME, **request})
        done = run_program(argv, env=env, timeout=limit, input=text, apart=True)
        answer: dict[str, Any] = json.loads(done.output.rstrip().rpartition("\n")[2])
    except TimedOutError:
        raise ReleaseError(
            f"the keyring did not answer within {limit:g} s; it may be waiting for somebody to unlock it",
            remedy=f"unlock it, then run the same command again; {_WITHOUT}",
            cause="keyring.hang",
        ) from None
    except ValueError:
        answer = {"state": "broken", "backend": "", "error": f"exit status {done.status}"}
    if answer["state"] != "done":
        raise _failed(answer)
    return str(answer["backend"])


def _failed(answer: dict[str, Any]) -> ReleaseError:
    backend = answer["backend"]
    match answer["state"]:
        case "insecure":
            return ReleaseError(
                f"the keyring would write the token into a readable file: its backend is {answer['why']!r}",
                remedy="choose another: export PYTHON_KEYRING_BACKEND=…, from those that keyring --list-backends "
                "shows; or accept it: --insecure-backend",
            )
        case "locked":
            return ReleaseError(
                f"the keyring ({backend}) is locked",
                remedy="unlock it, then run the same command again",
                cause="keyring.hang",
            )
        case "broken":
            return ReleaseError(
                f"the keyring ({backend or 'no backend'}) failed: {answer['error']}",
                remedy="run: keyring --list-backends; if PYTHON_KEYRING_BACKEND is set, correct or unset it",
                cause="keyring.no-backend",
            )
        case state:
            why = "the keyring library is not installed" if state == "not installed" else f"its backend is {backend!r}"
            return ReleaseError(f"no keyring can be used: {why}", remedy=_WITHOUT, cause="keyring.no-backend")
