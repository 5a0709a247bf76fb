"""What the members of a set share: one embedded index, a few upload workers, and siblings that are on an index."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.git.shared_answers import GitAnswers
from release.adapters.install import installer, venv
from release.adapters.install.siblings import KnownConstraints, with_siblings
from release.adapters.install.venv import Environment
from release.adapters.system.system import System
from release.adapters.twine.twine_starter import TwineStarter
from release.core.config import UploadSettings
from release.core.models.credential import Credential
from release.core.models.index import Index, normalize_name
from release.core.models.release_set import Sibling
from release.publishing import run_tools
from release.publishing.upload.workers import UploadClient, UploadWorkers


class SetTools(Struct, kw_only=True):
    """The shared resources of a set's run; a context manager."""

    system: System
    #: the limits of all uploads together
    settings: UploadSettings
    #: the names of the members that may be created on the embedded index
    projects: Collection[str]
    #: starts an upload client; None: a twine process
    start: Callable[[], UploadClient] | None = None
    #: what git says of the source, before anything is changed
    git: GitAnswers = field(default_factory=GitAnswers)
    _stack: ExitStack = field(default_factory=ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _sandbox: tuple[Index, Credential] | None = None
    #: workers that no upload has
    _idle: queue.SimpleQueue[UploadWorkers] = field(default_factory=queue.SimpleQueue)
    _lanes: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
    _each: UploadSettings = field(default_factory=UploadSettings)
    #: what the pages of siblings have, so that each is requested once
    _constraints: KnownConstraints = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.share_uploads(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def share_uploads(self, members: int) -> None:
        """Divide the parallel uploads among as many members; to be called while none uploads."""
        lanes = max(1, min(members, self.settings.concurrency))
        self._lanes = threading.Semaphore(lanes)
        self._each = replace(self.settings, concurrency=max(1, self.settings.concurrency // lanes))

    def sandbox(self) -> tuple[Index, Credential]:
        """The embedded index, started at the first call, and the credential of a user who may create all members."""
        with self._lock:
            if self._sandbox is None:
                self._sandbox = run_tools.start_run_sandbox(self._stack, self.projects)
            return self._sandbox

    def with_siblings(self, system: System, siblings: Sequence[Sibling], scratch: Callable[[str], Path]) -> System:
        """The system for builds and installs that take these siblings from their pages."""
        return with_siblings(system, siblings, scratch=scratch, known=self._constraints)

    def forget_sibling(self, name: str) -> None:
        """Request the pages of a member again, since it was uploaded; to be called before others use it."""
        for key in [one for one in list(self._constraints) if normalize_name(one[0].name) == name]:
            self._constraints.pop(key, None)

    @contextmanager
    def workers(self) -> Iterator[tuple[UploadWorkers, UploadSettings]]:
        """The workers for one upload, with the limits for it; waits until another member has ended its own."""
        with self._lanes:
            try:
                leased = self._idle.get_nowait()
            except queue.Empty:
                with self._lock:
                    start = self.start or self._stack.enter_context(TwineStarter(self.system.env))
                    leased = self._stack.enter_context(UploadWorkers(start))
            yield leased, self._each
            self._idle.put(leased)  # not after an exception: something may still be under way there


class MemberTools(Struct, frozen=True, kw_only=True):
    """The tools of one member's run: see `run_tools.Tools`."""

    shared: SetTools
    #: the siblings that builds, and installs from an index, take from there; None: the embedded index
    siblings: Callable[[Index | None], Sequence[Sibling]]
    #: a path that does not exist yet, in a directory that is removed later
    scratch: Callable[[str], Path]

    @property
    def shares_sandbox(self) -> bool:
        return True

    def sandbox(self, _project: str) -> tuple[Index, Credential]:
        return self.shared.sandbox()

    def build_system(self, system: System) -> System:
        return self.shared.with_siblings(system, self.siblings(None), self.scratch)

    def install_system(self, system: System, index: Index) -> System:
        clean = installer.without_testpypi(system, index)
        return self.shared.with_siblings(clean, self.siblings(index), self.scratch)

    def prepare_environment(self, system: System) -> None:
        """Nothing: other members are at work meanwhile, and each environment takes space."""

    def take_environment(self, system: System) -> Environment:
        return venv.create_environment(system, self.scratch("environment"))

    @contextmanager
    def workers(self) -> Iterator[tuple[UploadWorkers, UploadSettings]]:
        with self.shared.workers() as leased:
            yield leased
