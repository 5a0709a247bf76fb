"""The commits since a tag: all of them, or those of a directory; with the titles of merged pull requests."""

from __future__ import annotations

from pathlib import Path

from release.adapters.git.commits import bytes_at, commits_after, dirty_paths, ongoing_operation
from release.adapters.system.system import real_system
from tests.git_repositories import committed, git


def test_commits_since_a_tag(tmp_path: Path) -> None:
    system, root = real_system(), committed(tmp_path, {"a/one.txt": "1", "b/two.txt": "2"})
    git(root, "tag", "v1.0")
    git(root, "switch", "-q", "-c", "topic")
    (root / "a/one.txt").write_text("changed")
    git(root, "commit", "-q", "-a", "-m", "Change one\n\nBecause.\n\nRefs: 7")
    git(root, "switch", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "Merge pull request #7 from acme/topic", "-m", "feat: one", "topic")
    (root / "b/two.txt").write_text("changed")
    git(root, "commit", "-q", "-a", "-m", "Change two")
    found = commits_after(system, root, "v1.0")
    assert [(one.subject, one.body) for one in found] == [
        ("Change two", ""), ("Merge pull request #7 from acme/topic", "feat: one"),
        ("Change one", "Because.\n\nRefs: 7"),
    ]  # fmt: skip
    assert all(len(one.commit) == 40 for one in found)
    assert [one.subject for one in commits_after(system, root, "v1.0", [":(top,literal)b"])] == ["Change two"]
    assert len(commits_after(system, root, None)) == 4
    assert bytes_at(system, root, "v1.0", "a/one.txt") == b"1"
    assert bytes_at(system, root, "v1.0", "a/none.txt") is None
    (root / "b/new.txt").write_text("new")
    assert dirty_paths(system, root, ["a", "b"]) == ("b/new.txt",)
    assert dirty_paths(system, root, []) == ()
    assert ongoing_operation(system, root) is None
    (root / ".git/MERGE_HEAD").write_text(found[0].commit)
    assert ongoing_operation(system, root) == "merge"
