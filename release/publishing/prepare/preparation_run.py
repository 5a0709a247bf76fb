"""Make the changes of a preparation: files, tools, checks, commit, tag. A failure undoes all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.git import commits, prepared_commit, tags
from release.adapters.git import repository as git
from release.adapters.system.process import TimedOutError
from release.adapters.system.program_output import cause_line, last_lines
from release.adapters.system.shell_detection import detect_user_environment
from release.adapters.system.system import System
from release.core import shell
from release.core.child_environment import how_to_pass, without_credentials
from release.core.errors import RefusedError, ReleaseError, ToolError, from_os_error
from release.core.events import Message, Observer, StepFinished, StepStarted
from release.core.models.check_result import Unknown
from release.core.models.distribution import parse_version
from release.core.models.preparation import FileEdit, ToolRun
from release.core.time_text import format_count
from release.publishing import journal as journals
from release.publishing.prepare.collect_preparation import CollectedPreparation, repository_path
from release.publishing.prepare.undo_record import UndoRecord, current_bytes, write_file

#: seconds for a tool of the project
_TOOL_LIMIT = 600


class PreparationRun(Struct, kw_only=True):
    """The changes of one preparation, or of those of the members of a set, which have one commit."""

    system: System
    #: has the `.release` with the record
    home: Path
    members: Sequence[CollectedPreparation]
    notify: Observer
    #: checks the changed projects; raises `ReleaseError`
    check: Callable[[], None]
    #: the commit that this run has made, or the one that it started from
    commit: str = ""
    _record: UndoRecord | None = None

    @property
    def record(self) -> UndoRecord:
        """What is to be undone."""
        if self._record is None:
            first = self.members[0]
            messages = [one.preparation.message for one in self.members if one.preparation.message]
            self._record = UndoRecord(
                system=self.system, home=self.home, root=first.root, head=first.commit, branch=first.branch,
                message=commit_message(self.members) if messages else None,
                tags=tuple(one.preparation.tag for one in self.members if one.preparation.tag),
            )  # fmt: skip
        return self._record

    @property
    def _passing(self) -> System:
        """The system whose hooks get the variables that any member passes."""
        passed = [name for one in self.members for name in one.config.pass_environment]
        return replace(self.system, passed=tuple(dict.fromkeys(passed)))

    def execute(self) -> None:
        """Make all changes. Raises `ReleaseError`, also for Ctrl-C; everything is undone then."""
        self._require_unmoved()
        try:
            self._change()
        except KeyboardInterrupt:
            error: ReleaseError = RefusedError("interrupted", remedy="run the same command again")
            raise self.undo_after(error) from None
        except OSError as problem:
            raise self.undo_after(from_os_error(problem)) from problem
        except ReleaseError as problem:
            raise self.undo_after(problem) from problem

    def undo_after(self, error: ReleaseError) -> ReleaseError:
        """Undo everything. The error to raise: the same one, which also says that everything is as before."""
        try:
            notes = self.record.undo()
        except (ReleaseError, OSError) as problem:
            found = problem if isinstance(problem, ReleaseError) else from_os_error(problem)
            return ToolError(
                f"{error.message}; and the preparation cannot be undone: {found.message}",
                remedy=f"{found.remedy}; then run the same command again, which undoes it",
            )
        self.notify(Message(text="everything is as it was before: no file is changed, nothing is committed"))
        for note in notes:
            self.notify(Message(text=note))
        return error

    def _change(self) -> None:
        record = self.record
        record.save()
        edits = [(one, edit) for one in self.members for edit in one.preparation.edits]
        if edits:
            with self._step(f"write {format_count(len(edits), 'file')}"):
                self._write(edits)
        for member in self.members:
            for run in member.preparation.runs:
                with self._step(run.what):
                    self._run(member, run)
        self.check()
        self.commit = record.head
        if record.message is not None:
            with self._step(f"commit {record.message.partition(chr(10))[0]!r}"):
                self._commit(record.message)
        for member in self.members:
            if member.preparation.tag is not None:
                with self._step(f"create the tag {member.preparation.tag} here"):
                    self._tag(member, member.preparation.tag)
        if record.message is not None:
            for member in self.members:
                journals.home_directory(member.directory)
                prepared_commit.mark_prepared(member.directory, self.commit)
        record.remove()

    def _require_unmoved(self) -> None:
        here, first = git.commit(self.system, self.members[0].root), self.members[0]
        if here != first.commit or git.branch(self.system, first.root) != first.branch:
            raise RefusedError(
                "the repository has changed since the plan was made", remedy="run the same command again"
            )

    def _write(self, edits: Sequence[tuple[CollectedPreparation, FileEdit]]) -> None:
        placed = [(repository_path(one.root, one.directory, edit.path), edit) for one, edit in edits]
        for path, edit in placed:
            if current_bytes(self.record.root / path) != edit.before:
                raise RefusedError(f"{path!r} has changed since the plan was made", remedy="run the same command again")
        for path, edit in placed:
            self.record.remember_written(path, edit.after)
        self.record.remember(path for path, _ in placed)
        for path, edit in placed:
            write_file(self.record.root / path, edit.after)

    def _run(self, member: CollectedPreparation, run: ToolRun) -> None:
        """Run a tool, without credentials, and record what it wrote. Raises `ToolError`."""
        record = self.record
        places = [repository_path(member.root, member.directory, path) for path in run.paths]
        files = [file for place in places for file in (*commits.files_below(self.system, record.root, place), place)]
        paths = [path for path in dict.fromkeys(files) if not (record.root / path).is_dir()]
        record.remember(paths)
        name = Path(run.argv[0]).name
        env = without_credentials(self.system.env, passed=member.config.pass_environment)
        try:
            done = self.system.run(run.argv, cwd=member.directory, env=env, timeout=_TOOL_LIMIT)
        except TimedOutError as error:
            raise ToolError(error.message, remedy=error.remedy) from None
        for path in paths:
            record.remember_written(path, current_bytes(record.root / path))
        record.save()
        if done.status:
            shell_name = detect_user_environment(self.system.env).shell_name
            reason = cause_line(done.output) or f"exit status {done.status}"
            shown = last_lines(done.output)
            by_hand = f"run it by hand, and fix what it reports: {shell.command_line(shell_name, *run.argv)}"
            pass_it = how_to_pass(self.system.env, done.output, passed=member.config.pass_environment)
            raise ToolError(
                f"{name} failed: {reason!r}" + (f"\n{shown}" if "\n" in shown else ""), remedy=pass_it or by_hand
            )

    def _commit(self, message: str) -> None:
        changed = self.record.changed()
        if not changed:
            raise RefusedError(
                "the preparation has changed no file",
                remedy="run the tools of the changelog by hand: they wrote nothing",
            )
        self.commit = commits.create_commit(self._passing, self.record.root, message, changed)
        self.record.commit = self.commit
        self.record.save()

    def _tag(self, member: CollectedPreparation, tag: str) -> None:
        """Tag the commit, and compare the version that its tool derives. Raises `ReleaseError`."""
        made = member.preparation
        message = f"{made.project} {made.proposal.text}\n"
        tags.create_tag(self._passing, member.root, tag, self.commit, message)
        system = replace(self.system, passed=member.config.pass_environment)
        project = collect.collect_project(system, member.directory)
        if isinstance(project, Unknown):
            raise RefusedError(project.reason, remedy=project.remedy)
        if parse_version(project.version) != made.proposal.version:
            raise RefusedError(
                f"with the tag {tag!r} the version is {project.version}, not {made.proposal.text}",
                remedy="configure tag-format in [tool.release] as the tool reads tags, and leave the tree clean",
            )

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        started = time.monotonic()
        self.notify(StepStarted(title=title))
        try:
            yield
        except BaseException as error:
            note = error.message if isinstance(error, ReleaseError) else "interrupted"
            seconds = time.monotonic() - started
            self.notify(StepFinished(title=title, status="refused", note=note, seconds=seconds))
            raise
        self.notify(StepFinished(title=title, status="done", note="", seconds=time.monotonic() - started))


def commit_message(members: Sequence[CollectedPreparation]) -> str:
    """The message of the commit: "Release 1.2.0"; of several projects, with their names and versions."""
    made = [one.preparation for one in members]
    versions = {one.proposal.text for one in made}
    if len(made) == 1 or len(versions) == 1:
        subject = f"Release {made[0].proposal.text}"
        return subject if len(made) == 1 else f"{subject}\n\n" + "\n".join(f"- {one.project}" for one in made)
    named = [f"{one.project} {one.proposal.text}" for one in made]
    subject = f"Release {', '.join(named)}"
    if len(subject) <= 72:  # noqa: PLR2004 - the usual width of a subject
        return subject
    return f"Release {len(made)} projects\n\n" + "\n".join(f"- {one}" for one in named)
