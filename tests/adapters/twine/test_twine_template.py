"""Upload processes that are forked from one that has imported twine: what they share, and what they do not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from release.adapters.twine.twine_fork import ForkedPipe, ForkedProcess
from release.adapters.twine.twine_process import NotSentError, Worker
from release.adapters.twine.twine_starter import TwineStarter
from release.core.models.distribution import Receipt, UnclearResponse
from tests.adapters.loopback_server import Handler, loopback_server
from tests.adapters.twine.test_twine_process import TOKEN, credential, index, wheel
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


@pytest.fixture(scope="module")
def shared() -> Iterator[TwineStarter]:
    """One template for many cases."""
    with TwineStarter({**os.environ, "TWINE_PASSWORD": TOKEN}, several=True) as starter:
        yield starter


def pid_of(worker: Worker) -> int:
    worker.wake()
    return int(worker._pipe._process.pid)  # type: ignore[union-attr] # it is running


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def template_of(starter: TwineStarter) -> subprocess.Popen[bytes]:
    assert starter._template is not None
    assert starter._template._process is not None
    return starter._template._process


def test_workers_are_forked_and_each_sends_on_its_own(shared: TwineStarter, tmp_path: Path) -> None:
    """Also at the same time: the server answers once it has all requests."""
    together = threading.Barrier(3)

    def answer(h: Handler) -> None:
        together.wait(PATIENCE)
        h.reply(200)

    file = wheel(tmp_path)
    with loopback_server(answer) as server, contextlib.ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        workers = [stack.enter_context(shared()) for _ in range(3)]
        assert {parent_of(pid_of(one)) for one in workers} == {template_of(shared).pid}
        for one in workers:
            one.login(index(server.url), credential())
        assert all(isinstance(one, Receipt) for one in pool.map(lambda one: one.send(file), workers))
    assert len({asked.connection for asked in server.asked}) == 3


def test_neither_the_template_nor_a_fork_has_a_credential_where_others_see_it(
    shared: TwineStarter, tmp_path: Path
) -> None:
    with loopback_server(lambda h: h.reply(200)) as server, shared() as worker:
        worker.login(index(server.url), credential())
        worker.send(wheel(tmp_path))
        for pid in (template_of(shared).pid, pid_of(worker)):
            for name in ("cmdline", "environ"):
                assert TOKEN.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()


def test_a_fork_that_dies_takes_no_other_with_it(shared: TwineStarter, tmp_path: Path) -> None:
    """Its file is unclear, that of the other arrives, and the next file has a new process."""
    arrived, both, killed = threading.Event(), threading.Barrier(2), threading.Event()

    def answer(h: Handler) -> None:
        if not killed.is_set():
            both.wait(PATIENCE)
            arrived.set()
            assert killed.wait(PATIENCE)
        h.reply(200)

    file = wheel(tmp_path)
    with loopback_server(answer) as server, shared() as one, shared() as other, ThreadPoolExecutor(2) as pool:
        first = pid_of(one)
        for worker in (one, other):
            worker.login(index(server.url), credential())
        broken, whole = pool.submit(one.send, file), pool.submit(other.send, file)
        assert arrived.wait(PATIENCE)
        one.kill()
        result = broken.result(PATIENCE)
        killed.set()
        assert isinstance(result, UnclearResponse)
        assert (result.kind, result.detail) == ("worker died", "it was ended")
        assert isinstance(whole.result(PATIENCE), Receipt)
        assert isinstance(one.send(file), Receipt)
        assert pid_of(one) != first


def test_who_waits_for_an_event_reads_it_without_another_thread() -> None:
    """However the lines come: several at once, in pieces, or none in time."""
    (theirs, stdin), (stdout, output), (stderr, errors), (life, alive) = (
        (os.fdopen(reading, "rb"), os.fdopen(writing, "wb")) for reading, writing in (os.pipe() for _ in range(4))
    )
    threads = threading.active_count()
    pipe = ForkedPipe(ForkedProcess(stdin, stdout, stderr, life))
    assert threading.active_count() == threads + 1, "one reads what it writes to stderr"
    before = pipe.has_message
    assert not before
    os.write(output.fileno(), b'{"is": 1}\n{"is": 2}\n{"is"')
    assert pipe.has_message
    assert pipe.read(PATIENCE) == {"is": 1}
    assert pipe.has_message
    assert pipe.read(PATIENCE) == {"is": 2}
    with pytest.raises(TimeoutError):
        pipe.read(0.01)
    os.write(output.fileno(), b": 3}\n")
    assert pipe.read(PATIENCE) == {"is": 3}
    for end in (theirs, output, errors, alive):
        end.close()
    with pytest.raises(EOFError):
        pipe.read(PATIENCE)
    pipe.close()
    assert stdout.closed


def test_a_template_that_was_killed_is_started_again(tmp_path: Path) -> None:
    """What was forked before goes on."""
    with (
        loopback_server(lambda h: h.reply(200)) as server,
        TwineStarter(os.environ, several=True) as starter,
        starter() as before,
    ):
        before.wake()
        killed = template_of(starter)
        killed.kill()
        killed.wait()
        with starter() as after:
            for worker in (before, after):
                worker.login(index(server.url), credential())
                assert isinstance(worker.send(wheel(tmp_path)), Receipt)
            assert parent_of(pid_of(after)) == template_of(starter).pid != killed.pid


def test_a_template_that_cannot_import_twine_says_why(tmp_path: Path) -> None:
    (tmp_path / "twine.py").write_text("raise ImportError('no twine here')")
    with TwineStarter({**os.environ, "PYTHONPATH": str(tmp_path)}, several=True) as starter:
        for _ in range(2):
            with starter() as worker, pytest.raises(NotSentError, match=r"cannot start twine: .*no twine here"):
                worker.wake()


def test_a_worker_that_can_start_no_thread_says_so(tmp_path: Path) -> None:
    (tmp_path / "twine.py").write_text('raise RuntimeError("can\'t start new thread")')
    with (
        TwineStarter({**os.environ, "PYTHONPATH": str(tmp_path)}, several=False) as starter,
        starter() as worker,
        pytest.raises(NotSentError, match="cannot start twine: the limit on processes and threads") as caught,
    ):
        worker.wake()
    assert "ulimit -u" in caught.value.remedy


@pytest.mark.parametrize("several", [True, False])
def test_one_process_is_enough_where_one_worker_is(tmp_path: Path, several: bool) -> None:
    """The first imports twine itself; the template starts with the second one."""
    with TwineStarter(os.environ, several=several) as starter, starter() as first:
        assert starter._template is not None
        assert (starter._template._process is None) == (not several)
        assert parent_of(pid_of(first)) == (template_of(starter).pid if several else os.getpid())
        with starter() as second:
            assert parent_of(pid_of(second)) == template_of(starter).pid


def test_a_fork_that_has_not_begun_ends_when_it_is_closed() -> None:
    with TwineStarter(os.environ, several=True) as starter:
        template = template_of(starter)
        template.send_signal(signal.SIGSTOP)
        worker = starter()
        worker.kill()
        template.send_signal(signal.SIGCONT)
        process: Any = worker._pipe._process  # type: ignore[union-attr] # it is starting
        assert process.wait(PATIENCE) == -1
        worker.close()
    assert template.returncode is not None


def test_all_end_with_their_parent_even_in_the_middle_of_a_request(tmp_path: Path) -> None:
    arrived, over = threading.Event(), threading.Event()

    def hold(h: Handler) -> None:
        arrived.set()
        with contextlib.suppress(OSError):
            over.wait(PATIENCE) if h.connection.recv(1) else over.set()

    code = f"""
