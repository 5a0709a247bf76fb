"""Uploads for tests: tiny releases, shared twine processes, and a clock that only moves when somebody waits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.index import simple_api
from release.adapters.twine import twine_process
from release.adapters.twine.twine_process import UploadLimits, Worker
from release.core.config import UploadSettings
from release.core.errors import UnreachableError
from release.core.events import Event
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, UploadResult
from release.core.models.index import Index
from release.core.models.secret_location import SandboxToken
from release.core.secret import Secret
from release.publishing import journal
from release.publishing.upload.upload_state import upload_order
from release.publishing.upload.uploader import Timing, Uploader
from release.publishing.upload.workers import ListingResult, UploadClient, UploadWorkers
from release.sandbox.server import Sandbox
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name

PROJECT = ProjectMetadata(name="acme-widget", version="1.0")
HERE = SandboxToken()


class Clock:
    """Time for client and server, which passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self.began = datetime.now(UTC)

    def seconds(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.passed += seconds

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed)


class Pool:
    """twine processes that outlive a test: they take most of a second to start."""

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._free: list[Worker] = []
        self._all: list[Worker] = []

    def start(self) -> UploadClient:
        if not self._free:
            self._free.append(twine_process.Worker(env=os.environ, limits=self._limits))
            self._all.append(self._free[-1])
        return _Lent(self._free.pop(), self._free.append)

    @property
    def started(self) -> int:
        """How many there have been."""
        return len(self._all)

    def kill_one(self) -> None:
        """As the system does where memory is short."""
        self._all[0].kill()

    def close(self) -> None:
        for worker in self._all:
            worker.close()


class _Lent:
    def __init__(self, worker: Worker, give_back: Callable[[Worker], None]) -> None:
        self._worker, self._give_back, self._killed = worker, give_back, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    def kill(self) -> None:
        self._killed = True
        self._worker.kill()

    def close(self) -> None:
        if self._killed:
            self._worker.close()
        self._give_back(self._worker)


def release(directory: Path, count: int, *, version: str = "1.0") -> list[Distribution]:
    """`count` files of a release in the order of their upload: wheels for many platforms, and an sdist."""
    directory.mkdir(exist_ok=True)
    names = {
        wheel_name(version=version, tag=f"py3-none-manylinux_2_{n + 10}_x86_64"): n for n in range(max(1, count - 1))
    }
    for name, n in names.items():
        tag = name.removesuffix(".whl").split("-", 2)[2]
        (directory / name).write_bytes(wheel(version=version, tag=tag, files={"acme_widget.py": f"N = {n}\n"}))
    if count > 1:
        (directory / sdist_name(version=version)).write_bytes(sdist(version=version))
    return upload_order([builder.load_distribution(path) for path in sorted(directory.iterdir())])


def credential(token: Secret) -> Credential:
    return Credential(username="__token__", username_origin=HERE, password=token, origin=HERE)


def asking(index: Index, name: str = PROJECT.name) -> Callable[[], ListingResult]:
    """What the engine asks with: one request, no wait of its own."""

    def ask() -> ListingResult:
        try:
            return simple_api.fetch_listing(index, name, fresh=True, retries=0)
        except UnreachableError as error:
            return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)

    return ask


@dataclass(kw_only=True)
class Sent:
    """What a run of the engine left behind."""

    error: BaseException | None
    answers: list[UploadResult]
    doubtful: bool
    events: list[Event]
    journal: list[dict[str, Any]]


@dataclass(kw_only=True)
class Engine:
    """The engine beside a sandbox."""

    sandbox: Sandbox
    directory: Path
    pool: Pool
    clock: Clock
    rules: UploadSettings = field(default_factory=UploadSettings)
    index: Index | None = None
    chance: float = 0.5
    #: in the place of the journal
    log: Any = None

    def run(
        self, files: Sequence[Distribution], *, opened: bool = False, tell: Callable[[Event], None] | None = None
    ) -> Sent:
        events: list[Event] = []
        self.directory.mkdir(exist_ok=True)
        log = self.log or journal.for_release(self.directory, version="1.0", commit=None)
        index = self.index or replace(self.sandbox.index("pypi"), ephemeral=False)
        with UploadWorkers(self.pool.start) as workers:
            upload = Uploader(
                index=index, project=PROJECT, journal=log, notify=tell or events.append, workers=workers,
                credential=lambda: credential(self.sandbox.tokens["account"]), fetch_listing=asking(index),
                rules=self.rules,
                timing=Timing(clock=self.clock.seconds, sleep=self.clock.sleep, chance=lambda: self.chance),
            )  # fmt: skip
            error: BaseException | None = None
            try:
                upload.run(files, opened=opened)
            except BaseException as one:  # noqa: BLE001 - whatever it is, the test looks at it
                error = one
        return Sent(
            error=error, answers=upload.results, doubtful=upload.doubtful, events=events, journal=list(log.events())
        )


def there(sandbox: Sandbox) -> dict[str, str | None]:
    """File name → sha256, as the index lists them once nothing goes wrong any more."""
    sandbox.clear_faults()
    found = collect.collect_listing(sandbox.index(), PROJECT.name, fresh=True)
    assert not isinstance(found, Unknown)
    return {file.filename: file.sha256 for file in found.files} if found else {}


@contextmanager
def closing(pool: Pool) -> Iterator[Pool]:
    try:
        yield pool
    finally:
        pool.close()
