"""What a preparation has to undo, as a file next to the project: a run that is killed leaves it to the next one.

.release/prepare.json       the record; it is there while files are changed and not committed yet
.release/prepare-kept/      contents that neither this program nor its tools are known to have written
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from itertools import chain, count
from pathlib import Path

from msgspec import Struct, field

from release.adapters.git import commits
from release.adapters.git import repository as git
from release.adapters.system import safe_write
from release.adapters.system.deferred_signals import ignored_signals
from release.adapters.system.state_directory import releases_directory
from release.adapters.system.system import System
from release.core.errors import RefusedError, ReleaseError
from release.core.foreign_json import OWN_VALUES, parse_foreign_json
from release.core.quoting import quote_path
from release.publishing import journal as journals

_NAME, _KEPT = "prepare.json", "prepare-kept"


class UndoRecord(Struct, kw_only=True):
    """What to undo. Paths are relative to the repository, with slashes."""

    system: System
    #: has the `.release` with the record
    home: Path
    #: of the repository
    root: Path
    #: of HEAD before, 40 hex digits
    head: str
    branch: str
    #: of the commit to be made; None: none
    message: str | None
    #: the tags to be made
    tags: tuple[str, ...] = ()
    #: the commit that was made, 40 hex digits; None: not yet, or not known
    commit: str | None = None
    #: path → its bytes before; None where there was no such file
    before: dict[str, bytes | None] = field(default_factory=dict)
    #: path → each content that this preparation gave it
    written: dict[str, list[bytes | None]] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The path of the record."""
        return journals.home_directory(self.home) / _NAME

    def remember(self, paths: Iterable[str]) -> None:
        """Record the bytes of files before they change. Raises `OSError`."""
        for path in paths:
            if path not in self.before:
                self.before[path] = current_bytes(self.root / path)
        self.save()

    def remember_written(self, path: str, data: bytes | None) -> None:
        """Record a content before it is written."""
        self.written.setdefault(path, []).append(data)

    def changed(self) -> tuple[str, ...]:
        """The paths that have other bytes than before."""
        return tuple(path for path, data in self.before.items() if current_bytes(self.root / path) != data)

    def save(self) -> None:
        """Write the record. Raises `OSError`."""
        document = {
            "schema": 1, "head": self.head, "branch": self.branch, "message": self.message, "tags": list(self.tags),
            "commit": self.commit,
            "before": {path: _encode(data) for path, data in self.before.items()},
            "written": {path: [_encode(one) for one in many] for path, many in self.written.items()},
        }  # fmt: skip
        safe_write.write_atomically(self.path, json.dumps(document, indent=1).encode())

    def remove(self) -> None:
        """Remove the record: there is nothing to undo any more. Raises `OSError`."""
        safe_write.remove_file(self.path)

    def undo(self) -> tuple[str, ...]:
        """Undo everything: the tags, none of which existed before, the commit, the files, the index.

        Signals wait meanwhile. What the user should know of it: contents that were kept. Raises `ReleaseError` where
        something cannot be undone; the record stays then.
        """
        with ignored_signals():
            commits.require_unlocked(self.system, self.root)
            here = git.commit(self.system, self.root)
            for tag in self.tags:
                found = commits.tag_object(self.system, self.root, tag)
                if found and git.tag_commit(self.system, self.root, tag) in {here, self.head}:
                    commits.remove_own_tag(self.system, self.root, tag, found)
            if here != self.head:
                self._take_back(here)
            commits.unstage(self.system, self.root, self.before)
            notes = tuple(note for path, data in self.before.items() if (note := self._restore(path, data)))
            self.remove()
            return notes

    def has_made(self, commit: str) -> bool:
        """Whether the preparation has made this commit. It may have been killed before it recorded that."""
        if self.commit is not None or self.message is None:
            return commit == self.commit
        return commits.is_own_commit(
            self.system, self.root, commit, parent=self.head, message=self.message, paths=self.before
        )

    def _take_back(self, here: str) -> None:
        if not self.has_made(here) or git.branch(self.system, self.root) != self.branch:
            raise ReleaseError(
                f"the branch has moved since the preparation began: {self.head[:12]} then, {here[:12]} now",
                remedy=f"check the files by hand: git diff {self.head[:12]}; then delete {quote_path(self.path)}",
            )
        commits.take_back_commit(self.system, self.root, self.branch, commit=here, parent=self.head)

    def _restore(self, path: str, data: bytes | None) -> str:
        """Give a file its bytes back. A note where its content was not written by the preparation."""
        place, note = self.root / path, ""
        there = current_bytes(place)
        if there == data:
            return ""
        if there is not None and there not in self.written.get(path, ()):
            copy = _unused_path(self.path.with_name(_KEPT) / path)
            safe_write.write_atomically(copy, there)
            note = f"{path} had other content than the preparation wrote: a copy is in {copy}"
        write_file(place, data)
        return note


