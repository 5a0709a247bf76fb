"""What runs upload and install with: the embedded index, upload workers, clean environments.

A run has them of its own; the members of a set share them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name

from release.adapters.install import installer, interpreters, venv
from release.adapters.install.venv import Environment
from release.adapters.system.system import System
from release.adapters.twine.twine_starter import TwineStarter
from release.core.config import UploadSettings
from release.core.models.credential import Credential
from release.core.models.index import Index
from release.core.models.secret_location import SandboxToken
from release.core.plan import Confirm, Plan, Upload
from release.publishing.upload.workers import UploadClient, UploadWorkers


class Tools(Protocol):
    """What `RunResources` needs of them."""

    @property
    def shares_sandbox(self) -> bool:
        """Whether other runs use the same embedded index."""

    def sandbox(self, project: str) -> tuple[Index, Credential]:
        """The embedded index, started at the first call, and the credential of a user who may create `project`."""

    def build_system(self, system: System) -> System:
        """The system for builds: where their requirements come from."""

    def install_system(self, system: System, index: Index) -> System:
        """The system for installs from `index`: where the dependencies come from."""

    def prepare_environment(self, system: System) -> None:
        """Start to create a clean environment for the interpreter of `system`, if that pays."""

    def take_environment(self, system: System) -> Environment:
        """A clean environment for one install. Raises `ToolError`."""

    def workers(self) -> AbstractContextManager[tuple[UploadWorkers, UploadSettings]]:
        """The workers for one upload, with the limits for it."""


class RunTools(Struct, kw_only=True):
    """Those of one run, started in parallel to its first steps; a context manager."""

    system: System
    plan: Plan
    settings: UploadSettings
    #: a path that does not exist yet, in a directory that is removed later
    scratch: Callable[[str], Path]
    #: starts an upload client; None: a twine process
    start: Callable[[], UploadClient] | None = None
    #: the number of files, where it is known before the build
    expected: int = 0
    _stack: ExitStack = field(default_factory=ExitStack)
    _pool: ThreadPoolExecutor | None = None
    _environment: Future[Environment] | None = None
    #: the number of environments that were taken
    _installs: int = 0
    _workers: UploadWorkers | None = None
    #: with the name of its project
    _sandbox: tuple[NormalizedName, tuple[Index, Credential]] | None = None

    def __enter__(self) -> Self:
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="environment"))
        if any(isinstance(step, Confirm) for step in self.plan.steps):
            self.prepare_environment(self.system)
        if any(isinstance(step, Upload) for step in self.plan.steps):
            # One worker is enough for what most projects release.
            count = max(1, min(self.settings.concurrency, self.expected - 1))
            start = self.start or self._stack.enter_context(TwineStarter(self.system.env, several=count > 1))
            self._workers = self._stack.enter_context(UploadWorkers(start))
            self._workers.grow(count)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def shares_sandbox(self) -> bool:
        return False

    def sandbox(self, project: str) -> tuple[Index, Credential]:
        name = canonicalize_name(project)
        if self._sandbox is None or self._sandbox[0] != name:
            self._sandbox = name, start_run_sandbox(self._stack, [project])
        return self._sandbox[1]

    def build_system(self, system: System) -> System:
        return system

    def install_system(self, system: System, index: Index) -> System:
        return installer.without_testpypi(system, index)

    def prepare_environment(self, system: System) -> None:
        assert self._pool is not None
        self._environment = self._pool.submit(_ready_environment, system, self.scratch("environment"))

    def take_environment(self, system: System) -> Environment:
        if self._environment is None:  # a stage is installed from, too
            self.prepare_environment(system)
        assert self._environment is not None
        clean, self._environment = self._environment.result(), None
        self._installs += 1
        if self._installs < sum(isinstance(step, Confirm) for step in self.plan.steps):
            self.prepare_environment(system)  # for the next install, in parallel to this one
        return clean

    @contextmanager
    def workers(self) -> Iterator[tuple[UploadWorkers, UploadSettings]]:
        assert self._workers is not None
        yield self._workers, self.settings


def _ready_environment(system: System, directory: Path) -> Environment:
    """A clean environment whose interpreter the installer knows. Raises `ToolError`."""
    made = venv.create_environment(system, directory)
    venv.prepare_install(system, made)
    interpreters.rank_tags(interpreters.chosen_interpreter(system))  # remembered, to choose the file that is installed
    return made


def start_run_sandbox(stack: ExitStack, projects: Collection[str]) -> tuple[Index, Credential]:
    """Start an index with a user who may create these projects, until `stack` is closed.

    For several projects it has no limit on new ones: that of the index that they are released to is checked apart.
    """
    from release.acceptance.form_rules import standard_modules
    from release.sandbox import seed, server

    # Where the check of a name that no new project may have has passed, the project exists.
    existing = [name for name in projects if canonicalize_name(name) in standard_modules()]
    owned = tuple(seed.SeedProject(name=name, owners=(seed.DEFAULT_USER,)) for name in existing)
    data = seed.SeedData(projects=owned)
    running = stack.enter_context(server.start_sandbox(data if len(projects) == 1 else replace(data, new_projects=())))
    origin = SandboxToken()
    credential = Credential(
        username="__token__", username_origin=origin, password=running.tokens["account"], origin=origin
    )
    return running.index(), credential
