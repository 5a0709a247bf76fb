"""Upload files with twine, in a child process that uploads one file after the other.

The child starts at once, so that it imports twine while the caller works, and gets the credential later, over stdin;
its arguments and environment have none. Several workers may run in parallel, each with its own connection.
"""

from __future__ import annotations

import base64
import contextlib
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from msgspec import Struct

import release
from release.adapters.system.own_child import own_child_environment
from release.adapters.system.process import Pipe
from release.adapters.system.program_output import PROCESS_LIMIT_PATTERN
from release.core.child_environment import without_credentials
from release.core.errors import PROCESS_LIMIT, PROCESS_LIMIT_REMEDY, ReleaseError
from release.core.models.credential import Credential
from release.core.models.distribution import (
    Distribution,
    FailureKind,
    Receipt,
    Rejection,
    UnclearResponse,
    UploadResult,
)
from release.core.models.index import Index
from release.core.models.probe import ServerResponse
from release.core.models.secret_location import location_to_text
from release.core.quoting import quote_path
from release.core.shell import quote_word

#: the collector finds nothing while modules are imported; `import_twine` enables it again
_BOOT = (
    "import gc, sys; gc.disable(); sys.path.append(sys.argv[1]); "
    "from release.adapters.twine import twine_worker as child; child.main()"
)
_MEGABYTE = 1_000_000

#: called with (done, total) in bytes of the request's body, ten times a second at most
OnProgress = Callable[[int, int], None]


class UploadLimits(Struct, frozen=True, kw_only=True):
    """Time limits of an upload, in seconds, for an empty file."""

    #: to connect, and to send one block of the body; 1 s more for each MB, 30 s at most
    connect: float = 10
    #: without data before the response, while the server checks the file; 1 s more for each MB
    read: float = 120
    #: in total; 50 s more for each MB: a connection of 20 kB/s is slow, but no failure
    total: float = 300
    #: for the child to start
    start: float = 60

    def timeouts(self, size: int) -> tuple[float, float]:
        more = size / _MEGABYTE
        return self.connect + min(more, 20), self.read + more


class NotSentError(ReleaseError):
    """Nothing was sent: the file has changed since it was built, or twine does not accept it."""