def write_file(path: Path, data: bytes | None) -> None:
    """Give a file this content, and leave its mode; None removes it. Raises `OSError`."""
    if data is None:
        safe_write.remove_file(path)
    elif path.exists():
        safe_write.replace_private_file(path, path.read_bytes(), data, keep_mode=True)
    else:
        safe_write.write_atomically(path, data)


def current_bytes(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none. Raises `OSError`."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def load_undo_record(system: System, home: Path) -> UndoRecord | None:
    """The record that a killed preparation has left; None without one. Raises `ReleaseError` where it is damaged."""
    path = releases_directory(home) / _NAME
    try:
        document = parse_foreign_json(path.read_bytes(), max_values=OWN_VALUES)
        root = git.find_root(system, home) or home
        return UndoRecord(
            system=system, home=home, root=root, head=document["head"], branch=document["branch"],
            message=document["message"], tags=tuple(document["tags"]), commit=document["commit"],
            before={_inside(root, name): _decode(text) for name, text in document["before"].items()},
            written={name: [_decode(one) for one in many] for name, many in document["written"].items()},
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReleaseError(
            f"the record of an interrupted preparation is damaged: {quote_path(path)}",
            remedy="compare the files with HEAD (git diff), and take back what the preparation changed; then delete "
            "the record",
        ) from None


def require_none_interrupted(system: System, home: Path, command: str) -> None:
    """Raise `RefusedError` where a preparation was killed: the changes here are its own. `command` undoes them."""
    if load_undo_record(system, home) is not None:
        raise RefusedError(
            "a preparation was killed here, and its changes are not undone yet",
            remedy=f"run {command}, which undoes them before anything else",
        )


def undo_interrupted(system: System, home: Path) -> tuple[str, ...]:
    """Undo what a preparation that was killed has left. What was undone; empty where there was nothing.

    A commit that was made whole, with its tags, stays. Raises `ReleaseError` where it cannot be undone.
    """
    record = load_undo_record(system, home)
    if record is None:
        return ()
    commits.require_unlocked(system, record.root)
    here = git.commit(system, record.root)
    if here != record.head and _is_whole(record, here):
        record.remove()
        return (f"an earlier run made the commit {here[:12]} ({record.message}) before it was killed; it stays",)
    notes = record.undo()
    return (f"undid a preparation that was killed: {record.message or ', '.join(record.tags)}", *notes)


def _is_whole(record: UndoRecord, here: str) -> bool:
    """Whether the commit, and every tag on it, was made."""
    return record.has_made(here) and all(git.tag_commit(record.system, record.root, tag) == here for tag in record.tags)


def _inside(root: Path, name: str) -> str:
    """The path, which is in the repository: the record may be part of it. Raises `ValueError`."""
    (root / name).resolve().relative_to(root.resolve())
    return name


def _unused_path(path: Path) -> Path:
    """The path, or the first one with a number after it, that no file has: an earlier copy stays."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in count(2))
    return next(one for one in chain([path], numbered) if not one.exists())


def _encode(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _decode(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)