import os, sys
from tests.adapters.twine.test_twine_template import *
with TwineStarter(os.environ, several=True) as starter, starter() as worker:
    print(template_of(starter).pid, pid_of(worker), flush=True)
    worker.login(index(sys.argv[1]), credential())
    worker.send(wheel(Path({str(tmp_path)!r})))
"""
    with loopback_server(hold) as server:
        words = [sys.executable, "-c", code, server.url]
        parent = subprocess.Popen(words, cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        with parent.stdout as output:
            pids = [int(pid) for pid in output.readline().split()]
            assert arrived.wait(PATIENCE)
            parent.kill()
            parent.wait()
        assert over.wait(PATIENCE), "the connection is closed once the child is gone"
        for pid in pids:
            assert _is_gone(pid)


def _is_gone(pid: int) -> bool:
    """Wait for the end of a process that is no child of this one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    with os.fdopen(descriptor):
        return bool(select.select([descriptor], [], [], PATIENCE)[0])


def test_no_cycles_are_searched_for_among_what_twine_imports() -> None:
    """A search would take as long as many modules, and write to the memory that the processes share."""
    code = """
import gc
gc.disable()
from release.adapters.twine.twine_import import import_twine
searched = []
gc.callbacks.append(lambda phase, _: searched.append(phase))
import_twine()
assert gc.isenabled()
shared = gc.get_freeze_count()
kept = [[] for _ in range(10_000)]
print(shared > 10_000, len(gc.get_objects()) < 20_000, len(searched) > 2)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True, text=True)
    assert done.stdout == "True True True\n"


def test_the_template_starts_before_what_only_its_parent_needs_is_imported() -> None:
    code = """
import sys
from release.adapters.twine.twine_starter import TwineStarter
print({"release.adapters.system.process", "msgspec"} & sys.modules.keys())
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True, text=True)
    assert done.stdout == "set()\n"
