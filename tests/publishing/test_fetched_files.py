"""Files that are waited for while they are downloaded: their order, what fails, and what is given up."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from release.adapters.http.kept_sessions import KeptSessions
from release.adapters.index import simple_api
from release.core.errors import ReleaseError, UnreachableError
from release.core.events import Event, Progress
from release.core.facts import BuiltFile
from release.core.models.check_result import Unknown
from release.core.models.distribution import Distribution
from release.core.models.index import IndexFile
from release.publishing.fetched_files import FetchedFiles

NAMES = ("a.whl", "b.whl", "c.whl", "d.whl")
FILES = [IndexFile(filename=one, url=f"http://127.0.0.1:9/{one}", sha256="a" * 64) for one in NAMES]
Download = Callable[[IndexFile], None]


class Downloads:
    """Downloads that take no time; `before` is called first."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.before: Download = lambda _: None

    def __call__(self, file: IndexFile, into: Path) -> Distribution:
        assert file.sha256 is None, "another hash is a finding, not a failure"
        self.asked.append(file.filename)
        self.before(file)
        return Distribution(path=into / file.filename, sha256="b" * 64, size=1)


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    made = Downloads()
    monkeypatch.setattr(simple_api, "download_file", made)
    return made


@pytest.fixture
def sessions() -> Iterator[KeptSessions]:
    with closing(KeptSessions()) as made:
        yield made


def fetched(told: list[Event] | None = None, files: list[IndexFile] = FILES) -> FetchedFiles:
    return FetchedFiles(files, into=Path("scratch"), notify=(told if told is not None else []).append)


def test_all_files_in_the_order_of_the_page(downloads: Downloads, sessions: KeptSessions) -> None:
    told: list[Event] = []
    files = fetched(told)
    files.download(sessions)
    assert tuple(downloads.asked) == NAMES
    assert told == [Progress(text=f"downloading {name}", unit="files") for name in NAMES]
    assert [(one.filename, file.sha256) for one, file in files.downloaded()] == [(name, "b" * 64) for name in NAMES]
    found = files["c.whl"]
    assert isinstance(found, BuiltFile)
    assert (found.filename, found.size, found.sha256) == ("c.whl", 1, "b" * 64)
    assert (tuple(files), len(files)) == (NAMES, 4)


def waited_for(files: FetchedFiles, filename: str, got: list[object]) -> threading.Thread:
    """Wait for a file in a thread, and return once it does."""
    thread = threading.Thread(target=lambda: got.append(files.get(filename, "given up")), daemon=True)
    thread.start()
    while filename not in files._next:
        time.sleep(0.01)
    return thread


def test_a_file_that_is_waited_for_is_the_next_one(downloads: Downloads, sessions: KeptSessions) -> None:
    files, got, waits = fetched(), list[object](), list[threading.Thread]()

    def before(file: IndexFile) -> None:
        if file.filename == "a.whl":
            waits.append(waited_for(files, "c.whl", got))

    downloads.before = before
    files.download(sessions)
    waits[0].join(60)
    assert downloads.asked == ["a.whl", "c.whl", "b.whl", "d.whl"]
    assert isinstance(got[0], BuiltFile)


def test_a_file_that_does_not_come_is_unknown_and_the_others_come(downloads: Downloads, sessions: KeptSessions) -> None:
    def before(file: IndexFile) -> None:
        if file.filename == "b.whl":
            raise UnreachableError("no answer", remedy="wait", cause="net.timeout-reset")

    downloads.before = before
    files = fetched()
    files.download(sessions)
    assert files["b.whl"] == Unknown(
        reason="cannot download 'b.whl': no answer", remedy="wait", cause="net.timeout-reset"
    )
    assert [one.filename for one, _ in files.downloaded()] == ["a.whl", "c.whl", "d.whl"]


def test_a_full_disk_ends_the_downloads_and_all_waiting(downloads: Downloads, sessions: KeptSessions) -> None:
    def before(file: IndexFile) -> None:
        if file.filename == "b.whl":
            raise OSError(errno.ENOSPC, "No space left on device")

    downloads.before = before
    files, got = fetched(), list[object]()
    waits = [waited_for(files, name, got) for name in ("b.whl", "d.whl")]
    with pytest.raises(ReleaseError, match="cannot use the temporary directory"):
        files.download(sessions)
    for one in waits:
        one.join(60)
    assert got == ["given up", "given up"]
    assert downloads.asked == ["b.whl"]


def test_downloads_that_are_given_up_end_after_the_present_file(downloads: Downloads, sessions: KeptSessions) -> None:
    files = fetched()
    downloads.before = lambda _: files.give_up()
    files.download(sessions)
    assert downloads.asked == ["a.whl"]
    assert isinstance(files["a.whl"], BuiltFile), "it was complete"
    assert files.get("b.whl") is None


def test_a_name_that_is_listed_twice_is_downloaded_once(downloads: Downloads, sessions: KeptSessions) -> None:
    """The last one counts; its bytes are compared with both hashes."""
    last = IndexFile(filename="a.whl", url="http://127.0.0.1:9/other", sha256="c" * 64)
    files, urls = fetched(files=[*FILES, last]), list[str]()
    downloads.before = lambda file: urls.append(file.url)
    files.download(sessions)
    assert tuple(downloads.asked) == NAMES
    assert urls[0] == last.url
