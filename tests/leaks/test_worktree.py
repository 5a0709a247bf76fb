"""Git searches a tree in two halves, and finds what it finds in one."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system import system
from release.core.models.leak import ScanResult
from release.leaks import worktree
from tests.fake_tokens import token
from tests.git_repositories import committed, git


def repository(tmp_path: Path, paths: list[str]) -> list[str]:
    """A repository of these files, a token in every third; their paths."""
    for number, path in enumerate(paths):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(f"a = '{token()}'\n" if number % 3 == 0 else "a = 1\n")
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return paths[::3]


TREES = {
    "one large directory": [f"src/{'abcde'[n % 5]}/{n}.py" for n in range(40)] + ["setup.py", "README.md"],
    "many small ones": [f"d{n % 20}/{n}.py" for n in range(60)],
    "no directory": [f"{n}.py" for n in range(30)],
    "magic in names": [f":(exclude)a/{n}.py" for n in range(20)] + [f"b*[x]/{n}.py" for n in range(20)] + ["!c"],
    "deep": [f"a/b/c/{'xyz'[n % 3]}/{n}.py" for n in range(30)],
}


@pytest.mark.parametrize("tree", TREES)
def test_two_halves_find_what_one_search_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: str) -> None:
    secret = repository(tmp_path, TREES[tree])
    monkeypatch.setattr(worktree, "_TWO_GREPS", 1)
    (tmp_path / "new.py").write_text(token())
    asked = worktree.start_grep(system.real_system(), tmp_path)
    assert len(asked.processes) == (1 if tree == "no directory" else 2)
    assert set(chain.from_iterable(asked.suspects())) == {*secret, "new.py"}
    found = worktree.scan_directory(system.real_system(), tmp_path)
    assert {leak.path for leak in found.leaks} == {*secret, "new.py"}
    assert found.count == len(TREES[tree]) + 1


def test_below_a_directory_of_a_repository_the_halves_are_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path, [f"{top}/{'ab'[n % 2]}/{n}.py" for top in ("x", "y") for n in range(12)])
    monkeypatch.setattr(worktree, "_TWO_GREPS", 1)
    found = worktree.start_grep(system.real_system(), tmp_path / "x")
    assert len(found.names) == 12
    assert set(chain.from_iterable(found.suspects())) == {f"{'ab'[n % 2]}/{n}.py" for n in range(0, 12, 3)}


def python(code: str, *words: object) -> subprocess.Popen[bytes]:
    """A process in place of `git grep`."""
    command = [sys.executable, "-I", "-c", f"import pathlib, sys, time\n{code}", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def grep_of(monkeypatch: pytest.MonkeyPatch, names: list[str], *processes: subprocess.Popen[bytes]) -> None:
    """Let these processes search the tree."""
    found = worktree.PendingGrep(names=tuple(names), untracked=(), nested=(), processes=processes)
    monkeypatch.setattr(worktree, "start_grep", lambda *_: found)


def test_what_one_half_finds_is_scanned_while_git_searches_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{n}.py" for n in range(6)]
    repository(tmp_path, names)
    scan, mark = worktree._scan_names, tmp_path / "scanned"
    # It ends when the files of the first one are scanned; else with the status of an error.
    second = "for _ in range(600):\n if pathlib.Path(sys.argv[1]).exists(): sys.exit(1)\n time.sleep(0.1)\nsys.exit(2)"
    scanned = list[str]()

    def scan_names(root: str, some: tuple[str, ...]) -> ScanResult:
        scanned.extend(some)
        mark.touch()
        return scan(root, some)

    monkeypatch.setattr(worktree, "_scan_names", scan_names)
    grep_of(monkeypatch, names, python("print('0.py', end=chr(0))"), python(second, mark))
    found = worktree.scan_directory(system.real_system(), tmp_path)
    assert [leak.path for leak in found.leaks] == ["0.py"]
    assert scanned == ["0.py"]


@pytest.mark.parametrize("failed", [0, 1])
def test_if_one_half_cannot_be_searched_every_file_is_scanned_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failed: int
) -> None:
    names = [f"{n}.py" for n in range(6)]
    repository(tmp_path, names)
    codes = ["print('0.py', end=chr(0))", "print('3.py', end=chr(0)); sys.exit(128)"]
    grep_of(monkeypatch, names, *map(python, reversed(codes) if not failed else codes))
    found = worktree.scan_directory(system.real_system(), tmp_path)
    assert [leak.path for leak in found.leaks] == ["0.py", "3.py"]


def test_an_interruption_ends_the_other_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, ["0.py"])
    endless = python("time.sleep(600)")

    def interrupted(root: str, some: tuple[str, ...]) -> ScanResult:
        raise KeyboardInterrupt(root, some)

    monkeypatch.setattr(worktree, "_scan_names", interrupted)
    grep_of(monkeypatch, ["0.py"], python("print('0.py', end=chr(0))"), endless)
    with pytest.raises(KeyboardInterrupt):
        worktree.scan_directory(system.real_system(), tmp_path)
    assert endless.wait(60)
    endless.communicate()


def test_settings_of_the_user_for_the_memory_of_programs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path, ["0.py"])
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=0")
    started = list[str]()
    popen = subprocess.Popen

    def noted(words: list[str], *, env: dict[str, str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(env["GLIBC_TUNABLES"])
        return popen(words, env=env, **options)

    monkeypatch.setattr(subprocess, "Popen", noted)
    assert list(worktree.start_grep(system.real_system(), tmp_path).suspects()) == [("0.py",), ()]
    assert all(one.startswith("glibc.malloc.check=0:glibc.malloc.mmap_max=0:") for one in started)


@pytest.fixture
def superproject(tmp_path: Path) -> Path:
    """A repository with a token, a submodule with another, and in that a submodule with a third; none is cloned."""
    inner = committed(tmp_path / "inner", {"c.py": token()})
    middle = committed(tmp_path / "middle", {"b.py": token()})
    git(middle, "submodule", "add", "-q", str(inner), "third party/inner")
    git(middle, "commit", "-q", "-m", "inner")
    top = committed(tmp_path / "top", {"src/a.py": token()})
    git(top, "submodule", "add", "-q", str(middle), "src/lib")
    git(top, "commit", "-q", "-m", "lib")
    git(tmp_path, "clone", "-q", str(top), "clone")
    return tmp_path / "clone"


def places(directory: Path) -> set[str]:
    return {leak.path for leak in worktree.scan_directory(system.real_system(), directory).leaks}


def test_a_submodule_that_is_not_checked_out_has_no_files(superproject: Path) -> None:
    assert places(superproject) == {"src/a.py"}
    assert places(superproject / "src") == {"a.py"}
    assert places(superproject / "src" / "lib") == set()
    git(superproject, "submodule", "update", "--init", "src/lib")
    assert places(superproject) == {"src/a.py", "src/lib/b.py"}
    git(superproject, "submodule", "update", "--init", "--recursive")
    assert places(superproject) == {"src/a.py", "src/lib/b.py", "src/lib/third party/inner/c.py"}
    assert places(superproject / "src") == {"a.py", "lib/b.py", "lib/third party/inner/c.py"}


@pytest.mark.parametrize("broken", ["no .git", "an empty .git", "a .git that leads nowhere"])
def test_a_submodule_without_its_repository_is_a_directory(superproject: Path, broken: str) -> None:
    git(superproject, "submodule", "update", "--init", "src/lib")
    there = superproject / "src" / "lib" / ".git"
    there.unlink()
    if broken == "an empty .git":
        there.mkdir()
    elif broken == "a .git that leads nowhere":
        there.write_text("gitdir: /nowhere\n")
    assert places(superproject) == {"src/a.py", "src/lib/b.py"}


def test_links_to_directories_are_not_followed(superproject: Path) -> None:
    for name, target in (("here", "."), ("up", ".."), ("self", "self"), ("src/loop", "../src"), ("there", "src")):
        (superproject / name).symlink_to(target)
    assert places(superproject) == {"src/a.py"}
    git(superproject, "add", "-A")
    assert places(superproject) == {"src/a.py"}


def test_a_repository_in_a_repository_is_searched(superproject: Path) -> None:
    committed(superproject / "other", {"d.py": token()})
    assert places(superproject) == {"src/a.py", "other/d.py"}
