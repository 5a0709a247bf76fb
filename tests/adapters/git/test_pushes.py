"""The commit of a release reaches the branch of the remote without force, or the reason is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.git import pushes, repository
from release.adapters.git.prepared_commit import find_push, mark_prepared
from release.adapters.system.system import real_system
from release.core.errors import ToolError
from tests.git_repositories import committed, git

MAIN = "refs/heads/main"


def test_the_commit_of_a_preparation(tmp_path: Path) -> None:
    system, remote, root = real_system(), tmp_path / "remote.git", tmp_path / "here"
    root.mkdir()
    committed(root, {"a.txt": "1", ".gitignore": ".release/\n"})
    git(root, "init", "-q", "-b", "main", "--bare", str(remote))
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "-q", "-u", "origin", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "Release 1.0")
    commit = repository.commit(system, root)
    assert find_push(system, root, root, commit) is None  # it was made by hand
    mark_prepared(root, commit)
    assert find_push(system, root, root, commit) == ("origin", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "after it")  # stays here
    assert pushes.push_commit(system, root, commit, remote="origin", ref=MAIN)
    assert repository.remote_commit(system, root, "origin", MAIN) == commit
    assert not pushes.push_commit(system, root, commit, remote="origin", ref=MAIN)
    assert find_push(system, root, root, commit) is None

    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(remote), str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "meanwhile")
    git(other, "push", "-q", "origin", "main")
    theirs = repository.commit(system, other)
    with pytest.raises(ToolError) as raised:
        pushes.push_commit(system, root, repository.commit(system, root), remote="origin", ref=MAIN)
    assert "was not pushed" in raised.value.message
    assert raised.value.remedy.endswith("then push it: git push origin HEAD:main")
    assert repository.remote_commit(system, root, "origin", MAIN) == theirs
