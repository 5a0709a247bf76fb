"""Runs of the program in processes that have its modules already: a third of a second less for each of hundreds.

A server, this file as a script, imports the modules of `release` once, and forks for each run. The forked process is
what a start makes: it has the arguments, the environment, the directory and the streams of that run, and ends as an
interpreter ends. Where the start itself could matter, `run_forked` returns None, and the program is to be started:
for variables that Python, its libraries or the loader read when they start, and for modules that Python would import
instead of a library. That the modules can be imported in any order is held by `tests/test_architecture.py`.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import re
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

_NO_FORK = "Windows does not fork"
_ROOT = Path(__file__).parents[1]
#: read when a process starts, and not again
_AT_START = re.compile(r"PYTHON(?!_KEYRING_|PATH$).*|LC_.*|LANG.*|TZ|LD_.*|MALLOC_.*|GLIBC_.*|OPENSSL_.*|COVERAGE_.*")
#: these read the environment when they are imported, or import what a run must not have
_NOT_BEFORE = ("release.__main__", "release.tasks", "release.sessions", "release.adapters.keyring.keyring_child")


def run_forked(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: str | None, timeout: float
) -> subprocess.CompletedProcess[str] | None:
    """`python -m release WORDS` in a forked process; None where only a start shows what users see.

    Raises `subprocess.TimeoutExpired`.
    """
    if sys.platform == "win32":
        return None
    if _start_variables(env) != _start_variables(os.environ):
        return None
    with _lock:
        address, loaded = _server()
        if not _is_listening(address):  # its end is in the log next to the socket
            _server.cache_clear()
            address, loaded = _server()
    if any(_shadows(one, loaded) for one in {cwd, *(cwd / entry for entry in _listed(env))} - {_ROOT}):
        return None
    given, into = os.pipe() if stdin is not None else (os.open(os.devnull, os.O_RDONLY), None)
    out, written = os.pipe()
    err, told = os.pipe()
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(address)
        request = json.dumps({"words": words, "cwd": str(cwd), "env": dict(env)}).encode()
        channel.sendall(len(request).to_bytes(4))
        socket.send_fds(channel, [b"-"], [given, written, told])
        channel.sendall(request)
        for end in (given, written, told):
            os.close(end)
        texts: list[str] = ["", ""]
        threads = [threading.Thread(target=_read, args=(end, texts, n)) for n, end in enumerate((out, err))]
        if into is not None:
            threads.append(threading.Thread(target=_write, args=(into, stdin)))
        for thread in threads:
            thread.start()
        answers = channel.makefile("rb")
        pid = int(answers.readline())
        channel.settimeout(timeout)
        try:
            status = int(answers.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(words), timeout) from None
        finally:
            for thread in threads:
                thread.join(timeout)
    return subprocess.CompletedProcess(list(words), status, *texts)


def _is_listening(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as channel:
        return channel.connect_ex(address) == 0


def _start_variables(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if _AT_START.fullmatch(name)}


def _listed(env: Mapping[str, str]) -> list[str]:
    """The entries of PYTHONPATH."""
    return env["PYTHONPATH"].split(os.pathsep) if env.get("PYTHONPATH") else []


def _shadows(directory: Path, loaded: Collection[str]) -> bool:
    """Whether the directory, which Python would import from first, has a module that the server has from elsewhere."""
    if not directory.is_dir():
        return False
    names = {path.stem if path.suffix == ".py" else path.name for path in directory.iterdir()}
    return not names.isdisjoint({*sys.stdlib_module_names, "sitecustomize", "usercustomize", *loaded})


def _read(end: int, texts: list[str], place: int) -> None:
    with open(end, encoding="utf-8") as stream:
        texts[place] = stream.read()


def _write(end: int, text: str) -> None:
    try:
        with open(end, "w", encoding="utf-8") as stream:
            stream.write(text)
    except BrokenPipeError:
        return


_lock = threading.Lock()


@cache
def _server() -> tuple[str, frozenset[str]]:
    """The address of the server of this process, which ends with it, and the modules and packages that it has."""
    directory = tempfile.mkdtemp(prefix="forks-")
    with Path(directory, "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, __file__, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        )  # fmt: skip
    assert server.stdin is not None
    assert server.stdout is not None
    ready = server.stdout.readline()
    assert ready, "the server of forked runs does not start"

    def end(stdin: IO[bytes], stdout: IO[bytes]) -> None:
        stdin.close()
        stdout.close()
        server.wait(60)

    atexit.register(end, server.stdin, server.stdout)
    address, *loaded = json.loads(ready)
    return address, frozenset(loaded)


def _import_program() -> None:
    import release

    for module in pkgutil.walk_packages(release.__path__, "release."):
        if module.name not in _NOT_BEFORE:
            importlib.import_module(module.name)
    for name in ("requests", "werkzeug.serving", "jinja2", "filelock"):
        importlib.import_module(name)
    assert "keyring" not in sys.modules  # chooses its backend when it is imported
    gc.collect()
    gc.freeze()


def serve() -> list[str]:
    """Fork for each request, until standard input ends; returns the words, in the forked processes alone."""
    if sys.platform == "win32":
        raise OSError(_NO_FORK)
    sys.path.pop(0)  # the directory of this file
    _import_program()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    address = Path(sys.argv[1], "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen(64)
    woken, wake = socket.socketpair()
    woken.setblocking(False)
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    sys.stdout.write(json.dumps([str(address), *{name.partition(".")[0] for name in sys.modules}]) + "\n")
    sys.stdout.flush()
    running: dict[int, socket.socket] = {}
    watched: list[int | socket.socket] = [0, listener, woken]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if 0 in ready:
            shutil.rmtree(address.parent)
            sys.exit()
        if woken in ready:
            woken.recv(4096)
            _report_ended(running)
        if listener in ready:
            channel, _ = listener.accept()
            try:
                size = int.from_bytes(_received(channel, 4))
                _, streams, _, _ = socket.recv_fds(channel, 1, 3)
                request = json.loads(_received(channel, size))
            except OSError:  # it only asked whether there is a listener
                channel.close()
                continue
            pid = os.fork()
            if pid == 0:
                for one in (listener, woken, wake, channel, *running.values()):
                    one.close()
                return _become(request, streams)
            for end in streams:
                os.close(end)
            running[pid] = channel
            with contextlib.suppress(OSError):  # the one that asked is gone
                channel.sendall(b"%d\n" % pid)


def _received(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = channel.recv(size - len(data))
        if not piece:
            raise ConnectionError
        data += piece
    return data


def _report_ended(running: dict[int, socket.socket]) -> None:
    if sys.platform == "win32":
        raise OSError(_NO_FORK)
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as channel, contextlib.suppress(OSError):
            channel.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(request: Mapping[str, object], streams: Sequence[int]) -> list[str]:
    """Make this process the one of a run."""
    if sys.platform == "win32":
        raise OSError(_NO_FORK)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    env, words = request["env"], request["words"]
    assert isinstance(env, dict)
    assert isinstance(words, list)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(str(request["cwd"]))
    sys.path[:] = dict.fromkeys([str(Path.cwd()), *(os.path.abspath(one) for one in _listed(env)), *sys.path])  # noqa: PTH100 - as `site`
    tempfile.tempdir = None
    return words


if __name__ == "__main__":
    sys.argv = ["-m", *serve()]
    runpy.run_module("release", run_name="__main__", alter_sys=True)
