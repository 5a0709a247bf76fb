"""What a run needs from building to confirmation: credentials, upload workers, a clean environment, the sandbox.

Sandbox, TestPyPI and PyPI are handled alike; only their `Index` value differs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.install import interpreters, smoke_tests, unreleased, venv
from release.adapters.system.safe_write import remove_tree
from release.adapters.system.system import System
from release.adapters.system.temporary_directory import temporary_directory
from release.checks import source_checks, trusted_publishing_checks
from release.core.config import Config
from release.core.errors import RefusedError
from release.core.events import Message, Observer
from release.core.facts import ProjectMetadata, UploadedRelease
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Ambient, Credential
from release.core.models.distribution import Distribution, Receipt, UploadResult, result_from_listing
from release.core.models.exchanged_token import IssuedToken, PublisherProof
from release.core.models.index import UPLOAD_WINDOW, Index, ProjectListing
from release.core.models.interpreter import RequiredPython
from release.core.models.results import StepResult
from release.core.models.smoke_test import SmokeTestResult
from release.core.models.source_tree import SourceTree
from release.core.plan import SANDBOX, Confirm, Plan
from release.credentials import exchange
from release.publishing import attest
from release.publishing.journal import Journal
from release.publishing.remote_release import install_file_and_test, wait_until_listed
from release.publishing.run_tools import RunTools, Tools
from release.publishing.upload import upload_state, upload_token
from release.publishing.upload.errors import UploadError, predicted_rejection, upload_error
from release.publishing.upload.index_session import IndexSession, open_session
from release.publishing.upload.uploader import MANY, Timing, Uploader
from release.publishing.upload.workers import UploadClient


class RunResources(Struct, kw_only=True):
    """The resources of one run, and the results of its uploads; a context manager."""

    system: System
    notify: Observer
    plan: Plan
    config: Config
    #: index name → the credential that was checked
    credentials: dict[str, Credential] = field(default_factory=dict)
    #: names of the indexes that use trusted publishing: the token is requested right before the upload
    trusted: set[str] = field(default_factory=set)
    #: index name → the token that the proof of the publisher left for the upload
    kept: dict[str, IssuedToken] = field(default_factory=dict)
    #: index name → how far its clock is ahead of this machine's
    skews: dict[str, timedelta] = field(default_factory=dict)
    #: index name → the result of each upload, in order
    uploads: dict[str, list[UploadResult]] = field(default_factory=dict)
    #: names of lasting indexes that this run has, or may have, uploaded something to
    touched: set[str] = field(default_factory=set)
    #: name of a lasting index → when it stops accepting files for this release
    deadlines: dict[str, datetime] = field(default_factory=dict)
    #: the project's; None where it is not known
    directory: Path | None = None
    #: the number of files, where it is known before the build
    expected: int = 0
    #: starts an upload client; None: a twine process
    start: Callable[[], UploadClient] | None = None
    #: clock and chance of the uploads; None: the system's
    timing: Timing | None = None
    #: those that it shares with other runs; None: it starts its own
    tools: Tools | None = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _scratch: Path | None = None

    def __enter__(self) -> Self:
        """Start what later steps need, in parallel to the build."""
        if self.system.python is not None:
            uses = "the build and the clean install"
            self.notify(Message(text=interpreters.chosen_to_text(self.system.python, uses)))
        self._scratch = self._stack.enter_context(temporary_directory())
        if self.tools is None:
            own = RunTools(
                system=self.system, plan=self.plan, settings=self.config.upload, scratch=self.scratch,
                start=self.start, expected=self.expected,
            )  # fmt: skip
            self.tools = self._stack.enter_context(own)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def _tools(self) -> Tools:
        assert self.tools is not None
        return self.tools

    def scratch(self, name: str) -> Path:
        """A path that does not exist yet, in a directory that is removed when the run ends."""
        assert self._scratch is not None
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._scratch)) / name

    def clear_scratch(self) -> None:
        """Remove what steps have left in that directory, where no later step needs it."""
        assert self._scratch is not None
        for path in self._scratch.iterdir():
            remove_tree(path)

    def sandbox(self, project: str) -> Index:
        """The embedded index, started at the first call, with a user who may create `project`."""
        index, self.credentials[SANDBOX] = self._tools.sandbox(project)
        return index

    @property
    def shares_sandbox(self) -> bool:
        """Whether other runs use the same embedded index."""
        return self._tools.shares_sandbox

    def build_system(self) -> System:
        """The system for builds."""
        return self._tools.build_system(self.system)

    def use_credential(
        self,
        index: str,
        found: Credential | Ambient | Unknown | None,
        skew: timedelta | None,
        proof: PublisherProof | Finding | Unknown | None = None,
    ) -> None:
        """Use the credential that was checked. `skew`: how far the index's clock is ahead."""
        if isinstance(proof, PublisherProof) and proof.kept is not None:
            self.kept[index] = proof.kept
            self._stack.callback(self._revoke_kept, index)
        if isinstance(found, Credential):
            self.credentials[index] = found
        elif isinstance(found, Ambient):
            self.trusted.add(index)
            self.notify(Message(text=f"{index}: {trusted_publishing_checks.ambient_to_text(found)}"))
        self.skews[index] = skew or timedelta()

    def _revoke_kept(self, index: str) -> None:
        if (unused := self.kept.pop(index, None)) is not None:
            exchange.revoke_token(self.config.index(index), unused)

    def use_python(self, required: RequiredPython | None) -> None:
        """Use the interpreter that the source or the built files require for the clean install.

        Raises `RefusedError` where none was found, unless the check is waived.
        """
        if required is None:
            return
        if required.chosen is None:
            if source_checks.a_required_python_is_installed.name not in self.config.waive:
                finding = source_checks.missing_python(required)
                raise RefusedError(finding.message, remedy=finding.remedy)
        elif required.chosen != interpreters.chosen_interpreter(self.system):
            self.system = interpreters.with_interpreter(self.system, required)
            self.notify(Message(text=interpreters.chosen_to_text(required, "the clean install")))
            if any(isinstance(step, Confirm) for step in self.plan.steps):
                self._tools.prepare_environment(self.system)

    # -- upload --------------------------------------------------------------------------------

    def upload(  # noqa: PLR0913 - files, their index, and what is asked on the way
        self, index: Index, project: ProjectMetadata, files: Sequence[Distribution], journal: Journal, *,
        approve: Callable[[], None], check: Callable[[UploadedRelease], object],
    ) -> StepResult:  # fmt: skip
        """Upload the files that `index` does not have.

        `approve` is called before the first request that changes anything, and may raise. Raises `UploadError` at the
        first file that is not accepted; earlier ones stay on the index, unless it has staged releases: there, `check`
        is called with what the stage shows, and may raise before anything is public.
        """
        self.use_python(collect.required_python_of_files(self.system, tuple(files)))
        self.uploads[index.name] = []
        remaining = self._compare_with_index(index, project, files, journal)
        todo = remaining.files
        if not todo:
            return StepResult(changed=False, note=f"{index.name} has all {len(files)} files")
        if remaining.receipts:
            self.notify(Message(text=upload_state.remaining_to_text(index, remaining, self.deadlines.get(index.name))))
        if index.name not in self.trusted:
            self._check_metadata(index, project, todo, journal, self.credentials[index.name])
        approve()
        with self._upload_credential(index, project, todo) as credential:
            if index.name in self.trusted:  # a token is only requested after approval
                self._check_metadata(index, project, todo, journal, credential())
            todo = attest.attach_attestations(
                todo, index, system=self.system, config=self.config, trusted=index.name in self.trusted,
                journal=journal, notify=self.notify,
            )  # fmt: skip
            with open_session(index, credential) as session:
                if not session.staged:
                    self._send(index, project, todo, journal, credential, opened=bool(remaining.receipts))
                else:
                    # a stage that is not published is nothing
                    apart = replace(journal, directory=self.scratch("stage"), lasting=False)
                    self._send(session.index, project, todo, apart, credential, opened=bool(remaining.receipts))
                    check(self.fetch_uploaded(session.index, project, files, apart))
                    self._publish(session, index, project, todo, journal)
        return StepResult(changed=True, note=f"{len(todo)} of {len(files)} files uploaded")

    def _compare_with_index(
        self, index: Index, project: ProjectMetadata, files: Sequence[Distribution], journal: Journal
    ) -> upload_state.Remaining:
        """What remains to be uploaded. Raises `RefusedError` where the index would refuse any of it."""
        listing = collect.collect_listing(index, project.name, fresh=True)
        if isinstance(listing, Unknown):
            raise UploadError(listing.reason, remedy=listing.remedy, cause=listing.cause)
        now = self.system.now() + self.skews.get(index.name, timedelta())
        remaining = upload_state.find_remaining(files, index, listing, project.version, now=now)
        deadline = upload_state.upload_deadline(index, listing, project.version)
        if deadline is not None and not index.ephemeral:
            self.deadlines[index.name] = deadline
        for receipt in remaining.receipts:
            self.uploads[index.name].append(receipt)
            journal.write("accepted", index=index.name, file=receipt.filename, sha256=receipt.sha256)
            if len(files) <= MANY:
                self.notify(Message(text=f"{receipt.filename}: already uploaded", detail=True))
        if remaining.rejection is not None:
            raise predicted_rejection(index, project, remaining.rejection)
        return remaining

    def _send(  # noqa: PLR0913 - files, their index, and how they are sent
        self, index: Index, project: ProjectMetadata, todo: Sequence[Distribution], journal: Journal,
        credential: Callable[[], Credential], *, opened: bool,
    ) -> None:  # fmt: skip
        with self._tools.workers() as (workers, settings):
            uploader = Uploader(
                index=index, project=project, journal=journal, notify=self.notify, workers=workers,
                credential=credential,
                fetch_listing=partial(collect.collect_listing, index, project.name, fresh=True, retries=0),
                rules=settings, timing=self.timing or Timing(sleep=self.system.sleep),
                results=self.uploads.get(index.name, []),  # those of a stage are no results of the run
            )  # fmt: skip
            if not index.ephemeral:
                self.touched.add(index.name)
            try:
                uploader.run(todo, opened=opened)
            finally:
                if not uploader.doubtful:
                    self.touched.discard(index.name)
                elif index.name not in self.deadlines and index.kind == "warehouse" and not index.ephemeral:
                    self.deadlines[index.name] = self.system.now() + UPLOAD_WINDOW

    def _publish(
        self, session: IndexSession, index: Index, project: ProjectMetadata, todo: Sequence[Distribution],
        journal: Journal,
    ) -> None:  # fmt: skip
        """Publish a stage. Raises `RefusedError`, and `UploadError` where it is unknown whether it is public."""
        for file in todo:
            journal.write("sending", index=index.name, file=file.filename, sha256=file.sha256)
        self.touched.add(index.name)
        try:
            session.publish(todo, project)
        except RefusedError:
            self.touched.discard(index.name)
            raise
        self.touched.discard(index.name)
        for file in todo:
            self.uploads[index.name].append(Receipt(filename=file.filename, sha256=file.sha256))
            journal.write("accepted", index=index.name, file=file.filename, sha256=file.sha256)

    def _upload_credential(
        self, index: Index, project: ProjectMetadata, todo: Sequence[Distribution]
    ) -> AbstractContextManager[Callable[[], Credential]]:
        """What returns the credential for the next file; tokens that are requested for it are revoked at the end."""
        skew, attenuate = self.skews.get(index.name, timedelta()), self.config.attenuate
        if index.name not in self.trusted:
            stored = self.credentials[index.name]
            return nullcontext(upload_token.stored_credential(
                self.system, stored, index, project, todo, attenuate=attenuate, skew=skew
            ))  # fmt: skip
        return upload_token.ExchangedCredential(
            system=self.system, index=index, project=project, files=todo, attenuate=attenuate, skew=skew,
            notify=self.notify, kept=self.kept.pop(index.name, None),
        )  # fmt: skip

    def _check_metadata(
        self,
        index: Index,
        project: ProjectMetadata,
        todo: Sequence[Distribution],
        journal: Journal,
        credential: Credential,
    ) -> None:
        """Let the index check the metadata before the upload. Raises `UploadError` where it refuses any."""
        rejection = upload_token.rejected_metadata(index, credential, project, todo)
        if rejection is not None:
            self.uploads[index.name].append(rejection)
            journal.write("refused", index=index.name, file=rejection.filename, text=rejection.message)
            raise upload_error(index, project, rejection)

    # -- confirm -------------------------------------------------------------------------------

    def fetch_uploaded(
        self,
        index: Index,
        project: ProjectMetadata,
        files: Sequence[Distribution],
        journal: Journal,
        *,
        source: SourceTree | None = None,
    ) -> UploadedRelease:
        """What `index` lists of the release, and how it installs and works in a clean environment.

        `source`: what git has of the project.
        """
        names, within = {file.filename for file in files}, self.config.upload.visible_within
        listing, _ = wait_until_listed(self.system, self.notify, index, project, names, within=within)
        install: Finding | Unknown | None = None
        trials: tuple[SmokeTestResult, ...] = ()
        if isinstance(listing, ProjectListing) and all(
            isinstance(result_from_listing(file, listing), Receipt) for file in files
        ):
            install, trials = self._install(index, project, files, listing)
        return UploadedRelease(
            index=index, expected=tuple(files), accepted=journal.accepted(index.name), listing=listing,
            install=install, trials=trials, source_tree=source, waived=frozenset(self.config.waive),
            attested=attest.verify_sent_attestations(self.system, index, project, files, journal),
        )  # fmt: skip

    def _install(
        self, index: Index, project: ProjectMetadata, files: Sequence[Distribution], listing: ProjectListing
    ) -> tuple[Finding | Unknown | None, tuple[SmokeTestResult, ...]]:
        self.use_python(collect.required_python_of_files(self.system, tuple(files)))
        chosen = venv.best_file((file.filename for file in files), interpreters.chosen_interpreter(self.system))
        on_index = listing.file(chosen) if chosen else None
        if on_index is None or on_index.sha256 is None:
            return Unknown(
                reason="this interpreter cannot install any file of the release",
                remedy="run the command with a Python version that the release supports",
            ), ()
        clean = self._tools.take_environment(self.system)
        wanted = smoke_tests.configured_smoke_tests(self.config.smoke)
        system = self._tools.install_system(self.system, index)
        explain = partial(unreleased.explain_missing, self.system, self.directory) if self.directory else None
        return install_file_and_test(system, clean, project, on_index, index.name, wanted, self.notify, explain)
