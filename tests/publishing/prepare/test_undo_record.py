"""A preparation can be undone by whoever runs next: with every byte, and without losing what others wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.adapters.git import commits, repository
from release.core.errors import RefusedError, ReleaseError
from release.publishing.prepare import undo_record
from release.publishing.prepare.undo_record import UndoRecord
from tests.fake_system import fake_system

HEAD, MADE = "a" * 40, "b" * 40


class Repository:
    """In the place of git: where HEAD is, which tags there are, and what was taken back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.head, self.branch, self.own = HEAD, "main", True
        self.tags: dict[str, str] = {}
        self.done: list[Any] = []
        give = monkeypatch.setattr
        give(repository, "commit", lambda *_: self.head)
        give(repository, "branch", lambda *_: self.branch)
        give(repository, "find_root", lambda *_: root)
        give(repository, "tag_commit", lambda _s, _r, tag: self.tags.get(tag))
        give(commits, "require_unlocked", lambda *_: None)
        give(commits, "tag_object", lambda _s, _r, tag: "object" if tag in self.tags else None)
        give(commits, "remove_own_tag", lambda _s, _r, tag, _found: self.done.append(("tag", tag)))
        give(commits, "unstage", lambda _s, _r, paths: self.done.append(("unstage", *paths)))
        give(commits, "is_own_commit", lambda *_, **__: self.own)
        give(
            commits, "take_back_commit",
            lambda _s, _r, branch, *, commit, parent: self.done.append(("back", branch, commit, parent)),
        )  # fmt: skip


@pytest.fixture
def git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Repository:
    return Repository(monkeypatch, tmp_path)


def record(root: Path, **more: Any) -> UndoRecord:
    given: dict[str, Any] = {"message": "Release 1.1", "tags": ()}
    return UndoRecord(system=fake_system(), home=root, root=root, head=HEAD, branch="main", **given | more)


def test_files_get_their_bytes_back_and_new_ones_go(tmp_path: Path, git: Repository) -> None:
    old, new = tmp_path / "pyproject.toml", tmp_path / "news" / "1.1.md"
    old.write_bytes(b"before\r\n\xff")
    made = record(tmp_path)
    made.remember(["pyproject.toml", "news/1.1.md"])
    for path, data in (("pyproject.toml", b"after"), ("news/1.1.md", b"news")):
        made.remember_written(path, data)
        undo_record.write_file(tmp_path / path, data)
    made.save()
    assert made.changed() == ("pyproject.toml", "news/1.1.md")
    loaded = undo_record.load_undo_record(fake_system(), tmp_path)
    assert loaded is not None
    assert (loaded.before, loaded.written, loaded.message) == (made.before, made.written, "Release 1.1")
    assert loaded.undo() == ()
    assert old.read_bytes() == b"before\r\n\xff"
    assert not new.exists()
    assert not made.path.exists()
    assert git.done == [("unstage", "pyproject.toml", "news/1.1.md")]


def test_the_first_bytes_count_however_often_a_file_is_changed(tmp_path: Path, git: Repository) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    made = record(tmp_path)
    made.remember(["file"])
    path.write_bytes(b"second")
    made.remember(["file"])
    assert made.before == {"file": b"first"}


def test_what_somebody_else_wrote_meanwhile_is_kept_as_a_copy(tmp_path: Path, git: Repository) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    made = record(tmp_path)
    made.remember(["file"])
    made.remember_written("file", b"ours")
    for number, content in enumerate((b"theirs", b"theirs again"), 1):
        path.write_bytes(content)
        made.save()
        (note,) = made.undo()
        assert "had other content than the preparation wrote" in note
        copy = tmp_path / ".release" / "prepare-kept" / ("file" if number == 1 else "file.2")
        assert copy.read_bytes() == content
        assert path.read_bytes() == b"before"


