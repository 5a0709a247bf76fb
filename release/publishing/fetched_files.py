"""The files of a published release while they are downloaded: what needs one of them can begin before the last."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path

from msgspec.structs import replace

from release.adapters import collect
from release.adapters.http.kept_sessions import KeptSessions
from release.adapters.index import simple_api
from release.adapters.system.system import explain_os_errors
from release.core.errors import UnreachableError
from release.core.events import Observer, Progress
from release.core.facts import BuiltFile
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution
from release.core.models.index import IndexFile


class FetchedFiles(Mapping[str, BuiltFile | Unknown]):
    """File name → the fetched bytes. Each value is waited for; there is none once the downloads were given up."""

    def __init__(self, files: Iterable[IndexFile], *, into: Path, notify: Observer) -> None:
        self._files = {file.filename: file for file in files}
        self._into, self._notify = into, notify
        self._results: dict[str, Future[tuple[Distribution, BuiltFile] | Unknown]]
        self._results = {filename: Future() for filename in self._files}
        self._lock = threading.Lock()
        self._left, self._next = dict.fromkeys(self._files), deque[str]()

    def __getitem__(self, filename: str) -> BuiltFile | Unknown:
        """The file, which is the next one to be downloaded."""
        self._next.append(filename)
        found = self._wait(filename)
        return found if isinstance(found, Unknown) else found[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def downloaded(self) -> Iterator[tuple[Distribution, BuiltFile]]:
        """The files that could be downloaded, in the order of the page."""
        for filename in self._files:
            found = self._wait(filename)
            if not isinstance(found, Unknown):
                yield found

    def download(self, sessions: KeptSessions) -> None:
        """Download files until none is left; several threads can. Raises `ReleaseError` where one cannot be written."""
        with sessions.used_here():
            while (filename := self._choose()) is not None:
                result = self._results[filename]
                try:
                    result.set_result(self._download(self._files[filename]))
                except BaseException:
                    result.cancel()
                    self.give_up()
                    raise

    def give_up(self) -> None:
        """Cancel the downloads that have not begun."""
        with self._lock:
            left, self._left = self._left, {}
        for filename in left:
            self._results[filename].cancel()

    def _choose(self) -> str | None:
        with self._lock:
            while self._next:
                if (filename := self._next.popleft()) in self._left:
                    break
            else:
                filename = next(iter(self._left), "")
            self._left.pop(filename, None)
            return filename or None

    def _wait(self, filename: str) -> tuple[Distribution, BuiltFile] | Unknown:
        try:
            return self._results[filename].result()
        except CancelledError:
            raise KeyError(filename) from None

    def _download(self, file: IndexFile) -> tuple[Distribution, BuiltFile] | Unknown:
        """Download a file without comparing its SHA-256: that is a check of its own."""
        self._notify(Progress(text=f"downloading {file.filename}", unit="files"))
        try:
            with explain_os_errors("the temporary directory"):
                fetched = simple_api.download_file(replace(file, sha256=None), self._into)
        except UnreachableError as error:
            reason = f"cannot download {file.filename!r}: {error.message}"
            return Unknown(reason=reason, remedy=error.remedy, cause=error.cause)
        return fetched, collect.describe_file(fetched)
