"""The journal of a release: one JSON line per event, fsynced, next to the files that it describes.

    .release/
      .gitignore                  excludes the directory from the repository
      lock                        held by the current run
      prepare.lock, prepare.json  of a preparation: see release/publishing/prepare/undo_record.py
      rehearsal/                  the last rehearsal of the tree, with its record.json
      <version>/record.json       the runs for that version: see release/reports/record.py
      <version>/<commit>/         one release: journal.jsonl and dist/
      members/<name>/             the .release of a member of a set of files, which has no directory of its own
      sets/<time>/record.json     a run of the set whose root is here: see release/reports/set_record.py

The index is the truth, the journal is the history: a run fetches from the index what was uploaded, and reads from the
journal what was built. The event "verified" stands for a confirmed release.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from release.adapters.system.state_directory import releases_directory
from release.core.errors import ReleaseError, from_os_error, os_error_reason
from release.core.foreign_json import OWN_VALUES, ForeignJsonError, parse_foreign_json
from release.core.models.build_requirement import BuildEnvironments, InstalledRequirement
from release.core.models.distribution import Distribution
from release.core.plan import SANDBOX, Plan
from release.core.quoting import quote_path
from release.publishing.effects import record_effect

_NAME = "journal.jsonl"
REHEARSAL = "rehearsal"
RECORD = "record.json"


class Journal(Struct, frozen=True, kw_only=True):
    """The journal of one release, or of one rehearsal."""

    #: holds the journal and the files
    directory: Path
    #: 40 hex digits; None outside a repository
    commit: str | None
    #: in the project's spelling; None while it is unknown
    version: str | None
    #: whether what it records lasts; not what is on a stage that may never be published
    lasting: bool = True

    @property
    def dist(self) -> Path:
        """The directory of the release's files."""
        return self.directory / "dist"

    @property
    def record(self) -> Path:
        """The path of the version's record; a rehearsal of the tree has its own."""
        return (self.directory if self.directory.name == REHEARSAL else self.directory.parent) / RECORD

    def write(self, event: str, **fields: Any) -> None:
        """Append one event and fsync. Raises `OSError` where the disk is full or read-only."""
        self.write_all([{"event": event, **fields}])

    def write_all(self, events: Sequence[dict[str, Any]]) -> None:
        """Append events, each a mapping with "event" in it, in one write. Raises `OSError` as `write` does."""
        stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
        common = {"time": stamp, "event": "", "version": self.version, "commit": self.commit}
        lines = "".join(json.dumps(common | event, ensure_ascii=False) + "\n" for event in events)
        try:
            self._append(lines)
        except FileNotFoundError:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._append(lines)
        for event in events:
            if self.lasting and event.get("index") != SANDBOX:
                record_effect(event)

    def _append(self, lines: str) -> None:
        with (self.directory / _NAME).open("ab+") as file:
            if file.seek(0, os.SEEK_END):  # the last writer may have been interrupted in the middle of a line
                file.seek(-1, os.SEEK_END)
                lines = lines if file.read(1) == b"\n" else "\n" + lines
            file.write(lines.encode("utf-8", "backslashreplace"))  # JSON reads "\\udce9", of a byte that is not text
            file.flush()
            os.fsync(file.fileno())

    def events(self) -> Iterator[dict[str, Any]]:
        """Every complete event, oldest first. A partly written line is skipped."""
        try:
            text = (self.directory / _NAME).read_bytes()
        except FileNotFoundError:
            return
        for line in text.splitlines():
            try:
                record = parse_foreign_json(line, max_values=OWN_VALUES)
            except ForeignJsonError:
                continue
            if isinstance(record, dict) and "event" in record:
                yield record

    def last(self, event: str, **fields: Any) -> dict[str, Any] | None:
        """The newest event with that name and these values."""
        wanted = {"event": event, **fields}
        found = [one for one in self.events() if all(one.get(key) == value for key, value in wanted.items())]
        return found[-1] if found else None

    def built(self) -> tuple[Distribution, ...]:
        """The files of the last build; empty if there was none."""
        record = self.last("built")
        return tuple(
            Distribution(path=self.dist / item["file"], sha256=item["sha256"], size=item["size"])
            for item in (record["files"] if record else ())
        )

    def backend_warnings(self) -> tuple[str, ...]:
        """The warnings of the build backend about files in the last build."""
        record = self.last("built")
        return tuple(record.get("warnings", ())) if record else ()

    def build_environments(self) -> BuildEnvironments | None:
        """What the last build has installed; None where it was not recorded."""
        record = self.last("built")
        if record is None or "requirements" not in record:
            return None
        found = (InstalledRequirement(**one | {"allowed": tuple(one["allowed"])}) for one in record["requirements"])
        return BuildEnvironments(requirements=tuple(found), unpinned=tuple(record["unpinned"]))

    def accepted(self, index: str) -> frozenset[str]:
        """The names of the files that an index has accepted."""
        return frozenset(one["file"] for one in self.events() if one["event"] == "accepted" and one["index"] == index)

    def remove_files(self) -> None:
        """Remove the files of an earlier build before a new one."""
        from release.adapters.system.safe_write import remove_tree

        remove_tree(self.dist)


