"""What commits ask of the next version, where a history follows Conventional Commits.

Source: Conventional Commits 1.0.0 (https://www.conventionalcommits.org/en/v1.0.0/); the types besides `feat` and `fix`
are those of commitlint's `config-conventional` 20, which most projects enforce.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from release.core.models.preparation import CommitSummary

#: what a commit raises, the least first
Level = Literal["patch", "minor", "major"]

_LEVELS: tuple[Level, ...] = ("patch", "minor", "major")
_TYPES = frozenset({
    "feat", "fix", "build", "chore", "ci", "docs", "perf", "refactor", "revert", "style", "test",
    "feature", "bugfix", "hotfix", "deps", "tests", "release",  # as often written
})  # fmt: skip
_FEATURES = frozenset({"feat", "feature"})
_FIXES = frozenset({"fix", "bugfix", "hotfix", "perf", "revert"})
#: `type(scope)!: description`; types are case-insensitive (rule 15), a space after the colon is required (rule 5)
_HEADER = re.compile(r"(?P<type>[A-Za-z]+)(?:\([^()\r\n]+\))?(?P<breaking>!)?: +(?P<description>\S.*)")
#: a footer of its own line; upper case is required, and "BREAKING-CHANGE" means the same (rules 12, 15, 16)
_BREAKING_FOOTER = re.compile(r"(?m)^[ *-]*BREAKING[ -]CHANGE: +\S")
#: what git writes for `commit --fixup` and `--squash`
_AUTOSQUASH = re.compile(r"(?:(?:fixup|squash|amend)! +)+")
_MERGE = re.compile(r"Merge (?:branch|branches|pull request|remote-tracking branch|tag|commit|PR) ?\b|Merged in ")
#: merges whose bodies begin with the title of the pull request
_TITLED = ("Merge pull request", "Merge PR", "Merged in ")
#: commits that services write in any project: they do not count for or against it
_NEUTRAL = re.compile(
    r"\[pre-commit\.ci\]|(?:build\(deps\): )?bump \S+ (?:.* )?from \S+ to \S+|initial commit$", re.IGNORECASE
)
_REVERTED = re.compile(r"(?:This reverts commit|Refs:) +(?P<commit>[0-9a-f]{7,64})")
#: a line of the list of commits that GitHub puts into the body of a squashed pull request
_LISTED = re.compile(r"(?m)^\* +(?P<subject>\S.*)$")
_PULL_REQUEST = re.compile(r"\([#!]\d+\)\s*$")


class CommitLevel(Struct, frozen=True, kw_only=True):
    """The highest level among commits, and the commit that asks for it."""

    level: Level
    #: None where no commit asks for anything: there are only documentation, tests and the like
    commit: CommitSummary | None


def highest_level(commits: Sequence[CommitSummary]) -> CommitLevel | None:
    """What the commits, the newest first, ask for; None if the history does not follow Conventional Commits.

    It does where at least half of the commits do, merges and bots aside, or half of the titles of merged pull requests.
    A project that has the rule enforces it on all commits or on these titles, and stays far above that; the habit of
    one contributor among several stays below, and the commits of the others would be taken for fixes. A commit that is
    reverted within the range counts for nothing, and neither does its revert.
    """
    counted = [commit for commit in _without_reverted(commits) if not _NEUTRAL.match(_subject(commit))]
    merges = [commit for commit in counted if _MERGE.match(commit.subject)]
    own = [commit for commit in counted if commit not in merges] or [one for one in commits if one not in merges]
    requests = [commit for commit in merges if commit.subject.startswith(_TITLED)]
    if not _is_followed(own) and not _is_followed(requests):
        return None
    best: CommitLevel | None = None
    for commit in counted:
        level = _level(commit)
        if level and (best is None or _LEVELS.index(level) > _LEVELS.index(best.level)):
            best = CommitLevel(level=level, commit=commit)
    return best or CommitLevel(level="patch", commit=None)


def describe_level(found: CommitLevel, *, breaking: bool) -> str:
    """The reason as a line: "feat: add x (abc1234)"; `breaking`: say that the commit breaks compatibility."""
    if found.commit is None:
        return "no commit is a feature or a fix"
    mark = "breaking change: " if breaking else ""
    return f"{mark}{found.commit.subject} ({found.commit.commit[:7]})"


def _is_followed(commits: Sequence[CommitSummary]) -> bool:
    conventional = sum(1 for commit in commits if next(_headers(commit), None))
    return conventional > 0 and 2 * conventional >= len(commits)


def _level(commit: CommitSummary) -> Level | None:
    headers = tuple(_headers(commit))
    if _BREAKING_FOOTER.search(commit.body) or any(header["breaking"] for header in headers):
        return "major"
    types = {header["type"].lower() for header in headers}
    return "minor" if types & _FEATURES else "patch" if types & _FIXES else None


def _headers(commit: CommitSummary) -> Iterator[re.Match[str]]:
    """The headers of a commit: of its subject, or of the commits that a squash or a merge lists."""
    subject = _subject(commit)
    found = _header(subject)
    if found:
        yield found
    elif _MERGE.match(subject):  # the title of the pull request is the first line of the body
        first = next(filter(None, map(str.strip, commit.body.splitlines())), "")
        if found := _header(first):
            yield found
    elif _PULL_REQUEST.search(subject):
        yield from filter(None, (_header(line["subject"]) for line in _LISTED.finditer(commit.body)))


def _header(line: str) -> re.Match[str] | None:
    found = _HEADER.match(line)
    return found if found and (found["breaking"] or found["type"].lower() in _TYPES) else None


def _subject(commit: CommitSummary) -> str:
    return _AUTOSQUASH.sub("", commit.subject, count=1).strip()


def _without_reverted(commits: Sequence[CommitSummary]) -> Iterator[CommitSummary]:
    """The commits without those that a later one reverts, and without these reverts."""
    reverted: list[str] = []
    for position, commit in enumerate(commits):
        if any(commit.commit.startswith(one) for one in reverted):
            continue
        target = _REVERTED.search(commit.body) if _is_revert(commit) else None
        if target:
            reverted.append(target["commit"])
            if any(one.commit.startswith(target["commit"]) for one in commits[position + 1 :]):
                continue
        yield commit


def _is_revert(commit: CommitSummary) -> bool:
    found = _HEADER.match(_subject(commit))
    typed = found is not None and found["type"].lower() == "revert"
    return typed or commit.subject.startswith(('Revert "', 'Reapply "'))
