"""Uploads survive: whatever goes wrong, each file is there once with its bytes, or the refusal is a true account."""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.twine.twine_process import NotSentError, UploadLimits
from release.core.config import UploadSettings
from release.core.events import Event, Message, Progress
from release.core.models.distribution import Distribution, Receipt, Rejection
from release.publishing.upload.errors import UploadError
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Clash, Drop, Fault, RequestFilter, Slow
from release.sandbox.seed import seed_for_project
from release.sandbox.server import Sandbox
from tests.acceptance.making import tarred
from tests.adapters.loopback_server import closed_port
from tests.patience import PATIENCE
from tests.uploads import PROJECT, Clock, Engine, Pool, closing, release, there

#: for a server that answers, be the machine ever so busy; and for one that keeps silent
LIMITS, SHORT = UploadLimits(), UploadLimits(connect=30, read=2, total=60)
HTML = (("Content-Type", "text/html"),)
PORTAL = "<html><form>Sign in</form></html>"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with closing(Pool(LIMITS)) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Pool]:
    with closing(Pool(SHORT)) as made:
        yield made


#: by the number of their files
Releases = dict[int, list[Distribution]]


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    base = tmp_path_factory.mktemp("releases")
    return {count: release(base / str(count), count) for count in (1, 2, 12, 40)}


# -- order, and side by side -----------------------------------------------------------------------


def test_several_first_files_at_once_would_break_the_index_so_the_first_goes_alone(
    tmp_path: Path, pool: Pool, releases: Releases
) -> None:
    """With a server that has only one of them survive, nothing is lost."""
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        sandbox.inject(Fault(what=Clash(), when=RequestFilter(method="POST", nth=(1, None))))
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(releases[12])
        assert told.error is None
        assert [one.status for one in sandbox.log if one.method == "POST"] == [200] * 12


@pytest.mark.parametrize(("opened", "most"), [(True, 4), (False, 3)])
def test_side_by_side_but_no_more_than_asked_for(tmp_path: Path, releases: Releases, opened: bool, most: int) -> None:
    """Two files need one process, four files three: the first goes alone, unless the release has begun before."""
    for count, wanted in ((2, 2 if opened else 1), (4, most)):
        started = _starting(releases[40][:count], tmp_path, opened=opened)
        assert started == wanted


def _starting(files: Sequence[Distribution], directory: Path, *, opened: bool) -> int:
    pool = Pool(LIMITS)
    with closing(pool), server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        told = Engine(sandbox=sandbox, directory=directory, pool=pool, clock=Clock()).run(files, opened=opened)
        assert told.error is None
        return pool.started


def test_the_journal_tells_each_step_before_and_after_it(tmp_path: Path, pool: Pool, releases: Releases) -> None:
    files = releases[2]
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        sandbox.inject(
            Fault(what=CannedResponse(status=503), when=RequestFilter(method="POST", filename=files[1].filename, nth=1))
        )
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(files)
    steps = [(one["event"], one["file"]) for one in told.journal]
    first, second = (file.filename for file in files)
    assert steps == [
        ("sending", first), ("accepted", first),
        ("sending", second), ("unclear", second), ("sending", second), ("accepted", second),
    ]  # fmt: skip
    assert {one["sha256"] for one in told.journal} == {file.sha256 for file in files}


# -- stopping --------------------------------------------------------------------------------------


def test_a_refusal_stops_what_has_not_begun_and_lets_the_rest_end(
    tmp_path: Path, pool: Pool, releases: Releases
) -> None:
    """What is under way at that moment ends, and is accounted for."""
    files, refused = releases[40], releases[40][1].filename
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        sandbox.inject(
            Fault(what=CannedResponse(status=403, reason="No"), when=RequestFilter(method="POST", filename=refused)),
            *(
                Fault(what=Slow(answer=0.3), when=RequestFilter(method="POST", filename=one.filename))
                for one in files[2:5]
            ),
        )
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(files)
        assert isinstance(told.error, UploadError)
        assert "403 No" in told.error.message
        assert sum(one.method == "POST" for one in sandbox.log) <= 5
        accepted = {one.filename for one in told.answers if isinstance(one, Receipt)}
        assert accepted == set(there(sandbox))
        assert [one for one in told.answers if isinstance(one, Rejection)] == [
            Rejection(filename=refused, status=403, message="No")
        ]


