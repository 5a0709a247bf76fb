"""Git searches a tree in two halves, and finds what it finds in one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.adapters.system import system
from release.leaks import worktree
from tests.fake_tokens import token


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
    assert set(asked.suspects()) == {*secret, "new.py"}
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
    assert set(found.suspects()) == {f"{'ab'[n % 2]}/{n}.py" for n in range(0, 12, 3)}
