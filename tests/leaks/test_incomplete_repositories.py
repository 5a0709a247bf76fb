"""What a repository lacks is named: submodules that are not checked out, objects that are damaged or elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.adapters.system.system import real_system
from release.core.errors import UsageError
from release.leaks import search
from release.reports.leaks_text import leaks_block, leaks_to_json
from tests import fake_tokens


def git(where: Path, *words: str) -> str:
    options = ("-c", "user.name=A", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    return subprocess.run(
        ["git", *options, *words], cwd=where, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a submodule, and a token in a file of its own."""
    base = tmp_path_factory.mktemp("repositories")
    for name in ("inner", "outer"):
        (base / name).mkdir()
        git(base / name, "init", "-q")
        (base / name / "notes.txt").write_text(fake_tokens.token() if name == "outer" else "nothing")
        git(base / name, "add", ".")
        git(base / name, "commit", "-q", "-m", "x")
    git(base / "outer", "submodule", "add", "-q", str(base / "inner"), "sub")
    git(base / "outer", "commit", "-q", "-m", "y")
    return base / "outer"


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(repository, tmp_path / "copy", symlinks=True))


def unread(place: Path, *, history: bool = False) -> list[tuple[str, str]]:
    found = search.scan_paths(real_system(), place, [], history=history)
    return [(one["path"], one["reason"]) for one in leaks_to_json(found)["unread"]]


def remove(path: Path) -> None:
    shutil.rmtree(path)


def empty(path: Path) -> None:
    remove(path)
    path.mkdir()


def replace_by_file(path: Path) -> None:
    remove(path)
    path.write_text(fake_tokens.token())


def replace_by_link(path: Path) -> None:
    remove(path)
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    "damage",
    [
        remove,
        empty,
        replace_by_file,
        pytest.param(
            replace_by_link,
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows gives links to administrators alone"),
        ),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_submodule_that_is_not_checked_out_is_named(
    copy: Path, damage: Callable[[Path], None], *, known: bool
) -> None:
    damage(copy / "sub")
    if not known:
        (copy / ".gitmodules").unlink()
    ((path, reason),) = unread(copy)
    assert (path, "submodule update --init" in reason) == ("sub", True)
    leaks = search.scan_paths(real_system(), copy, [])[0].searched.leaks
    assert [leak.path for leak in leaks] == ["notes.txt", "sub"][: 2 if damage is replace_by_file else 1]


@pytest.mark.parametrize("content", ["gitdir: /nowhere\n", "garbage", "", None])
def test_the_files_of_a_submodule_without_its_repository_are_searched(copy: Path, content: str | None) -> None:
    if content is None:
        (copy / "sub" / ".git").unlink()
    else:
        (copy / "sub" / ".git").write_text(content)
    (copy / "sub" / "more.txt").write_text(fake_tokens.token())
    leaks = search.scan_paths(real_system(), copy, [])[0].searched.leaks
    assert sorted(leak.path for leak in leaks) == ["notes.txt", "sub/more.txt"]
    assert unread(copy) == []


def test_a_damaged_object_is_named_and_the_others_are_searched(copy: Path) -> None:
    name = git(copy, "rev-parse", "HEAD:.gitmodules")
    place = copy / ".git" / "objects" / name[:2] / name[2:]
    place.chmod(0o600)
    place.write_bytes(b"garbage")
    assert [path for path, _ in unread(copy, history=True)] == [f"object {name[:12]}"]
    found = search.scan_paths(real_system(), copy, [], history=True)
    assert leaks_block(found)
    assert [len(one.searched.leaks) for one in found] == [0, 1]


def test_a_repository_whose_objects_are_elsewhere_is_not_clean(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(repository), "shared")
    place = tmp_path / "shared"
    assert unread(place, history=True) == []
    (place / ".git" / "objects" / "info" / "alternates").write_text("/nowhere/objects\n")
    ((_, reason),) = unread(place, history=True)
    assert "1 commit of branches and tags is not stored here" in reason
    assert leaks_block(search.scan_paths(real_system(), place, [], history=True))


def test_a_bare_repository_is_searched_by_its_objects(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    place = tmp_path / "bare.git"
    found = search.scan_paths(real_system(), place, [], history=True)
    assert [len(one.searched.leaks) for one in found] == [0, 1]
    ((_, reason),) = unread(place)
    assert "leaks --history" in reason
    assert leaks_block(search.scan_paths(real_system(), place, []))


def test_a_repository_without_a_commit_is_searched(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text("x")
    assert unread(tmp_path, history=True) == []
    with pytest.raises(UsageError, match="not in a git repository"):
        search.scan_paths(real_system(), tmp_path.parent, [tmp_path.parent], history=True)