def interrupting(after: int) -> Callable[[Event], None]:
    """Ctrl-C, once so many files were accepted."""
    seen = itertools.count(1)

    def tell(event: Event) -> None:
        if isinstance(event, Message) and event.text.endswith("accepted") and next(seen) == after:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("hangs", [False, True])
def test_ctrl_c_breaks_off_and_asks_the_index_once(tmp_path: Path, pool: Pool, releases: Releases, hangs: bool) -> None:
    """What hangs is broken off; what the index has by then is known to be there."""
    files = releases[12]
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        if hangs:
            late = RequestFilter(method="POST", filename=files[2].filename)
            sandbox.inject(Fault(what=Drop(at="after-work", how="hang"), when=late))
        patient = Pool(UploadLimits(read=60)) if hangs else pool
        engine = Engine(sandbox=sandbox, directory=tmp_path, pool=patient, clock=Clock())
        told = engine.run(files, tell=interrupting(3))
        if hangs:
            patient.close()
        assert isinstance(told.error, KeyboardInterrupt)
        assert told.doubtful
        listed = there(sandbox)
        assert {one.filename: one.sha256 for one in told.answers if isinstance(one, Receipt)} == listed
        assert 3 <= len(listed) <= 8
        assert {one["file"] for one in told.journal if one["event"] == "accepted"} == set(listed)


class Full:
    """A journal on a disk that is full after so many writes."""

    def __init__(self, writes: int) -> None:
        self._left = writes
        self.lines: list[dict[str, Any]] = []

    def write_all(self, lines: list[dict[str, Any]]) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.lines += lines

    def events(self) -> list[dict[str, Any]]:
        return self.lines


@pytest.mark.parametrize("writes", [0, 1, 3])
def test_what_can_not_be_written_down_is_not_sent(tmp_path: Path, pool: Pool, releases: Releases, writes: int) -> None:
    """A full disk ends the run, and the account is true all the same."""
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        engine = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock(), log=Full(writes))
        told = engine.run(releases[12])
        assert isinstance(told.error, OSError)
        sent = [one.filename for one in sandbox.log if one.method == "POST"]
        assert set(sent) == {one["file"] for one in told.journal if one["event"] == "sending"}
        assert {one.filename for one in told.answers if isinstance(one, Receipt)} == set(there(sandbox)) == set(sent)
        assert told.doubtful == bool(sent)


def test_a_file_that_changed_stops_the_release_before_it_is_sent(
    tmp_path: Path, pool: Pool, releases: Releases
) -> None:
    first, second = releases[2]
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(
            [first, replace(second, sha256="0" * 64)]
        )
        assert isinstance(told.error, NotSentError)
        assert set(there(sandbox)) == {first.filename}


@pytest.mark.parametrize("opened", [False, True])
def test_no_file_is_sent_where_twine_cannot_read_another(tmp_path: Path, pool: Pool, opened: bool) -> None:
    """It would be half a release: the wheels are there, and the sdist cannot follow."""
    files = release(tmp_path / "dist", 4)
    broken = files[-1].path
    broken.write_bytes(tarred({"acme_widget-1.0/PKG-INFO": b"no metadata"}))
    files[-1] = builder.load_distribution(broken)
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(files, opened=opened)
        assert isinstance(told.error, NotSentError)
        assert f"twine does not accept '{broken.name}': InvalidDistribution: No PKG-INFO" in told.error.message
        assert not told.journal
        assert not there(sandbox)


def _once_struck(sandbox: Sandbox, act: Callable[[], object]) -> None:
    """Do it as soon as a request has met its fault: not before there is anything to be lost."""
    while not any(one["struck"] for one in requests.get(sandbox.control_url, timeout=PATIENCE).json()["faults"]):
        time.sleep(0.02)
    act()


def test_a_process_that_is_killed_costs_nothing_but_time(tmp_path: Path, releases: Releases) -> None:
    pool = Pool(UploadLimits(read=60))
    with closing(pool), server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        hang = Drop(at="after-body", how="hang")
        sandbox.inject(Fault(what=hang, when=RequestFilter(method="POST", nth=1), name="hang"))
        threading.Thread(target=_once_struck, args=(sandbox, pool.kill_one), daemon=True).start()
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=Clock()).run(releases[2])
        assert told.error is None
        assert set(there(sandbox)) == {file.filename for file in releases[2]}
        assert [one["text"][:11] for one in told.journal if one["event"] == "unclear"] == ["worker died"]


# -- waiting ---------------------------------------------------------------------------------------