def test_a_commit_is_taken_back_only_if_it_is_ours_and_the_branch_is_there(tmp_path: Path, git: Repository) -> None:
    made = record(tmp_path, commit=MADE)
    made.save()
    git.head = "f" * 40
    with pytest.raises(ReleaseError, match=r"the branch has moved since the preparation began: a{12} then, f{12} now"):
        made.undo()
    git.head, git.branch = MADE, "other"
    with pytest.raises(ReleaseError, match="the branch has moved"):
        made.undo()
    assert (made.path.exists(), git.done) == (True, [])
    git.branch = "main"
    made.undo()
    assert ("back", "main", MADE, HEAD) in git.done


def test_a_commit_of_a_killed_run_is_known_by_its_content(tmp_path: Path, git: Repository) -> None:
    made = record(tmp_path)
    assert made.has_made(MADE)
    assert not record(tmp_path, message=None).has_made(MADE), "no commit was to be made"
    git.own = False
    assert not made.has_made(MADE)
    assert record(tmp_path, commit=MADE).has_made(MADE)


def test_only_a_tag_on_our_commit_is_removed(tmp_path: Path, git: Repository) -> None:
    made = record(tmp_path, tags=("v1.1", "w1.1", "x1.1"), commit=MADE)
    made.save()
    git.head, git.tags = MADE, {"v1.1": MADE, "w1.1": "e" * 40}
    made.undo()
    assert [one for one in git.done if one[0] == "tag"] == [("tag", "v1.1")]


def test_a_whole_commit_of_a_killed_run_stays_and_half_of_one_goes(tmp_path: Path, git: Repository) -> None:
    made = record(tmp_path, tags=("v1.1",), commit=MADE)
    made.save()
    git.head, git.tags = MADE, {"v1.1": MADE}
    (note,) = undo_record.undo_interrupted(fake_system(), tmp_path)
    assert note.endswith("before it was killed; it stays")
    assert (git.done, made.path.exists()) == ([], False)
    made.save()
    git.tags = {}
    (note,) = undo_record.undo_interrupted(fake_system(), tmp_path)
    assert note == "undid a preparation that was killed: Release 1.1"
    assert ("back", "main", MADE, HEAD) in git.done
    assert undo_record.undo_interrupted(fake_system(), tmp_path) == ()


def test_nothing_else_starts_before_a_killed_preparation_is_undone(tmp_path: Path, git: Repository) -> None:
    undo_record.require_none_interrupted(fake_system(), tmp_path, "pypi-preflight prepare")
    record(tmp_path).save()
    with pytest.raises(RefusedError, match="a preparation was killed here") as refused:
        undo_record.require_none_interrupted(fake_system(), tmp_path, "pypi-preflight prepare")
    assert "pypi-preflight prepare" in refused.value.remedy


@pytest.mark.parametrize(
    "change",
    [
        {"before": {"../outside": None}},
        {"before": {"/etc/hosts": None}},
        {"before": {"file": "no base64!"}},
        {"before": None},
        {"written": {"file": None}},
        {"head": None, "tags": 1},
    ],
)
def test_a_damaged_record_changes_nothing(tmp_path: Path, git: Repository, change: dict[str, Any]) -> None:
    """Nor one that came with the repository and names a file outside of it."""
    made = record(tmp_path)
    made.save()
    document = json.loads(made.path.read_bytes())
    made.path.write_text(json.dumps(document | change))
    with pytest.raises(ReleaseError, match="the record of an interrupted preparation is damaged"):
        undo_record.undo_interrupted(fake_system(), tmp_path)
    made.path.write_bytes(b"{")
    with pytest.raises(ReleaseError, match="is damaged"):
        undo_record.load_undo_record(fake_system(), tmp_path)
    assert git.done == []


def test_writing_a_file_keeps_its_mode_and_none_removes_it(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    undo_record.write_file(path, b"new")
    path.chmod(0o640)
    before = path.stat().st_mode
    undo_record.write_file(path, b"newer")
    assert (path.read_bytes(), path.stat().st_mode) == (b"newer", before)
    undo_record.write_file(path, None)
    assert undo_record.current_bytes(path) is None
    assert undo_record.current_bytes(tmp_path / "below" / "file" / "x") is None
