"""Git, asked about real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.git import repository as git
from release.adapters.git import tags
from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError
from release.core.models.check_result import Unknown

_WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A"}
_WHO |= {"GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "", "GIT_CONFIG_NOSYSTEM": "1"}


def system(**more: str) -> System:
    here = real_system()
    return replace(here, env={**here.env, **_WHO, **more})


def do(where: Path, *arguments: str) -> str:
    allow = ("-c", "protocol.file.allow=always")
    return subprocess.run(
        ["git", *allow, *arguments], cwd=where, env=dict(system().env), check=True, capture_output=True, text=True
    ).stdout.strip()


def repository(where: Path, **files: str) -> Path:
    where.mkdir(parents=True, exist_ok=True)
    do(where, "init", "--quiet", "--initial-branch=main")
    return commit(where, **(files or {"a.txt": "a"}))


def commit(where: Path, **files: str) -> Path:
    for name, text in files.items():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(text)
    do(where, "add", "--all")
    do(where, "commit", "--quiet", "--allow-empty", "--message=x")
    return where


def test_a_directory_in_no_repository_has_no_root(tmp_path: Path) -> None:
    assert git.find_root(system(GIT_CEILING_DIRECTORIES=str(tmp_path.parent)), tmp_path) is None


def test_without_git_there_is_no_root(tmp_path: Path) -> None:
    assert git.find_root(system(PATH=str(tmp_path)), repository(tmp_path / "r")) is None


def test_a_directory_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no directory"):
        git.find_root(system(), tmp_path / "gone")


def test_a_subdirectory_has_the_root_of_its_repository_unless_it_is_ignored(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"pkg/a.txt": "a", ".gitignore": "out/\n"})
    (top / "out" / "unpacked").mkdir(parents=True)
    assert git.find_root(system(), top) == top
    assert git.find_root(system(), top / "pkg") == top
    assert git.find_root(system(), top / "out" / "unpacked") is None


def test_a_repository_of_somebody_else_is_an_error_with_its_remedy(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    with pytest.raises(ToolError, match="does not trust") as caught:
        git.find_root(system(GIT_TEST_ASSUME_DIFFERENT_OWNER="1"), top)
    assert "safe.directory" in caught.value.remedy


def test_variables_that_point_elsewhere_change_nothing(tmp_path: Path) -> None:
    top, other = repository(tmp_path / "r"), repository(tmp_path / "other")
    misled = system(GIT_DIR=str(other / ".git"), GIT_WORK_TREE=str(other), GIT_INDEX_FILE=str(other / "i"))
    assert git.find_root(misled, top) == top
    assert git.changed_paths(misled, top) == ()


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    do(tmp_path, "init", "--quiet")
    with pytest.raises(ToolError, match="no commit yet"):
        git.commit(system(), tmp_path)


def test_commit_time_branch_and_tags(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    here = git.commit(system(), top)
    assert here == do(top, "rev-parse", "HEAD")
    assert git.commit_time(system(), top, here) == int(do(top, "log", "-1", "--format=%ct"))
    assert git.branch(system(), top) == "main"
    assert git.tag_commit(system(), top, "v1.0") is None
    tags.create_tag(system(), top, "v1.0", here, "acme 1.0\n\n# not a comment")
    assert do(top, "cat-file", "-t", "v1.0") == "tag"
    assert do(top, "tag", "--list", "--format=%(contents)").endswith("# not a comment")
    assert git.tag_commit(system(), top, "v1.0") == here
    assert git.tags_at(system(), top, here) == ("v1.0",)
    with pytest.raises(ToolError, match="already exists"):
        tags.create_tag(system(), top, "v1.0", here, "again")
    do(top, "checkout", "--quiet", "--detach")
    assert git.branch(system(), top) is None
    assert git.upstream(system(), top) is None


def test_changes_name_every_path_that_differs(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"old name.txt": "same\n" * 9, "b.txt": "b", ".gitignore": "*.pyc\n"})
    assert git.changed_paths(system(), top) == ()
    do(top, "mv", "old name.txt", "näw.txt")
    (top / "b.txt").write_text("changed")
    (top / "new").mkdir()
    (top / "new" / "c.txt").write_text("c")
    (top / "x.pyc").write_text("ignored")
    assert sorted(git.changed_paths(system(), top)) == ["b.txt", "new/", "näw.txt", "old name.txt"]


def test_looking_at_changes_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    top = repository(tmp_path / "r")
    (top / "a.txt").touch()
    before = (top / ".git" / "index").read_bytes()
    git.changed_paths(system(), top)
    assert (top / ".git" / "index").read_bytes() == before


def cloned(tmp_path: Path) -> tuple[Path, Path]:
    far = repository(tmp_path / "far")
    do(tmp_path, "clone", "--quiet", str(far), "near")
    return far, tmp_path / "near"


def test_behind_counts_what_the_upstream_has_and_changes_nothing(tmp_path: Path) -> None:
    far, near = cloned(tmp_path)
    assert git.upstream(system(), near) == "origin/main"
    assert git.commits_behind(system(), near) == 0
    commit(near, **{"mine.txt": "m"})
    assert git.commits_behind(system(), near) == 0
    commit(commit(far, **{"theirs.txt": "t"}), **{"more.txt": "t"})
    refs = do(near, "for-each-ref")
    assert git.commits_behind(system(), near) == 1, "commits that are not here count as one"
    assert do(near, "for-each-ref") == refs
    do(near, "fetch", "--quiet")
    assert git.commits_behind(system(), near) == 2


def test_without_an_upstream_nothing_is_behind(tmp_path: Path) -> None:
    assert git.commits_behind(system(), repository(tmp_path / "r")) == 0


def test_an_upstream_that_is_gone_at_the_remote_has_nothing(tmp_path: Path) -> None:
    far, near = cloned(tmp_path)
    do(far, "branch", "--move", "main", "trunk")
    assert git.commits_behind(system(), near) == 0


def test_a_remote_out_of_reach_is_unknown_unless_what_was_fetched_tells_enough(tmp_path: Path) -> None:
    far, near = cloned(tmp_path)
    commit(far)
    do(near, "fetch", "--quiet")
    do(near, "remote", "set-url", "origin", "http://127.0.0.1:9/none.git")
    assert git.commits_behind(system(), near) == 1
    do(near, "merge", "--quiet", "--ff-only", "origin/main")
    unknown = git.commits_behind(system(), near)
    assert isinstance(unknown, Unknown)
    assert "origin/main" in unknown.reason
    assert "git fetch" in unknown.remedy


def test_a_clone_has_the_commit_its_tags_and_nothing_else(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"a.txt": "first"})
    first = git.commit(system(), top)
    tags.create_tag(system(), top, "v1", first, "one")
    commit(top, **{"a.txt": "second"})
    (top / "stray.txt").write_text("untracked")
    into = tmp_path / "clone"
    git.clone_commit(system(), top, first, into)
    assert sorted(p.name for p in into.iterdir()) == [".git", "a.txt"]
    assert (into / "a.txt").read_text() == "first"
    assert git.tags_at(system(), into, first) == ("v1",)
    assert git.changed_paths(system(), into) == ()


def test_a_clone_has_the_bytes_of_the_commit_whatever_git_writes_elsewhere(tmp_path: Path) -> None:
    """Git for Windows sets core.autocrlf=true for everybody."""
    inner = repository(tmp_path / "inner", **{"deep.txt": "d\n"})
    top = repository(tmp_path / "r", **{"a.txt": "1\n2\n", "b.bat": "3\n", ".gitattributes": "*.bat text eol=crlf\n"})
    do(top, "submodule", "--quiet", "add", str(inner), "lib")
    commit(top)
    config = tmp_path / "config"
    config.write_text("[core]\nautocrlf = true\n", encoding="utf-8")
    into = tmp_path / "clone"
    git.clone_commit(system(GIT_CONFIG_GLOBAL=str(config)), top, git.commit(system(), top), into)
    assert (into / "a.txt").read_bytes() == b"1\n2\n"
    assert (into / "lib" / "deep.txt").read_bytes() == b"d\n"
    assert (into / "b.bat").read_bytes() == b"3\r\n", "what the project asks for"
    assert git.changed_paths(system(GIT_CONFIG_GLOBAL=str(config)), into) == ()


def test_a_clone_brings_submodules_from_where_they_are(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", **{"deep.txt": "d"})
    lib = repository(tmp_path / "lib", **{"lib.txt": "l"})
    do(lib, "submodule", "--quiet", "add", str(inner), "vendored")
    commit(lib)
    top = repository(tmp_path / "r")
    do(top, "submodule", "--quiet", "add", str(lib), "third party/lib")
    do(top, "submodule", "--quiet", "update", "--init", "--recursive")
    commit(top)
    lib.rename(tmp_path / "moved")
    into = tmp_path / "clone"
    git.clone_commit(system(), top, git.commit(system(), top), into)
    assert (into / "third party" / "lib" / "lib.txt").read_text() == "l"
    assert (into / "third party" / "lib" / "vendored" / "deep.txt").read_text() == "d"
    assert git.changed_paths(system(), into) == ()


def with_large_file(tmp_path: Path, smudge: str) -> Path:
    """A repository with a pointer, and a filter of its own as `git lfs install --local` configures it."""
    top = repository(tmp_path / "r", **{".gitattributes": "*.bin filter=lfs\n", "x.bin": "pointer"})
    do(top, "config", "filter.lfs.smudge", smudge)
    do(top, "config", "filter.lfs.required", "true")
    (top / ".git" / "lfs").mkdir()
    (top / ".git" / "lfs" / "object").write_text("content")
    return top


@pytest.mark.skipif(os.name == "nt", reason="the filter is a shell command")
def test_a_clone_has_the_large_files_that_its_source_has(tmp_path: Path) -> None:
    smudge = 'cat "$(git config lfs.storage)/object"'
    top = with_large_file(tmp_path, smudge)
    git.clone_commit(system(), top, git.commit(system(), top), tmp_path / "clone")
    assert (tmp_path / "clone" / "x.bin").read_text() == "content"
    outer = repository(tmp_path / "outer")
    do(outer, "submodule", "--quiet", "add", str(top), "lib")
    commit(outer)
    for words in (("filter.lfs.smudge", smudge), ("filter.lfs.required", "true")):
        do(outer / "lib", "config", *words)
    storage = outer / ".git" / "modules" / "lib" / "lfs"
    storage.mkdir()
    (storage / "object").write_text("of the submodule")
    git.clone_commit(system(), outer, git.commit(system(), outer), tmp_path / "second")
    assert (tmp_path / "second" / "lib" / "x.bin").read_text() == "of the submodule"


@pytest.mark.skipif(os.name == "nt", reason="the filter is a shell command")
def test_a_large_file_that_was_not_fetched_stops_the_clone(tmp_path: Path) -> None:
    top = with_large_file(tmp_path, "exit 1")
    with pytest.raises(ToolError, match="Git LFS has no content for a file of the commit") as caught:
        git.clone_commit(system(), top, git.commit(system(), top), tmp_path / "clone")
    assert caught.value.remedy == "git lfs pull"


def test_a_shallow_clone_is_told(tmp_path: Path) -> None:
    far = commit(repository(tmp_path / "far"))
    do(tmp_path, "clone", "--quiet", "--depth=1", far.as_uri(), "near")
    assert git.is_shallow(system(), tmp_path / "near")
    assert not git.is_shallow(system(), far)
    into = tmp_path / "clone"
    git.clone_commit(system(), tmp_path / "near", git.commit(system(), tmp_path / "near"), into)
    assert (into / "a.txt").exists()


def test_a_snapshot_is_the_tree_as_it_stands(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"pkg/a.txt": "a", "gone.txt": "g", ".gitignore": "*.pyc\n"})
    tags.create_tag(system(), top, "v1", "HEAD", "one")
    (top / "pkg" / "a.txt").write_text("changed")
    (top / "pkg" / "new.txt").write_text("n")
    (top / "pkg" / "x.pyc").write_text("ignored")
    (top / "gone.txt").unlink()
    place = builder.copy_project(system(), top / "pkg", tmp_path / "copy")
    assert place == tmp_path / "copy" / "pkg"
    assert sorted(p.name for p in place.iterdir()) == ["a.txt", "new.txt"]
    assert (place / "a.txt").read_text() == "changed"
    assert git.changed_paths(system(), tmp_path / "copy") == git.changed_paths(system(), top)
    assert git.tags_at(system(), tmp_path / "copy", "HEAD") == ("v1",)


def test_a_snapshot_needs_no_repository(tmp_path: Path) -> None:
    source = tmp_path / "s"
    (source / ".release").mkdir(parents=True)
    (source / "setup.py").write_text("x")
    outside = system(GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert [p.name for p in builder.copy_project(outside, source, tmp_path / "copy").iterdir()] == ["setup.py"]


def test_what_is_neither_tracked_nor_ignored(tmp_path: Path) -> None:
    """A file that is reached through a tracked link is in git."""
    top = repository(tmp_path / "r", **{"real/a.txt": "a", "pkg/b.py": "b", ".gitignore": "*.pyc\n"})
    (top / "pkg" / "link").symlink_to(top / "real", target_is_directory=True)
    (top / "top-link").symlink_to("real", target_is_directory=True)
    commit(top)
    assert git.untracked_files(system(), top) == ()
    (top / "pkg" / "x.pyc").write_text("ignored")
    (top / "pkg" / "new.txt").write_text("n")
    (top / "stray").symlink_to("real", target_is_directory=True)
    assert git.untracked_files(system(), top) == ("pkg/new.txt", "stray")
    assert git.untracked_files(system(), top / "pkg") == ("new.txt",)


def test_a_full_disk_is_named() -> None:
    errors = "error: copy-fd: write returned: No space left on device\nfatal: cannot copy 'x'\n"
    failed = git._failed(Path("acme"), "clone", Completed(status=128, output="", errors=errors))
    assert failed.message == "no space left on the disk during `git clone`"
    assert failed.remedy == "free some space, then run it again"
