"""What commits ask for. Source: Conventional Commits 1.0.0; commits of git 2.49 and of GitHub's merges."""

from __future__ import annotations

import pytest

from release.core.conventional_commits import highest_level
from release.core.models.preparation import CommitSummary

A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def level(*texts: str) -> str | None:
    """Of commits, the newest first, whose ids are a…, b…, c…, …."""
    commits = [
        CommitSummary(commit=chr(ord("a") + at) * 40, subject=text.partition("\n\n")[0], body=text.partition("\n\n")[2])
        for at, text in enumerate(texts)
    ]
    found = highest_level(commits)
    return found.level if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feat: add x", "minor"),
        ("Feat(api): add x", "minor"),
        ("fix(a,b): x", "patch"),
        ("perf: x", "patch"),
        ("docs: x", "patch"),
        ("refactor!: drop x", "major"),
        ("chore(deps)!: drop Python 3.9", "major"),
        ("whatever!: drop x", "major"),
        ("fix: x\n\nWhy.\n\nBREAKING CHANGE: y is gone", "major"),
        ("fix: x\n\nReviewed-by: Z\nBREAKING-CHANGE: y is gone", "major"),
        ("fix: x\n\nbreaking change: spelled in lower case", "patch"),
        ("fix: x\n\nNo BREAKING CHANGE: here", "patch"),
        ("fixup! feat: add x", "minor"),
        # not Conventional Commits
        ("feat add x", None),
        ("feat:add x", None),
        ("parser: fix x", None),
        ("Fix: ", None),
        ("http://example.org: is gone", None),
        ("Add feat: x", None),
        ("feat(): x", None),
    ],
)
def test_one_commit(text: str, expected: str | None) -> None:
    assert level(text) == expected


def test_half_of_the_commits_must_follow_it() -> None:
    assert level("feat: a", "Add b", "Change c") is None
    assert level("feat: a", "Add b") == "minor"
    assert level("feat: a", "Merge branch 'main' into x", "Merge pull request #3 from a/b\n\nAdd b") == "minor"
    assert (
        level("feat: a", "Bump x from 1.0 to 1.1", "[pre-commit.ci] pre-commit autoupdate", "Initial commit") == "minor"
    )
    assert level("Bump x from 1.0 to 1.1") is None
    assert level() is None


def test_merges_and_squashes() -> None:
    assert level("Merge pull request #3 from a/b\n\nfeat!: drop x", "fix: y") == "major"
    assert level("Merge pull request #3 from a/b\n\nAdd x", "fix: y") == "patch"
    merge = "Merge pull request #3 from a/b\n\n"
    assert level(f"{merge}feat: x", "wip", "more", "typo", f"{merge}fix: y", "wip") == "minor", "titles have it"
    assert level(f"{merge}feat: x", "wip", "more", f"{merge}Add y", f"{merge}Add z") is None
    assert level("Add x (#3)\n\n* feat: add x\n\n* wip\n\n* docs: say so") == "minor"
    assert level("Add x (#3)\n\n* feat!: add x\n\n* fix: y") == "major"
    assert level("fix: x (#3)\n\n* feat: first try\n\n* fix: last") == "patch", "the title is the statement"
    assert level("Add x\n\n* feat: a list of no squash") is None


def test_reverts() -> None:
    reverted = f"This reverts commit {B}."
    assert level(f'Revert "feat: x"\n\n{reverted}', "feat: x", "fix: y") == "patch"
    assert level(f"revert: feat: x\n\nRefs: {B[:7]}", "feat: x", "fix: y") == "patch"
    assert level(f'Revert "feat: x"\n\n{reverted.replace("b", "f")}', "fix: y") == "patch", "was released before"
    again = f'Reapply "feat: x"\n\n{reverted}'
    assert level(again, f'Revert "feat: x"\n\nThis reverts commit {C}.', "feat: x") == "minor"
    assert level("fix: x\n\nRefs: bbbbbbb", "feat: x") == "minor", "a reference is no revert"
