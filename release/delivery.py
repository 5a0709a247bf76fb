"""The stretch between built files and an index that has them: upload, look back, install, try.

The same for every index: the sandbox, TestPyPI and PyPI differ in their `Index` value alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from release import lending, survey
from release.adapters import environment, smoke, smoke_list, uploader
from release.adapters.environment import Environment
from release.adapters.system import System
from release.adapters.uploader import NotSentError, Worker
from release.config import Config
from release.diagnoses import remedy_for
from release.errors import RefusedError, ReleaseError
from release.facts import Project, Published
from release.journal import Journal
from release.model.credential import Credential, Origin
from release.model.distribution import Distribution
from release.model.event import Progress, Said, Tell
from release.model.finding import Finding, Unknown
from release.model.index import Index
from release.model.listing import Listing
from release.model.trial import Attempt, Trial
from release.model.upload import Answer, Receipt, Rejection, Unclear, settle
from release.plan import Plan, Upload, Verify

#: seconds that an index gets to show what it took; PyPI's own pages have lagged over 10 minutes
LAG = 30 * 60.0
#: seconds for an index on this machine, which has nothing between itself and us
LOOPBACK_LAG = 10.0


class UploadError(ReleaseError):
    """An index did not take a file."""


@dataclass(kw_only=True)
class Delivery:
    """What one run has under way: a sandbox, a worker, an environment; and what became of each file."""

    system: System
    tell: Tell
    plan: Plan
    config: Config
    #: index name → the way in that its checklist looked at
    credentials: dict[str, Credential] = field(default_factory=dict)
    #: index name → how far its clock is ahead of this machine's
    skews: dict[str, timedelta] = field(default_factory=dict)
    #: index name → what became of each file there, in order
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    #: names of lasting indexes that this run has put, or may have put, something on
    touched: set[str] = field(default_factory=set)
    _stack: ExitStack = field(default_factory=ExitStack)
    _environment: Future[Environment] | None = None
    _worker: Worker | None = None
    _sandbox: Index | None = None
    _scratch: Path | None = None

    def __enter__(self) -> Self:
        """Start now what later steps wait for: it costs nothing beside a build."""
        self._scratch = Path(self._stack.enter_context(_temporary_directory()))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(2, thread_name_prefix="delivery"))
        if any(isinstance(step, Verify) for step in self.plan.steps):
            self._next_environment()
        if any(isinstance(step, Upload) for step in self.plan.steps):
            self._worker = self._stack.enter_context(uploader.start(env=self.system.env))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def scratch(self, name: str) -> Path:
        """A path that nothing is at yet, gone when the run ends."""
        assert self._scratch is not None
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._scratch)) / name

    def sandbox(self, project: str) -> Index:
        """The embedded index, started at the first call, with a user who may create `project`."""
        if self._sandbox is None:
            from release.sandbox import server, world

            running = self._stack.enter_context(server.start(world.for_project(project)))
            self._sandbox = running.index()
            origin = Origin(kind="sandbox", detail="made for this run")
            self.credentials[self._sandbox.name] = Credential(
                username="__token__", username_origin=origin, password=running.tokens["account"], origin=origin
            )
        return self._sandbox

    def credential(self, index: str, found: Credential | Unknown | None, skew: timedelta | None) -> None:
        """Keep the way in that the checklist looked at: that very one is used. `skew`: of the index's clock."""
        if isinstance(found, Credential):
            self.credentials[index] = found
        self.skews[index] = skew or timedelta()

    # -- upload --------------------------------------------------------------------------------

    def upload(
        self,
        index: Index,
        project: Project,
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
        there = self._listing(index, project)
        todo = []
        for file in sorted(
            files, key=lambda one: one.kind == "sdist"
        ):  # wheels first: see the catalog, post.first-file-metadata
            match settle(file, there):
                case None:
                    todo.append(file)
                case Rejection(text=text):
                    raise RefusedError(
                        f"{index.name} has another {file.filename}: {text}",
                        remedy=self._remedy(index, project, text),
                        cause="file.exists-different",
                    )
                case Receipt() as receipt:
                    self._note(index, project, file, receipt, journal)
        if not todo:
            return False, f"{index.name} has all {len(files)} files"
        whole = self.credentials[index.name]
        for file in todo:
            if refused := lending.refused_metadata(index, whole, project, file):
                self._note(index, project, file, refused, journal)
        ready()
        now = self.system.now() + self.skews.get(index.name, timedelta())
        lent = lending.lent(whole, index, project, todo, now=now) if self.config.attenuate else whole
        for file in todo:
            self._send(index, project, file, journal, lent)
        return True, f"{len(todo)} of {len(files)} files sent"

    def _listing(self, index: Index, project: Project) -> Listing | None:
        found = survey.listing(index, project.name, fresh=True)
        if isinstance(found, Unknown):
            raise UploadError(found.reason, remedy=found.remedy)
        return found

    def _send(
        self, index: Index, project: Project, file: Distribution, journal: Journal, credential: Credential
    ) -> None:
        assert self._worker is not None
        self._worker.login(index, credential)
        journal.write("sending", index=index.name, file=file.filename, sha256=file.sha256)
        if not index.ephemeral:
            self.touched.add(index.name)
        what = f"{file.filename} to {index.name}"
        try:
            answer = self._worker.send(
                file, on_progress=lambda done, total: self.tell(Progress(what=what, done=done, total=total))
            )
        except NotSentError:
            self._untouched(index)
            raise
        if isinstance(answer, Unclear):
            self.tell(Said(text=f"{file.filename}: no clear answer ({answer.what}); asking {index.name} what it has"))
            answer = self._ask(index, project, file, answer)
        elif isinstance(answer, Rejection):
            self._untouched(index)
        self._note(index, project, file, answer, journal)

    def _ask(self, index: Index, project: Project, file: Distribution, answer: Unclear) -> Answer:
        """What the index says it has, after an answer that did not. Never sends anything again."""
        heard = False
        for wait in (1, 3, 8):
            found = survey.listing(index, project.name, fresh=True)
            if not isinstance(found, Unknown):
                heard = True
                if (settled := settle(file, found, sent=True)) is not None:
                    return settled
            self.system.sleep(0.2 if index.loopback else wait)
        if heard:
            self._untouched(index)
        return answer

    def _untouched(self, index: Index) -> None:
        """The index did not take what was sent; forget that this run sent anything, if that was all."""
        if not any(isinstance(one, Receipt) for one in self.answers[index.name]):
            self.touched.discard(index.name)

    def _note(self, index: Index, project: Project, file: Distribution, answer: Answer, journal: Journal) -> None:
        self.answers[index.name].append(answer)
        event = {Receipt: "accepted", Rejection: "refused", Unclear: "unclear"}[type(answer)]
        words = (
            {}
            if isinstance(answer, Receipt)
            else {"text": answer.text if isinstance(answer, Rejection) else answer.detail}
        )
        journal.write(event, index=index.name, file=file.filename, sha256=file.sha256, **words)
        match answer:
            case Receipt():
                state = "is there already" if answer.already_there else "accepted"
                self.tell(Said(text=f"{file.filename}: {state}"))
            case Rejection():
                raise UploadError(
                    f"{index.name} refuses {file.filename}: {answer.status} {answer.text}".strip(),
                    remedy=self._remedy(index, project, answer.text, answer.status),
                )
            case Unclear():
                raise UploadError(
                    f"{index.name} did not say whether it took {file.filename}: {answer.what}: {answer.detail}",
                    remedy="run it again: it asks the index what it has, by hash, and sends what is missing",
                )

    @staticmethod
    def _remedy(index: Index, project: Project, text: str, status: int | None = None) -> str:
        """What the catalog of known failures says about a server's words."""
        values = {
            "index": index.name, "upload_url": index.upload_url, "project": project.name, "version": project.version,
        }  # fmt: skip
        return remedy_for(text, status=status, values=values)

    # -- verify --------------------------------------------------------------------------------

    def verify(self, index: Index, project: Project, files: Sequence[Distribution]) -> Published:
        """What `index` lists of the release, and how it installs and behaves in a clean environment."""
        listing = self._wait_until_listed(index, project, files)
        install: Finding | Unknown | None = None
        trials: tuple[Trial, ...] = ()
        if isinstance(listing, Listing) and all(isinstance(settle(file, listing), Receipt) for file in files):
            install, trials = self._install(project, files, listing)
        return Published(index=index, expected=tuple(files), listing=listing, install=install, trials=trials)

    def _wait_until_listed(
        self, index: Index, project: Project, files: Sequence[Distribution]
    ) -> Listing | Unknown | None:
        lag, waited, pause = (LOOPBACK_LAG if index.loopback else LAG), 0.0, 1.0
        while True:
            found = survey.listing(index, project.name, fresh=True)
            if isinstance(found, Unknown) or not _missing(found, files) or waited >= lag:
                return found
            self.tell(
                Progress(what=f"waiting for {index.name} to list the files", done=waited, total=lag, unit="seconds")
            )
            self.system.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, 30.0)

    def _install(
        self, project: Project, files: Sequence[Distribution], listing: Listing
    ) -> tuple[Finding | Unknown | None, tuple[Trial, ...]]:
        assert self._environment is not None
        chosen = environment.choose(file.filename for file in files)
        on_index = listing.file(chosen) if chosen else None
        if on_index is None or on_index.sha256 is None:
            return Unknown(
                reason="no file of the release can be installed by this interpreter",
                remedy="run it with a Python that the release supports",
            ), ()
        self.tell(Progress(what=f"installing {on_index.filename} into a clean environment", unit="files"))
        clean = self._environment.result()
        self._next_environment()
        problem = environment.install(
            self.system, clean, name=project.name, version=project.version, url=on_index.url, sha256=on_index.sha256,
            on_line=lambda line: self.tell(Progress(what=line, unit="files")),
        )  # fmt: skip
        if problem is not None:
            return problem, ()
        self.tell(Progress(what="trying what was installed", unit="files"))
        return None, smoke.run(self.system, clean, name=project.name, wanted=self._wanted())

    def _wanted(self) -> tuple[Attempt, ...] | None:
        """What the configuration wants tried; None: what the installed project itself suggests."""
        asked = self.config.smoke
        if asked.imports is None and asked.commands is None:
            return None
        return smoke_list.asked_for(asked.imports, asked.commands)

    def _next_environment(self) -> None:
        directory = self.scratch("environment")
        self._environment = self._pool.submit(environment.create, self.system, directory)


def _missing(listing: Listing | None, files: Sequence[Distribution]) -> list[Distribution]:
    return [file for file in files if listing is None or listing.file(file.filename) is None]


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True)