def test_a_server_that_is_busy_is_left_alone_by_all(tmp_path: Path, pool: Pool, releases: Releases) -> None:
    """Nothing is sent, of any file, before the time that the server asked for; and the reader is told."""
    clock, files = Clock(), releases[12]
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now, sleep=clock.sleep) as sandbox:
        busy = CannedResponse(status=429, retry_after=25)
        sandbox.inject(Fault(what=busy, when=RequestFilter(method="POST", filename=files[3].filename, nth=1)))
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=clock).run(files)
        assert told.error is None
        # by the journal: answers that arrive before that of the busy server may be followed by other files
        struck = next(at for at, one in enumerate(told.journal) if one["event"] == "unclear")
        left = {one["file"] for one in told.journal[struck:] if one["event"] == "sending"}
        posts = [one for one in sandbox.log if one.method == "POST" and one.status != 429]
        later = [(one.time - clock.began).total_seconds() for one in posts if one.filename in left]
        assert files[3].filename in left
        assert len(left) >= 4
        assert all(at >= 25 for at in later)
    said = [one.text for one in told.events if isinstance(one, Message)]
    assert any("pypi asks to wait 25 s" in text for text in said)
    assert clock.slept == [25.0]


def test_an_index_that_can_not_be_asked_is_asked_until_the_deadline(
    tmp_path: Path, pool: Pool, releases: Releases
) -> None:
    """Then the account says what is not known."""
    clock = Clock()
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now, sleep=clock.sleep) as sandbox:
        sandbox.inject(
            Fault(what=Drop(at="after-work"), when=RequestFilter(method="POST")),
            Fault(what=CannedResponse(status=503), when=RequestFilter(method="GET", nth=(1, None))),
        )
        engine = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=clock, rules=UploadSettings(deadline=100))
        told = engine.run(releases[1])
        assert isinstance(told.error, UploadError)
        assert "it is unknown whether" in told.error.message
        assert "answers 503" in told.error.message
        assert told.doubtful
        assert sum(one.method == "POST" for one in sandbox.log) == 1
    assert sum(clock.slept) == pytest.approx(100)


def test_a_wait_beyond_the_deadline_is_not_waited(tmp_path: Path, pool: Pool, releases: Releases) -> None:
    clock = Clock()
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now) as sandbox:
        sandbox.inject(
            Fault(what=CannedResponse(status=503, retry_after=60), when=RequestFilter(method="POST", nth=(1, None)))
        )
        engine = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=clock, rules=UploadSettings(deadline=10))
        told = engine.run(releases[1])
        assert isinstance(told.error, UploadError)
        assert not told.doubtful
    assert clock.slept == [0.5]


@pytest.mark.parametrize(("scheme", "cause"), [("https", "net.tls"), ("http", None)])
def test_what_no_attempt_can_mend_is_not_tried_again(
    tmp_path: Path, pool: Pool, releases: Releases, scheme: str, cause: str | None
) -> None:
    """TLS that fails is told at once, with its cause; a server that is not there gets its attempts."""
    clock = Clock()
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        here = sandbox.index("pypi")
        url = here.upload_url.replace("http:", "https:") if scheme == "https" else f"http://127.0.0.1:{closed_port()}/"
        away = replace(here, upload_url=url, ephemeral=False)
        told = Engine(sandbox=sandbox, directory=tmp_path, pool=pool, clock=clock, index=away).run(releases[2])
        assert isinstance(told.error, UploadError)
        assert not told.doubtful
        assert "TWINE_CERT" in told.error.remedy if cause else "run the command again" in told.error.remedy
        assert told.error.cause == (cause or "net.timeout-reset")
    assert len(clock.slept) == (0 if cause else 5)


# -- telling ---------------------------------------------------------------------------------------


def test_one_line_of_progress_for_all(tmp_path: Path, pool: Pool, releases: Releases) -> None:
    """Hundreds of files are not told one by one."""
    with server.start_sandbox(seed_for_project(PROJECT.name)) as sandbox:
        few = Engine(sandbox=sandbox, directory=tmp_path / "few", pool=pool, clock=Clock()).run(releases[2])
        many = Engine(sandbox=sandbox, directory=tmp_path / "many", pool=pool, clock=Clock()).run(releases[40])
    said = [one.text for one in few.events if isinstance(one, Message)]
    assert said == [f"{file.filename}: accepted" for file in releases[2]]
    assert [one for one in many.events if isinstance(one, Message)] == []
    assert any(isinstance(one, Progress) and "of 40 files" in one.text for one in many.events)
