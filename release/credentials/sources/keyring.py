"""The system's keyring, asked in a child process with a time limit.

Observed: twine 7.0.0 and keyring 25.7, 2026-11: the service is the upload URL to the letter, slash
included; for PyPI and TestPyPI the user is `__token__`, for others twine takes the user that the
keyring names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from release.adapters.keyring import keyring_process
from release.adapters.system.json_pipe import Pipe
from release.core.models.credential import Origin
from release.core.models.finding import Finding, Unknown
from release.core.models.index import Index, host_of
from release.core.secret import Secret
from release.credentials.sources.base import Found

#: seconds
LIMIT = 10.0

_USERNAME = "__token__"


def find(
    index: Index, env: Mapping[str, str], username: str | None, *, limit: float = LIMIT, child: Pipe | None = None
) -> Found | Unknown | None:
    """The keyring's entry for an index. `username` None: whichever user the keyring has.

    `child` is one that was started already; it can be asked once.
    """
    request = {
        "service": index.upload_url,
        "username": username,
        "default": _USERNAME,
        "near": list(near_misses(index)),
    }
    try:
        answer = _ask(request, child or keyring_process.start_keyring(env), limit)
    except TimeoutError:
        return Unknown(
            reason=f"the keyring did not answer within {limit:g} s; it may be waiting for somebody to unlock it",
            remedy="unlock it, or do without: export PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring",
            cause="keyring.hang",
        )
    return _found(index, answer, username)


def near_misses(index: Index) -> Iterator[str]:
    """Service names under which people store a token that twine then does not find."""
    site = index.simple_url.removesuffix("simple/")
    names = (
        index.upload_url.rstrip("/"),
        f"{site}legacy/",
        f"{site}legacy",
        index.simple_url,
        site,
        site.rstrip("/"),
        host_of(index.upload_url),
        host_of(index.simple_url),
        index.name,
    )
    yield from (name for name in dict.fromkeys(names) if name and name != index.upload_url)


def _ask(request: dict[str, Any], child: Pipe | None, limit: float) -> dict[str, Any]:
    """The child's answer. Raises `TimeoutError`."""
    if child is None:
        return {"state": "no backend", "backend": "fail"}
    with closing(child):
        try:
            child.write(request)
            return child.read(limit)
        except (EOFError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            return {"state": "broken", "error": child.last_words()}


def _found(index: Index, answer: dict[str, Any], asked: str | None) -> Found | Unknown | None:
    backend = answer.get("backend", "none")
    match answer["state"]:
        case "answered" if answer["password"] is not None:
            user = answer["username"]
            where = f"keyring ({backend}), service {index.upload_url!r}, user {user!r}"
            origin = Origin(kind="keyring", detail=where)
            return Found(username=user, username_origin=origin, password=Secret(answer["password"]), origin=origin)
        case "answered":
            remarks = tuple(_beside(index, answer, asked or _USERNAME))
            return Found(remarks=remarks) if remarks else None
        case "locked":
            return Unknown(
                reason=f"the keyring ({backend}) is locked",
                remedy="unlock it, then run the same command again",
                cause="keyring.hang",
            )
        case "broken":
            return Unknown(
                reason=f"the keyring failed: {answer['error']}",
                remedy="run: keyring --list-backends; if PYTHON_KEYRING_BACKEND is set, correct or unset it",
                cause="keyring.no-backend",
            )
        case _:
            return Found(remarks=(_no_backend(answer["state"], backend),))


def _no_backend(state: str, backend: str) -> Finding:
    why = "the keyring library is not installed" if state == "not installed" else f"its backend is {backend!r}"
    return Finding(
        message=f"no keyring can be used: {why}",
        remedy="set TWINE_PASSWORD, or run: keyring --list-backends, and install one that this machine can use",
        severity="warn",
        where="keyring",
        cause="keyring.no-backend",
    )


def _beside(index: Index, answer: dict[str, Any], username: str) -> Iterator[Finding]:
    mend = f"run: keyring set {index.upload_url} {username}"
    if answer["near"]:
        yield Finding(
            message=f"the keyring has a token for {answer['near'][0]!r}, and uploads look for {index.upload_url!r}",
            remedy=mend,
            severity="warn",
            where="keyring",
            cause="keyring.service-mismatch",
        )
    if answer["other_username"] not in {None, username}:
        yield Finding(
            message=f"the keyring has a password of user {answer['other_username']!r}, and uploads need {username!r}",
            remedy=mend,
            severity="warn",
            where="keyring",
            cause="keyring.username-mismatch",
        )
