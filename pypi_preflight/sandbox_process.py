"""Sandboxes in a process of their own, for tests: nothing of this program is imported by the process that tests.

So a project's own module `release`, a frozen clock, blocked sockets or filtered warnings of a test do not reach the
index, and its threads and lazy imports do not reach the test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

_PROGRAM = (
    "import sys; sys.path.append(sys.argv.pop(1)); from pypi_preflight.command_line import prepare_imports;"
    " prepare_imports(); from release.sandbox.sandbox_host import main; main()"
)
#: seconds until a process that was asked to end is killed
_END = 10
#: how a token of PyPI begins, wherever it stands in a variable
_BEGINNING = "pypi-AgE"
#: variables that make a tool believe that it runs in a CI job, and ask that job's service for an identity
_CI = ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE")
#: variables that name files and directories with credentials, which are below the home directory without them
_PLACES = ("NETRC", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
#: variable → folder below the home directory that it names by default, if that exists: what is found again with another
#: home directory, and holds no credentials
_KEPT = {"XDG_CACHE_HOME": ".cache", "PYENV_ROOT": ".pyenv", "RUSTUP_HOME": ".rustup"}
_LOOPBACK = "127.0.0.1,localhost,::1"


class SandboxError(Exception):
    """A request to the sandbox was wrong: the message says what, and what to do."""


class LoggedRequest(Struct, frozen=True, kw_only=True):
    """A request to the sandbox, and its answer."""

    method: str
    #: without the query
    path: str
    #: None if the client received no answer
    status: int | None
    reason: str
    #: aware, UTC
    time: datetime
    #: the account; None if the token was not known
    username: str | None
    #: as in the form or the URL; None if neither names one
    project: str | None
    filename: str | None
    #: whether an upload came with attestations
    attested: bool
    #: the names of the faults that were applied
    faults: Sequence[str]


class SandboxProcess:
    """The process that runs the sandboxes; leaving its context ends it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, str(Path(__file__).resolve().parents[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        pattern = self._answer()["credential_variables"]
        self._credentials = re.compile(pattern, re.VERBOSE | re.IGNORECASE)

    def start(self, world: Any, faults: Any = None, *, tls: bool = False) -> PypiSandbox:
        """Start an index with that world (a dict), and faults (a list) in addition to those of the world.

        Raises SandboxError for a mistake in them, also for values of other types.
        """
        if not isinstance(world, Mapping):
            raise SandboxError(f"world must be a dict, not {world!r}: correct the marker or pypi_sandbox_world")
        if isinstance(faults, Mapping | str):
            raise SandboxError(f"faults must be a list, not {faults!r}: write [{{...}}]")
        if faults:
            world = {**world, "faults": [*(world.get("faults") or ()), *faults]}
        return PypiSandbox(self, self.ask(do="start", world=world, tls=bool(tls)))

    def ask(self, **request: Any) -> Any:
        """Return the result of a request. Raises SandboxError."""
        try:
            line = json.dumps(request).encode() + b"\n"
        except (TypeError, ValueError) as error:
            raise SandboxError(f"{error}: use only values that JSON has") from None
        with self._lock:
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(line)
                self._process.stdin.flush()
            except OSError:
                raise self._ended() from None
            return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if "error" in answer:
            raise SandboxError(f"{answer['error']}: {answer['remedy']}")
        return answer["result"]

    def _ended(self) -> SandboxError:
        self.close()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace").strip()
        self._errors.close()
        return SandboxError(f"the process of the sandbox has ended: {text or 'without a message'}")

    def environment(self, environ: Mapping[str, str], home: Path) -> dict[str, str | None]:
        """The variables to change so that uploaders use nothing that this machine has; None removes one.

        `home` is an empty directory: without `.pypirc`, `.netrc` and configuration of tools.
        """
        hidden = [name for name, text in environ.items() if self._credentials.match(name) or _BEGINNING in text]
        unset = [*hidden, *(name for name in (*_CI, *_PLACES) if name in environ)]
        changes: dict[str, str | None] = dict.fromkeys(unset)
        real = Path(environ.get("HOME") or environ.get("USERPROFILE") or os.sep)
        kept = {name: real / part for name, part in _KEPT.items() if name not in environ}
        without_proxy = ",".join(filter(None, (environ.get("NO_PROXY") or environ.get("no_proxy"), _LOOPBACK)))
        changes |= {name: str(place) for name, place in kept.items() if place.is_dir()}
        changes |= {"HOME": str(home), "USERPROFILE": str(home), "APPDATA": str(home)}
        changes |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        return changes | {"NO_PROXY": without_proxy, "no_proxy": without_proxy}

    def close(self) -> None:
        """End the process; a second call does nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # an unfinished request cannot be written any more
            self._process.stdin.close()
        try:
            self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._errors.close()


class PypiSandbox:
    """A running index, for one test."""

    def __init__(self, process: SandboxProcess, started: Mapping[str, Any]) -> None:
        self._process, self._id = process, started["id"]
        #: for `twine upload --repository-url`, `uv publish --publish-url`
        self.upload_url: str = started["upload_url"]
        #: for `pip install --index-url`
        self.simple_url: str = started["simple_url"]
        #: the JSON API is at `<json_url><name>/json`
        self.json_url: str = started["json_url"]
        #: where another process adds faults
        self.control_url: str = started["control_url"]
        #: by name; without a world: `account`, the token of a user who owns no project yet
        self.tokens: Mapping[str, str] = started["tokens"]
        #: the variables of a CI job with an identity, for trusted publishing
        self.ambient: Mapping[str, str] = started["ambient"]
        #: the certificate to trust; None without TLS
        self.ca_file = Path(started["ca_file"]) if started["ca_file"] else None
        #: the variables with which clients trust it; empty without TLS
        self.ca_environment: Mapping[str, str] = started["ca_environment"]

    def files(self, project: str | None = None) -> list[str]:
        """The names of the files that the index has, in the order of their uploads."""
        found: list[str] = self._do("files", project)
        return found

    @property
    def log(self) -> list[LoggedRequest]:
        """All requests that were answered so far, in order."""
        return [LoggedRequest(**(one | {"time": datetime.fromisoformat(one["time"])})) for one in self._do("log")]

    def history(self, project: str) -> list[str]:
        """The lines of a project's security history, in order."""
        found: list[str] = self._do("history", project)
        return found

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The active faults."""
        found: list[dict[str, Any]] = self._do("faults")
        return found

    def inject(self, *faults: Mapping[str, Any]) -> None:
        """Add faults, each as in a world; they count from the next request."""
        self._do("inject", *faults)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._do("clear_faults")

    def delete_file(self, filename: str) -> None:
        """Delete a file, as a maintainer does on the site: its name stays used for ever."""
        self._do("delete_file", filename)

    def yank(self, project: str, version: str, reason: str | None = "") -> None:
        """Yank a release, as its maintainer does on the site, or unyank it with None."""
        self._do("yank", project, version, reason)

    def revoke(self, token: str) -> None:
        """Delete a token by its name, as its user does on the site."""
        self._do("revoke", token)

    def close(self) -> None:
        """Stop the index and delete what it has."""
        self._process.ask(do="stop", id=self._id)

    def _do(self, word: str, *arguments: Any) -> Any:
        return self._process.ask(do=word, id=self._id, arguments=arguments)
