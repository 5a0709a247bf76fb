"""The stretch between built files and an index that has them: upload, look back, install, try.

The same for every index: the sandbox, TestPyPI and PyPI differ in their `Index` value alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from release.adapters import collect
from release.adapters.install import installer, smoke_runner, smoke_test_plan, venv
from release.adapters.install.venv import Environment
from release.adapters.system.system import System
from release.adapters.twine import twine_process
from release.checks import trusted_publishing_checks
from release.core.config import Config
from release.core.events import Message, Observer, Progress
from release.core.facts import ProjectMetadata, UploadedRelease
from release.core.models import index_contents
from release.core.models.credential import Ambient, Credential
from release.core.models.distribution import Distribution
from release.core.models.finding import Finding, Unknown
from release.core.models.index import Index
from release.core.models.project_listing import ProjectListing
from release.core.models.secret_location import SandboxToken
from release.core.models.smoke_test import SmokeTest, SmokeTestResult
from release.core.models.upload_result import Receipt, UploadResult, result_from_listing
from release.core.plan import Confirm, Plan
from release.core.plan import Upload as UploadStep
from release.publishing import attest
from release.publishing.journal import Journal
from release.publishing.upload import errors as refusals
from release.publishing.upload import pending, token_exchange, upload_token, wait
from release.publishing.upload.errors import UploadError
from release.publishing.upload.uploader import MANY, Timing, Uploader
from release.publishing.upload.workers import UploadClient, UploadWorkers


@dataclass(kw_only=True)
class RunResources:
    """What one run has under way: a sandbox, a worker, an environment; and what became of each file."""

    system: System
    tell: Observer
    plan: Plan
    config: Config
    #: index name → the way in that its checklist looked at
    credentials: dict[str, Credential] = field(default_factory=dict)
    #: names of indexes that give a token in exchange for this job's identity, at the upload
    exchanging: set[str] = field(default_factory=set)
    #: index name → how far its clock is ahead of this machine's
    skews: dict[str, timedelta] = field(default_factory=dict)
    #: index name → what became of each file there, in order
    answers: dict[str, list[UploadResult]] = field(default_factory=dict)
    #: names of lasting indexes that this run has put, or may have put, something on
    touched: set[str] = field(default_factory=set)
    #: names of lasting indexes → when they take no more files of this release
    closes: dict[str, datetime] = field(default_factory=dict)
    #: how many files there will be, where that is known before they are looked at
    expected: int = 0
    #: starts what sends files; None: a twine process
    start: Callable[[], UploadClient] | None = None
    #: time and chance of the uploads; None: the system's
    timing: Timing | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _environment: Future[Environment] | None = None
    _lanes: UploadWorkers | None = None
    _sandbox: Index | None = None
    _scratch: Path | None = None

    def __enter__(self) -> Self:
        """Start now what later steps wait for: it costs nothing beside a build."""
        self._scratch = Path(self._stack.enter_context(_temporary_directory()))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="delivery"))
        if any(isinstance(step, Confirm) for step in self.plan.steps):
            self._next_environment()
        if any(isinstance(step, UploadStep) for step in self.plan.steps):
            self._lanes = self._stack.enter_context(
                UploadWorkers(self.start or partial(twine_process.start_worker, env=self.system.env))
            )
            self._lanes.grow(self._worth_having())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _worth_having(self) -> int:
        """Lanes to start beside the work before the upload: one is enough for what most projects release."""
        return max(1, min(self.config.upload.concurrency, self.expected - 1))

    def scratch(self, name: str) -> Path:
        """A path that nothing is at yet, gone when the run ends."""
        assert self._scratch is not None
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._scratch)) / name

    def sandbox(self, project: str) -> Index:
        """The embedded index, started at the first call, with a user who may create `project`."""
        if self._sandbox is None:
            from release.sandbox import seed_schema, server

            running = self._stack.enter_context(server.start_sandbox(seed_schema.seed_for_project(project)))
            self._sandbox = running.index()
            origin = SandboxToken()
            self.credentials[self._sandbox.name] = Credential(
                username="__token__", username_origin=origin, password=running.tokens["account"], origin=origin
            )
        return self._sandbox

    def credential(self, index: str, found: Credential | Ambient | Unknown | None, skew: timedelta | None) -> None:
        """Keep the way in that the checklist looked at: that very one is used. `skew`: of the index's clock."""
        if isinstance(found, Credential):
            self.credentials[index] = found
        elif isinstance(found, Ambient):
            self.exchanging.add(index)
            self.tell(Message(text=f"{index}: {trusted_publishing_checks.ambient_to_text(found)}"))
        self.skews[index] = skew or timedelta()

    # -- upload --------------------------------------------------------------------------------

    def upload(
        self,
        index: Index,
        project: ProjectMetadata,
        files: Sequence[Distribution],
        journal: Journal,
        *,
        ready: Callable[[], None],
    ) -> tuple[bool, str]:
        """Send what `index` does not have, and say whether there was anything to send.

        `ready` is called before the first request that changes anything, and may raise. Raises
        `UploadError` at the first file that is not taken; what was sent before it stays.
        """
        answers = self.answers[index.name] = []
        now = self.system.now() + self.skews.get(index.name, timedelta())
        there = self._listing(index, project)
        receipts, todo, refused = pending.find_remaining(files, index, there, project.version, now=now)
        self._note_closing(index, there, project)
        for receipt in receipts:
            answers.append(receipt)
            journal.write("accepted", index=index.name, file=receipt.filename, sha256=receipt.sha256)
            if len(files) <= MANY:
                self.tell(Message(text=f"{receipt.filename}: is there already"))
        if refused is not None:
            raise refusals.predicted_rejection(index, project, refused)
        if not todo:
            return False, f"{index.name} has all {len(files)} files"
        if receipts:
            self.tell(Message(text=pending.remaining_text(index, receipts, files, self.closes.get(index.name))))
        if index.name not in self.exchanging:
            self._check_metadata(index, project, todo, journal, self.credentials[index.name])
        ready()
        self._send(index, project, todo, journal, opened=bool(receipts))
        return True, f"{len(todo)} of {len(files)} files sent"

    def _send(
        self, index: Index, project: ProjectMetadata, todo: Sequence[Distribution], journal: Journal, *, opened: bool
    ) -> None:
        assert self._lanes is not None
        way_in = self._way_in(index, project, todo)
        if index.name in self.exchanging:  # the exchange is no look ahead: it comes after `ready`
            self._check_metadata(index, project, todo, journal, way_in())
        todo = attest.attach_attestations(
            todo, index, system=self.system, config=self.config, exchanging=index.name in self.exchanging,
            journal=journal, tell=self.tell,
        )  # fmt: skip
        upload = Uploader(
            index=index, project=project, journal=journal, tell=self.tell, lanes=self._lanes,
            credential=way_in, ask=partial(collect.listing_once, index, project.name),
            rules=self.config.upload, timing=self.timing or Timing(sleep=self.system.sleep),
            answers=self.answers[index.name],
        )  # fmt: skip
        if not index.ephemeral:
            self.touched.add(index.name)
        try:
            upload.run(todo, opened=opened)
        finally:
            if not upload.doubtful:
                self.touched.discard(index.name)
            elif index.name not in self.closes and index.kind == "warehouse":
                self.closes[index.name] = self.system.now() + index_contents.UPLOAD_WINDOW

    def _way_in(self, index: Index, project: ProjectMetadata, todo: Sequence[Distribution]) -> Callable[[], Credential]:
        """What goes with each file: for a token a copy of it, made anew before it is too old."""
        skew = self.skews.get(index.name, timedelta())
        if index.name in self.exchanging:
            return token_exchange.exchanging_credential(
                self.system, index, project, todo, attenuate=self.config.attenuate, skew=skew, tell=self.tell
            )

        def make() -> Credential:
            whole = self.credentials[index.name]
            now = self.system.now() + skew
            return (
                upload_token.attenuate_for_upload(whole, index, project, todo, now=now)
                if self.config.attenuate
                else whole
            )

        return upload_token.renewing_credential(make, self.system.now)

    def _check_metadata(
        self,
        index: Index,
        project: ProjectMetadata,
        todo: Sequence[Distribution],
        journal: Journal,
        credential: Credential,
    ) -> None:
        """Let the index look at the metadata first. Raises `UploadError` where it refuses any."""
        refused = upload_token.rejected_metadata(index, credential, project, todo)
        if refused is not None:
            self.answers[index.name].append(refused)
            journal.write("refused", index=index.name, file=refused.filename, text=refused.text)
            raise refusals.upload_error(index, project, refused)

    def _listing(self, index: Index, project: ProjectMetadata) -> ProjectListing | None:
        found = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(found, Unknown):
            raise UploadError(found.reason, remedy=found.remedy, cause=found.cause)
        return found

    def _note_closing(self, index: Index, there: ProjectListing | None, project: ProjectMetadata) -> None:
        until = pending.upload_deadline(index, there, project.version)
        if until is not None and not index.ephemeral:
            self.closes[index.name] = until

    # -- verify --------------------------------------------------------------------------------

    def verify(
        self, index: Index, project: ProjectMetadata, files: Sequence[Distribution], journal: Journal
    ) -> UploadedRelease:
        """What `index` lists of the release, and how it installs and behaves in a clean environment."""
        listing = wait.until_listed(
            self.system, self.tell, index, project, files, within=self.config.upload.visible_within
        )
        install: Finding | Unknown | None = None
        trials: tuple[SmokeTestResult, ...] = ()
        if isinstance(listing, ProjectListing) and all(
            isinstance(result_from_listing(file, listing), Receipt) for file in files
        ):
            install, trials = self._install(index, project, files, listing)
        return UploadedRelease(
            index=index, expected=tuple(files), accepted=journal.accepted(index.name), listing=listing,
            install=install, trials=trials,
            attested=attest.verify_sent_attestations(self.system, index, project, files, journal),
        )  # fmt: skip

    def _install(
        self, index: Index, project: ProjectMetadata, files: Sequence[Distribution], listing: ProjectListing
    ) -> tuple[Finding | Unknown | None, tuple[SmokeTestResult, ...]]:
        assert self._environment is not None
        chosen = venv.best_file(file.filename for file in files)
        on_index = listing.file(chosen) if chosen else None
        if on_index is None or on_index.sha256 is None:
            return Unknown(
                reason="no file of the release can be installed by this interpreter",
                remedy="run it with a Python that the release supports",
            ), ()
        self.tell(Progress(text=f"installing {on_index.filename} into a clean environment", unit="files"))
        clean = self._environment.result()
        self._next_environment()
        problem = venv.install_file(
            installer.without_testpypi(self.system, index), clean, name=project.name, version=project.version,
            url=on_index.url, sha256=on_index.sha256, on_line=lambda line: self.tell(Progress(text=line, unit="files")),
        )  # fmt: skip
        if problem is not None:
            return problem, ()
        self.tell(Progress(text="trying what was installed", unit="files"))
        return None, smoke_runner.run_smoke_tests(self.system, clean, name=project.name, wanted=self._wanted())

    def _wanted(self) -> tuple[SmokeTest, ...] | None:
        """What the configuration wants tried; None: what the installed project itself suggests."""
        asked = self.config.smoke
        if asked.imports is None and asked.commands is None:
            return None
        return smoke_test_plan.configured_attempts(asked.imports, asked.commands)

    def _next_environment(self) -> None:
        directory = self.scratch("environment")
        self._environment = self._pool.submit(venv.create_environment, self.system, directory)


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True)