class Worker:
    """A child process that uploads one file at a time; a context manager, not for use by two threads."""

    def __init__(
        self, *, env: Mapping[str, str], limits: UploadLimits | None = None, start: Callable[[], Pipe] | None = None
    ) -> None:
        """`start` starts the child; None: a new process."""
        self._env = without_credentials(env, "twine")
        self._start = start or self._start_process
        self._limits = limits or UploadLimits()
        self._login: tuple[Index, Credential] | None = None
        #: the login that the child has
        self._sent_login: tuple[Index, Credential] | None = None
        self._awake = False
        #: whether the child was killed since the last reading began
        self._killed = False
        #: how much of the current body may have been sent
        self._sent: Literal["nothing", "all"] = "nothing"
        self._pipe: Pipe | None = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child, even during a request."""
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = self._sent_login = None
        self._awake = False

    def kill(self) -> None:
        """End the child at once, from any thread: a `send` that waits for it returns an `Unclear`."""
        self._killed = True
        pipe = self._pipe
        if pipe is not None:
            pipe.kill()

    def wake(self) -> None:
        """Wait until the child has started. Raises `NotSentError` where it cannot."""
        if self._pipe is None:
            self._pipe = self._start()
        if not self._awake:
            from release.adapters.http import http_client  # noqa: F401 - a login needs it, and the child is starting

            try:
                self._pipe.read(self._limits.start)
            except (EOFError, TimeoutError, ValueError) as error:
                why = "it takes too long" if isinstance(error, TimeoutError) else self._pipe.last_error_line()
                remedy = "run: python -m twine --version; reinstall twine if that fails"
                if re.search(PROCESS_LIMIT_PATTERN, why):
                    why, remedy = PROCESS_LIMIT, PROCESS_LIMIT_REMEDY
                raise NotSentError(f"cannot start twine: {why}", remedy=remedy) from None
            self._awake = True

    def login(self, index: Index, credential: Credential) -> None:
        """Set the index and credential; connections are reused while both stay the same.

        Raises `ReleaseError` for a credential that a request cannot carry.
        """
        if self._login == (index, credential):
            return
        for what, text in (("user name", credential.username), ("password", credential.password.reveal())):
            # Without repeating it. Observed: requests 2.34, 2026-11 — encodes HTTP basic authentication as Latin-1,
            # and its error contains the whole password.
            odd = next(((at, c) for at, c in enumerate(text, 1) if ord(c) > 0xFF), None)  # noqa: PLR2004 - Latin-1
            if odd is not None:
                raise ReleaseError(
                    f"the {what} from {location_to_text(credential.origin)} contains U+{ord(odd[1]):04X} "
                    f"as character {odd[0]}",
                    remedy="copy all of it again, and store it again",
                    cause="cred.bom-nonascii",
                )
        self._login = (index, credential)

    def prepare(self, distribution: Distribution) -> None:
        """Let the child read and hash a file that it is likely to send next; does not wait for it."""
        if self._pipe is not None and self._awake:
            with contextlib.suppress(OSError):  # it has exited: the next call finds out
                self._pipe.write({"do": "prepare", "path": str(distribution.path.absolute())})

    def read(self, distributions: Sequence[Distribution]) -> tuple[Distribution, ReleaseError] | None:
        """Let twine read files as for an upload; nothing is sent, and no login is needed.

        Returns the first file that twine refuses, and why. Where the child ends meanwhile, each is read on its own.
        """
        self._killed = False
        size = sum(one.size for one in distributions)
        try:
            pipe = self._running()
            pipe.write({"do": "read", "files": [_request_for(one) for one in distributions]})
            event = pipe.read(self._limits.start + size / _MEGABYTE)
            refused = None if event["is"] == "readable" else distributions[event["at"]]
        except NotSentError as error:
            return distributions[0], error
        except (EOFError, OSError, ValueError, LookupError) as error:
            last = self._pipe.last_error_line() if self._pipe else ""
            self.close()
            if len(distributions) > 1 and not self._killed:
                return next(filter(None, (self.read([one]) for one in distributions)), None)
            return distributions[0], _unreadable(distributions[0], error, last)
        except BaseException:
            self.close()
            raise
        return None if refused is None else (refused, _not_sent(event, refused))

    def send(
        self, distribution: Distribution, *, on_progress: OnProgress = lambda _done, _total: None,
        upcoming: Distribution | None = None,
    ) -> UploadResult:  # fmt: skip
        """Upload one file, in one attempt. After `Unclear`, ask the index by hash.

        `upcoming` is the file that is likely to be next: the child reads and hashes it meanwhile.

        Raises `NotSentError` where the file has other bytes than it should, or twine refuses it.
        """
        if self._login is None:
            raise ValueError("login first")
        index, credential = self._login
        deadline = time.monotonic() + self._limits.total + 50 * distribution.size / _MEGABYTE
        try:
            event = self._request(distribution, upcoming, on_progress, deadline)
        except TimeoutError:
            self.close()
            return _unclear(distribution, "timeout", "not finished within the time limit", sent=self._sent)
        except (EOFError, OSError, ValueError, KeyError):
            last = self._pipe.last_error_line() if self._pipe else ""
            self.close()
            return _unclear(distribution, "worker died", _redacted(last, credential), sent=self._sent)
        except BaseException:
            self.close()  # Ctrl-C: the upload must not continue
            raise
        return _answer(event, distribution, index, credential)

    def _request(
        self, distribution: Distribution, upcoming: Distribution | None, on_progress: OnProgress, deadline: float
    ) -> dict[str, Any]:
        """Let the child send a file; returns its last event. Raises `TimeoutError`, `EOFError`, `OSError`."""
        connect, read = self._limits.timeouts(distribution.size)
        self._sent = "nothing"
        pipe = self._ready()
        request = {**_request_for(distribution), "attestations": list(distribution.attestations)}
        following = str(upcoming.path.absolute()) if upcoming else None
        pipe.write({"do": "send", "timeout": [connect, read], "upcoming": following, **request})
        silence = connect + read + self._limits.connect  # of the child, which has its own time-outs
        while True:
            event = pipe.read(min(silence, deadline - time.monotonic()))
            if event["is"] != "progress":
                return event
            self._sent = "all"  # it may be: the child reports ten times a second at most
            on_progress(event["done"], event["total"])

    def _running(self) -> Pipe:
        """The child, restarted if it has exited. Raises `NotSentError`."""
        if self._pipe is not None and not self._pipe.alive and self._awake:
            self.close()
        self.wake()
        assert self._pipe is not None
        return self._pipe

    def _ready(self) -> Pipe:
        """The child with the current login. Raises `NotSentError`."""
        pipe = self._running()
        if self._sent_login != self._login and self._login is not None:
            from release.adapters.http import http_client

            index, credential = self._login
            way = http_client.route(index.upload_url)
            password = credential.password.reveal()
            login = {"url": index.upload_url, "username": credential.username, "password": password}
            pipe.write({"do": "login", **login, "proxies": dict(way.proxies), "ca": way.ca})
            self._sent_login = self._login
        return pipe

    def _start_process(self) -> Pipe:
        # -P: modules in the current directory must not be imported instead of twine's, nor those of PYTHONPATH.
        root = str(Path(release.__file__).parents[1])
        return Pipe([sys.executable, "-P", "-c", _BOOT, root], own_child_environment(self._env))


def _answer(event: dict[str, Any], distribution: Distribution, index: Index, credential: Credential) -> UploadResult:
    match event["is"]:
        case "reply":
            headers = {name: _redacted(value, credential) for name, value in event["headers"].items()}
            body, reason = (_redacted(event[key], credential) for key in ("body", "reason"))
            return evaluate_response(
                ServerResponse(status=event["status"], reason=reason, body=body, headers=headers), distribution, index
            )
        case "changed" | "refused":
            raise _not_sent({**event, "detail": _redacted(event.get("detail", ""), credential)}, distribution)
        case _:
            kind, detail = event.get("kind", "worker died"), _redacted(event.get("detail", ""), credential)
            return _unclear(distribution, kind, detail, sent=event.get("sent", "all"))


def _request_for(distribution: Distribution) -> dict[str, str]:
    return {"path": str(distribution.path.absolute()), "sha256": distribution.sha256}


def _not_sent(event: Mapping[str, Any], distribution: Distribution) -> NotSentError:
    """The error for a file that has changed, or that twine refuses."""
    if event["is"] == "changed":
        found = f"its SHA-256 is {event['sha256']}" if event["sha256"] else f"it cannot be read: {event['detail']}"
        return NotSentError(
            f"{quote_path(distribution.path)} has changed since it was built: {found}, not {distribution.sha256}",
            remedy="find out what wrote to it, then restore the file or build a new version",
        )
    message = f"twine does not accept {distribution.filename!r}: {event['detail']}"
    return NotSentError(message, remedy=_check_with_twine(distribution))


def _unreadable(distribution: Distribution, error: Exception, last: str) -> NotSentError:
    """The error for a file with which the child ended; `last` is its last line."""
    why = "it takes too long" if isinstance(error, TimeoutError) else last
    message = f"cannot read {distribution.filename!r} with twine: {why}"
    return NotSentError(message, remedy=_check_with_twine(distribution))


def _check_with_twine(distribution: Distribution) -> str:
    return f"run: python -m twine check --strict {quote_word(str(distribution.path))}"


def evaluate_response(reply: ServerResponse, distribution: Distribution, index: Index) -> UploadResult:
    """The result of an upload, from the response of the index.

    Only 200 is success, and the page of PyPI's 200 is "OK": another page comes from a proxy. A response that a retry
    could change (408, 425, 429, 5xx), or that a proxy sent, is unclear; others are rejections.
    """
    status = reply.status
    genuine = reply.is_ok() if index.kind == "warehouse" else not reply.is_html
    if status == 200 and genuine:  # noqa: PLR2004 - twine accepts 202 and 999 too
        return Receipt(filename=distribution.filename, sha256=distribution.sha256)
    words = reply.message()
    if status == 200:  # noqa: PLR2004
        return _unclear(distribution, "unexpected reply", f"200 with a page that is not from {index.name}: {words}")
    if 300 <= status < 400:  # noqa: PLR2004
        where = reply.headers.get("location", "nowhere")
        return Rejection(
            filename=distribution.filename,
            status=status,
            message=f"{words} (redirects to {where!r}; redirects are not followed: set upload-url to the final URL)",
        )
    if 400 <= status < 500 and status not in {407, 408, 425, 429}:  # noqa: PLR2004
        return Rejection(filename=distribution.filename, status=status, message=words)
    if status == 407:  # noqa: PLR2004
        return _unclear(distribution, "proxy", words, retry_after=reply.retry_after)
    return _unclear(distribution, "status", words, status=status, retry_after=reply.retry_after)


def _unclear(  # noqa: PLR0913 - the fields of the response
    distribution: Distribution,
    kind: FailureKind,
    detail: str,
    *,
    status: int | None = None,
    retry_after: float | None = None,
    sent: Literal["nothing", "some", "all"] = "all",
) -> UnclearResponse:
    return UnclearResponse(
        filename=distribution.filename, kind=kind, status=status, detail=detail, retry_after=retry_after, sent=sent
    )


def _redacted(text: str, credential: Credential) -> str:
    """Text of a server or of twine without the password, in both forms that were sent, and without those in URLs."""
    password = credential.password.reveal()
    pair = base64.b64encode(f"{credential.username}:{password}".encode("latin-1", "replace")).decode()
    for secret in (pair, password):
        text = text.replace(secret, "***") if secret else text
    return re.sub(r"//[^/@\s]+@", "//***@", text)
