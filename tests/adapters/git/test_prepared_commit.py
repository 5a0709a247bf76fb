"""The commit of `prepare` is pushed where it was made, and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.git import prepared_commit, repository, tags
from tests.fake_system import fake_system

COMMIT = "c" * 40


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """What git says: the upstream, and whether the remote has the commit."""
    says: dict[str, object] = {"upstream": ("origin", "main"), "there": False}
    monkeypatch.setattr(repository, "upstream_branch", lambda *_: says["upstream"])
    monkeypatch.setattr(tags, "is_on_remote", lambda *_: says["there"])
    (tmp_path / ".release").mkdir()
    return says


def push(project: Path, commit: str = COMMIT) -> object:
    return prepared_commit.find_push(fake_system(), project, project, commit)


def test_only_the_last_prepared_commit_is_pushed(tmp_path: Path, remote: dict[str, object]) -> None:
    assert push(tmp_path) is None
    prepared_commit.mark_prepared(tmp_path, COMMIT)
    assert push(tmp_path) == ("origin", "main")
    assert push(tmp_path, "d" * 40) is None, "a commit that its user has made is pushed by its user"
    prepared_commit.mark_prepared(tmp_path, "d" * 40)
    assert push(tmp_path) is None


def test_a_commit_that_is_there_or_has_no_upstream_is_not_pushed(tmp_path: Path, remote: dict[str, object]) -> None:
    prepared_commit.mark_prepared(tmp_path, COMMIT)
    remote["there"] = True
    assert push(tmp_path) is None
    remote |= {"there": False, "upstream": None}
    assert push(tmp_path) is None


def test_a_mark_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / ".release").mkdir()
    (tmp_path / ".release" / "prepared-commit").write_bytes(b"\xff\xfe")
    assert not prepared_commit.is_prepared(tmp_path, COMMIT)