def environments_to_json(found: BuildEnvironments) -> dict[str, Any]:
    """What a build has installed, as the event "built" and the record have it."""
    return {"requirements": [asdict(one) for one in found.requirements], "unpinned": list(found.unpinned)}


def for_plan(plan: Plan, project: Path) -> Journal:
    """The journal for a run of the plan."""
    if plan.builds_tree or plan.version is None:
        return for_rehearsal(project, version=plan.version, commit=plan.commit)
    return for_release(project, version=plan.version, commit=plan.commit)


def for_release(project: Path, *, version: str, commit: str | None) -> Journal:
    """The journal of a release, keyed by version and commit."""
    directory = home_directory(project) / _safe(version) / (commit or "tree")[:12]
    return Journal(directory=directory, commit=commit, version=version)


def for_rehearsal(project: Path, *, version: str | None, commit: str | None) -> Journal:
    """The journal of the last rehearsal of the tree."""
    return Journal(directory=home_directory(project) / REHEARSAL, commit=commit, version=version)


def release_journals(project: Path) -> tuple[Journal, ...]:
    """The journals of all releases, the last modified one last."""
    found = sorted(releases_directory(project).glob(f"*/*/{_NAME}"), key=lambda path: path.stat().st_mtime)
    return tuple(_open(path.parent) for path in found)


def record_paths(project: Path) -> tuple[Path, ...]:
    """The paths of all records, the last modified one last."""
    return tuple(sorted(releases_directory(project).glob(f"*/{RECORD}"), key=lambda path: path.stat().st_mtime))


def record_path(project: Path, version: str) -> Path:
    """The path of a version's record, if there is one; "rehearsal" has one too."""
    return releases_directory(project) / _safe(version) / RECORD


def _safe(version: str) -> str:
    return "".join(c if c.isalnum() or c in ".+!_-" else "_" for c in version)


def _open(directory: Path) -> Journal:
    journal = Journal(directory=directory, commit=None, version=directory.parent.name)
    first = next(journal.events(), {})
    return replace(journal, commit=first.get("commit"), version=first.get("version") or journal.version)


def member_directory(root: Path, directory: str, name: str) -> Path:
    """The directory with the `.release` of a set's member; `directory` is empty where it is known from files only."""
    return root / directory if directory else releases_directory(root) / "members" / name


@contextmanager
def lock_project(project: Path) -> Iterator[None]:
    """Hold the project's lock. Raises `ReleaseError` where another run holds it."""
    with _lock(home_directory(project) / "lock", f"another run is in progress in {quote_path(project)}"):
        yield


@contextmanager
def lock_preparation(project: Path) -> Iterator[None]:
    """Hold the lock of a preparation, which runs checks meanwhile. Raises `ReleaseError` where another one holds it."""
    with _lock(
        home_directory(project) / "prepare.lock", f"another preparation is in progress in {quote_path(project)}"
    ):
        yield


@contextmanager
def lock_set(root: Path) -> Iterator[None]:
    """Hold the lock of the set at `root`. Raises `ReleaseError` where another run holds it."""
    path = home_directory(root) / "sets" / "lock"
    path.parent.mkdir(exist_ok=True)
    with _lock(path, f"another run of the set is in progress in {quote_path(root)}"):
        yield


@contextmanager
def _lock(path: Path, message: str) -> Iterator[None]:
    from filelock import FileLock, Timeout  # takes 15 ms, and `--help` needs no lock

    # the members of a set are locked by threads, and unlocked by the one that started them
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        held = lock.acquire()
    except Timeout:
        raise ReleaseError(message, remedy=f"wait until it ends; it holds the lock {quote_path(path)}") from None
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    with held:
        yield


def home_directory(project: Path) -> Path:
    """The directory of a project's releases, which its repository ignores; it is created if necessary.

    Raises `ReleaseError` where that is not possible, as in a read-only checkout.
    """
    home = releases_directory(project)
    try:
        home.mkdir(parents=home.parent != project, exist_ok=True)
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise _unwritable(home, error) from None
    return home


def _unwritable(home: Path, error: OSError) -> ReleaseError:
    if error.errno == errno.ENOSPC:
        return from_os_error(error)
    reason = "it is a file" if error.errno == errno.EEXIST else os_error_reason(error)
    return ReleaseError(
        f"cannot store anything in {quote_path(home)}: {reason}",
        remedy="store it in another directory: --state-dir DIR, or PREFLIGHT_STATE=DIR",
    )
