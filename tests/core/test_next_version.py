"""The proposed version: what the words mean, what the history asks for, what is refused."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from release.core.errors import UsageError
from release.core.models.preparation import CommitSummary, EarlierVersion, Proposal
from release.core.next_version import WORDS, propose_version

TODAY = date(2026, 11, 28)


def propose(
    current: str | None, wish: str | None = None, *subjects: str, released: str | None = None, today: date = TODAY
) -> Proposal:
    """`subjects`: "subject" or "subject\n\nbody", the newest first; `released`: the current version by default."""
    commits = [
        CommitSummary(commit=f"{number:040x}", subject=text.partition("\n\n")[0], body=text.partition("\n\n")[2])
        for number, text in enumerate(subjects, start=1)
    ]
    known = (current or "") if released is None else released
    earlier = [EarlierVersion(text=text) for text in known.split()]
    return propose_version(Version(current) if current else None, commits, wish, today=today, released=earlier)


@pytest.mark.parametrize(
    ("current", "words"),
    [
        ("1.1.0", "major:2.0.0 minor:1.2.0 patch:1.1.1 pre:1.2.0rc1 alpha:1.2.0a1 post:1.1.0.post1 dev:1.1.1.dev1"),
        ("1.2.0a1", "major:2.0.0 minor:1.2.0 patch:1.2.0 pre:1.2.0a2 beta:1.2.0b1 rc:1.2.0rc1 final:1.2.0"),
        ("1.2.0rc1", "major:2.0.0 minor:1.2.0 patch:1.2.0 pre:1.2.0rc2 final:1.2.0 dev:1.2.0rc2.dev1"),
        ("1.2.1rc1", "minor:1.3.0 patch:1.2.1"),
        ("2.0.0b3", "major:2.0.0 minor:2.0.0 pre:2.0.0b4"),
        ("1.2.0.dev1", "patch:1.2.0 pre:1.2.0rc1 alpha:1.2.0a1 final:1.2.0 dev:1.2.0.dev2"),
        ("1.2.0a1.dev2", "pre:1.2.0a1 beta:1.2.0b1 dev:1.2.0a1.dev3 patch:1.2.0"),
        ("1.2.0.post1", "patch:1.2.1 post:1.2.0.post2 minor:1.3.0"),
        ("1!1.2.0", "major:1!2.0.0 minor:1!1.3.0 pre:1!1.3.0rc1"),
        ("1.2", "major:2.0 minor:1.3 patch:1.2.1 pre:1.3rc1"),
        ("1.2.3.4", "major:2.0.0.0 minor:1.3.0.0 patch:1.2.4.0"),
        ("0.5", "major:1.0 minor:0.6 pre:0.6rc1"),
        ("1", "major:2 minor:1.1"),
    ],
)
def test_words(current: str, words: str) -> None:
    for word, _, expected in (pair.partition(":") for pair in words.split()):
        assert propose(current, word).version.public == expected, word


@pytest.mark.parametrize(
    ("current", "released", "subjects", "expected", "reason"),
    [
        ("1.1.0", None, ["fix: a", "feat: b"], "1.2.0", "feat: b (0000000)"),
        ("1.1.0", None, ["feat(x)!: b", "fix: a"], "2.0.0", "breaking change: feat(x)!: b (0000000)"),
        ("0.4.1", None, ["feat!: b"], "0.5.0", "breaking change: feat!: b (0000000)"),
        ("0.4.1", None, ["fix: a"], "0.4.2", "fix: a (0000000)"),
        ("1.1.0", None, ["Add b", "Fix a"], "1.1.1", "the commits do not follow Conventional Commits: a patch release"),
        ("1.1.0", None, ["docs: b"], "1.1.1", "no commit is a feature or a fix"),
        ("1.2", None, ["Add b"], "1.3", "the commits do not follow Conventional Commits: a minor release"),
        ("1.2", "1.2 1.1.1", ["Add b"], "1.2.1", "the commits do not follow Conventional Commits: a patch release"),
        ("7", None, ["Add b"], "8", "the commits do not follow Conventional Commits: a major release"),
        ("1.2.0rc1", None, ["fix: a"], "1.2.0", "fix: a (0000000)"),
        ("1.2.1rc1", None, ["feat: a"], "1.3.0", "feat: a (0000000)"),
        ("1.2.0", "1.1.0", ["fix: a"], "1.2.0", "1.2.0 is not released yet"),
        ("1.1.1", "1.1.0", ["feat: a"], "1.2.0", "feat: a (0000000)"),
        ("1.2.0.dev0", "1.1.0", ["Add a"], "1.2.0", "the commits do not follow Conventional Commits: a patch release"),
        ("1.1.0", "1.1.0 1.2.0", ["fix: a"], "1.2.1", "fix: a (0000000)"),  # the file is behind the tags
        (None, "1.1.0 1.0", ["fix: a"], "1.1.1", "fix: a (0000000)"),
        ("1.1.0", "1.1.0 2023.1 883", ["fix: a"], "1.1.1", "fix: a (0000000)"),  # a date and a build, released once
        ("2026.11.0", "1.9 1.8", ["fix: a"], "2026.11.0", "2026.11.0 is not released yet"),  # dates from now on
        (None, "", ["feat: a"], "0.1.0", "no release yet"),
        ("0.3.0", "", [], "0.3.0", "no release yet"),
    ],
)
def test_the_history(
    current: str | None, released: str | None, subjects: list[str], expected: str, reason: str
) -> None:
    found = propose(current, None, *subjects, released=released)
    assert (str(found.version), found.reason) == (expected, reason)


def test_a_version_is_taken_as_it_is() -> None:
    assert str(propose("1.1.0", "v1.2.0").version) == "1.2.0"
    assert propose("1.1.0", "2.0").text == "2.0"
    assert propose("2026.5", "2026.06").text == "2026.06"
    assert propose("1.1.0", "1.2.0-rc.1").text == "1.2.0rc1"
    assert propose("1.1.0-rc.1", "pre").text == "1.1.0-rc.2"
    assert str(propose("1.2.0", "1.2.0", released="1.1.0").version) == "1.2.0", "set, and not released"
    assert str(propose("1.3.0.dev0", "1.2.1", released="1.2.0").version) == "1.2.1"
    assert str(propose("1.2.0", "pre", released="1.1.0").version) == "1.2.0rc1"


@pytest.mark.parametrize(
    ("current", "wish", "message", "remedy"),
    [
        ("1.2.0", "1.2.0", "'1.2.0' is not newer than 1.2.0, which is released", "pypi-preflight prepare 1.2.1"),
        ("1.2.0", "1.1.5", "'1.1.5' is not newer than 1.2.0, which is released", "pypi-preflight prepare 1.2.1"),
        ("1.2.0", "1.2.0rc1", "'1.2.0rc1' is not newer than 1.2.0, which is released", "pypi-preflight prepare 1.2.1"),
        ("1.2.0", "final", "final: 1.2.0 is not newer than 1.2.0, which is released", "pypi-preflight prepare 1.2.1"),
        ("1.2.0", "1.3+x", "'1.3+x' has a local part, which PyPI does not accept", "pypi-preflight prepare 1.3"),
        ("1.2.0rc1", "beta", "b1 of 1.2.0 would not be newer than 1.2.0rc1", "pypi-preflight prepare pre"),
        ("1.2.0", "minr", f"'minr' is neither a version nor one of {', '.join(WORDS)}: did you mean 'minor'?",
         "pass a version such as 1.2.0, or one of these words"),
    ],
)  # fmt: skip
def test_what_is_refused(current: str, wish: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError) as error:
        propose(current, wish)
    assert (error.value.message, error.value.remedy) == (message, remedy)


def test_the_table_in_the_documentation() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "prepare.md").read_text(encoding="utf-8").splitlines()
    table = [re.findall(r"`([^`]+)`", line) for line in lines if line.startswith(("| version | `patch`", "| `1."))]
    words, *rows = table
    assert len(rows) == 6
    for current, *expected in rows:
        assert [propose(current, word).text for word in words] == expected, current


numbers = st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(any)
rests = st.sampled_from(["", "a1", "b2", "rc1", ".dev3", "a1.dev2", ".post1", "rc2.post1", ".post1.dev2"])
words = [None, *WORDS]
subjects = st.lists(st.sampled_from(["feat: a", "fix!: b", "docs: c", "Add d", "Merge branch 'x'"]), max_size=4)


@given(
    release=numbers, rest=rests, epoch=st.sampled_from(["", "1!"]), word=st.sampled_from([None, *WORDS]), log=subjects
)
@settings(max_examples=60)
def test_a_proposal_is_newer_than_what_is_released(
    release: list[int], rest: str, epoch: str, word: str | None, log: list[str]
) -> None:
    current = f"{epoch}{'.'.join(map(str, release))}{rest}"
    found, refused = None, ""
    try:
        found = propose(current, word, *log)
    except UsageError as error:
        refused = error.message
    if found is None:
        assert word in {"final", "alpha", "beta", "rc", "pre"} or "versions that are dates" in refused  # "25": a year
        return
    assert found.version > Version(current)
    assert Version(found.text) == found.version
    assert len(found.version.release) >= len(release)
    assert found.version.epoch == Version(current).epoch


@pytest.mark.parametrize(
    ("current", "released", "subjects", "text", "bump"),
    [
        ("1.1rc1", "1.1rc1 1.0", ["feat: a"], "1.1", "final"),
        ("1.1rc1", "1.1rc1 1.0", ["feat!: a"], "2.0", "major"),
        ("1.0", "1.0", ["feat: a"], "1.1", "minor"),
        ("1.0.post1", "1.0.post1", ["fix: a"], "1.0.1", "patch"),
    ],
)
def test_the_bump_of_a_proposal_from_the_history(
    current: str, released: str, subjects: list[str], text: str, bump: str
) -> None:
    commits = [CommitSummary(commit="a" * 40, subject=one) for one in subjects]
    earlier = [EarlierVersion(text=one) for one in released.split()]
    found = propose_version(Version(current), commits, None, today=TODAY, released=earlier)
    assert (found.text, found.bump) == (text, bump)
