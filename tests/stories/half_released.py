"""Runs commands of the program, forked from this process, which has imported everything: made to be killed.

python -m tests.stories.half_released

Each line of standard input is one run, in a process group of its own: {"root": …, "env": …, "words": …, "output": …}.
The answer is its process id. Its output goes to the file `output`, and its exit status at the end to `output` with the
suffix ".status"; where it was killed, there is no such file.

It is the program as its users run it, but for what starts other programs: twine uploads and reads in this process, and
a file is fetched from the index, and compared by hash, instead of installed.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import queue
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, Self, cast

from release.adapters.index import simple_api
from release.adapters.install import venv
from release.adapters.twine import twine_process, twine_worker
from release.cli import main as program
from release.core.models.index import IndexFile
from release.publishing import plan_run, run_resources, run_tools
from release.publishing.sets import set_tools

assert sys.platform != "win32", "it forks"

#: what a run of a set imports in functions
_IMPORTED_LATER = (
    "charset_normalizer", "concurrent.futures", "decimal", "filelock", "idna", "requests", "rich", "stringprep",
    "twine.package", "twine.repository", "twine.settings", "urllib3", "release.sandbox.server",
    "release.publishing.sets.collect_set", "release.publishing.sets.set_runner", "release.cli.commands.set_command",
    "release.cli.terminal.set_console", "release.reports.set_text", "release.reports.set_markdown",
    "release.reports.set_list",
)  # fmt: skip


class _Pipe:
    """The process of twine, in this one."""

    alive = True

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._events.put({"is": "ready"})
        self._uploader = twine_worker._Uploader(self._events.put)

    def write(self, request: dict[str, Any]) -> None:
        match request.pop("do"):
            case "login":
                self._uploader.login(**request)
            case "read":
                self._events.put(self._uploader.read(**request))
            case "prepare":
                self._uploader.prepare(**request)
            case _:
                self._events.put(self._uploader.send(**request))

    def read(self, timeout: float) -> dict[str, Any]:
        return self._events.get(timeout=timeout)

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


class _Starter:
    """Starts workers without a process."""

    def __init__(self, env: Any, **_: object) -> None:
        self._env, self._start = env, cast("Any", _Pipe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self) -> twine_process.Worker:
        return twine_process.Worker(env=self._env, start=self._start)


class _Reader:
    """No question to twine: the tests of the check have it."""

    def __init__(self, **_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def objection(self, _path: Path) -> None:
        return None


def _fetch_instead(_system: object, clean: Path, _: object, file: IndexFile, *_more: object) -> tuple[None, tuple[()]]:
    clean.mkdir(parents=True)
    simple_api.download_file(file, clean)  # raises where the bytes are others
    return None, ()


#: signals that end a run
_ENDING = (signal.SIGINT, signal.SIGTERM)


def _without_programs() -> None:
    vars(importlib.import_module("twine.repository"))["print"] = lambda *_, **__: None
    for module in (run_tools, set_tools):
        vars(module)["TwineStarter"] = _Starter
    vars(plan_run)["TwineReader"] = _Reader
    vars(run_resources)["install_file_and_test"] = _fetch_instead
    vars(venv)["create_environment"] = lambda _system, directory: directory


def main() -> None:
    for name in _IMPORTED_LATER:
        importlib.import_module(name)
    _without_programs()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)  # until a run has begun
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _run_and_exit(json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _run_and_exit(run: dict[str, Any]) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    output = Path(run["output"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.environ.clear()
    os.environ.update(run["env"])
    os.chdir(run["root"])
    status = -1
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        status = program.main(run["words"])
    except SystemExit as error:
        status = int(error.code or 0)
    except KeyboardInterrupt:  # before the program handles it itself, as in `pypi_preflight.command_line`
        sys.stderr.write("interrupted\n")
        status = 1
    except BaseException:  # noqa: BLE001 - the parent's code must not go on in the child
        traceback.print_exc()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit._run_exitfuncs()  # as at the end of an interpreter
    sys.stdout.flush()
    ended = Path(f"{output}.status")
    part = ended.with_suffix(".part")
    part.write_text(str(status), encoding="utf-8")
    part.rename(ended)
    os._exit(0)


if __name__ == "__main__":
    main()
