"""The isolated environments of a build, made before `build` asks for them."""

from __future__ import annotations

import filecmp
import importlib.util
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from .installs import Installed, Installs


class EarlyEnvironments:
    """The environments for an sdist and a wheel, made in a thread: the second while the sdist is built in the first."""

    def __init__(self, place: Path, installer: str, installs: Installs) -> None:
        from build import env

        self.source_complete, self.hook_ended = threading.Event(), threading.Event()
        new: Any = env.DefaultIsolatedEnv
        self._first, self._second = (
            EarlyEnvironment(new, place / kind, installer, installs) for kind in ("sdist", "wheel")
        )
        self._requirements = _build_requirements()
        self._making = self._over = False
        self._thread = threading.Thread(target=self._make)

    def start(self) -> None:
        """Begin with the first, and let `build` take them instead of new ones."""
        from build import env

        remaining = iter((self._first, self._second))
        env.DefaultIsolatedEnv = lambda **_: next(remaining)  # type: ignore[misc,assignment] # the CLI has no hook for it
        self._thread.start()

    def end(self) -> None:
        """`build` is over: end what still runs for an environment that it no longer needs."""
        self._over = True
        for event in (self.source_complete, self.hook_ended, self._first.left):
            event.set()
        if self._making and sys.platform != "win32" and os.getpgrp() == os.getpid():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)
        self._thread.join()

    def _make(self) -> None:
        try:
            self._make_one(self._first)
            self._first.ready.set()
            self.source_complete.wait()
            self._make_one(self._second)
            self.hook_ended.wait()  # it compiles most of what the later ones import
            self._second.take_bytecode(self._first)
            self._second.ready.set()
            self._first.left.wait()
            shutil.rmtree(self._first.directory, ignore_errors=True)
        finally:  # build must not wait for ever
            self._first.ready.set()
            self._second.ready.set()

    def _make_one(self, environment: EarlyEnvironment) -> None:
        if not self._over:
            self._making = True
            environment.make(self._requirements)
            self._making = False


class EarlyEnvironment:
    """An isolated environment that is made before `build` enters it, which is when its messages and errors come.

    Its parent removes `directory`.
    """

    def __init__(self, new: Any, directory: Path, installer: str, installs: Installs) -> None:
        self._real, self._installs = new(installer=installer, path=str(directory)), installs
        self.directory = directory
        #: set once it is made, and once `build` has left it
        self.ready, self.left = threading.Event(), threading.Event()
        self._requirements: frozenset[str] = frozenset()
        self._entering, self._installing = _Step(), _Step()
        self._found: Installed = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def make(self, requirements: frozenset[str]) -> None:
        """Create it, and install these requirements."""
        if self._entering.take(self._real.__enter__):
            self._requirements = requirements
            self._installing.take(self._install_early)

    def take_bytecode(self, other: EarlyEnvironment) -> None:
        """Link the bytecode of the modules that are the same files in both, which it would compile again."""
        for cached in other.directory.rglob("*.pyc"):
            with suppress(OSError, ValueError):
                old = Path(importlib.util.source_from_cache(str(cached)))
                new = self.directory / old.relative_to(other.directory)
                if filecmp.cmp(old, new, shallow=False):
                    target = Path(importlib.util.cache_from_source(str(new)))
                    target.parent.mkdir(exist_ok=True)
                    os.link(cached, target)

    def __enter__(self) -> Self:
        self.ready.wait()
        self._entering.repeat()
        return self

    def __exit__(self, *_: object) -> None:
        self.left.set()

    def install(self, requirements: Collection[str], constraints: Collection[str] = (), **options: Any) -> None:
        """Install what is missing: nothing in the first call, unless it asks for something else."""
        early, self._requirements = self._requirements, frozenset()
        if early and early == frozenset(requirements) and not constraints:
            self._installing.repeat()
            self._installs.record(self._found)
            return
        if early:
            self._real.__exit__(None, None, None)
            self._real.__enter__()
        self._installs.record(self._installs.run(self._real.install, self._real, requirements, constraints, **options))

    def _install_early(self) -> None:
        self._found = self._installs.run(self._real.install, self._real, self._requirements, _fresh=True)


class _Step:
    """A part of the work, whose messages and error are shown later."""

    def __init__(self) -> None:
        self._messages: list[tuple[str, Any]] = []
        self._error: Exception | None = None

    def take(self, work: Callable[[], object]) -> bool:
        """Do it; returns whether it succeeded."""
        from build import _ctx

        token = _ctx.LOGGER.set(lambda message, *, kind=None: self._messages.append((message, kind)))  # of this thread
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised where build would have met it
            self._error = error
        finally:
            _ctx.LOGGER.reset(token)
        return self._error is None

    def repeat(self) -> None:
        """Show its messages, and raise its error."""
        from build import _ctx

        for message, kind in self._messages:
            _ctx.log(message, kind=kind)
        if self._error is not None:
            raise self._error


def _build_requirements() -> frozenset[str]:
    """`requires` of the project in the working directory; empty where `build` will say what is wrong with it."""
    import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return frozenset(build.ProjectBuilder(os.curdir).build_system_requires)
        except Exception:  # noqa: BLE001 - as above
            return frozenset()
