"""Tags: what git is asked, and how its answers are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from release.adapters.git import tags
from release.adapters.system.process import Completed
from release.core.tag_form import DatedTag
from tests.fake_system import Programs, fake_system

ROOT = Path("/repository")
COMMIT = "c" * 40


def git(answers: dict[str, str], *, identity: bool = True) -> Programs:
    """A git that answers by a word of its command line."""

    def answer(argv: Sequence[str]) -> str | Completed:
        if "var" in argv:
            return Completed(status=0 if identity else 128, output="")
        return next(text for word, text in answers.items() if word in argv)

    return Programs(answer=answer)


def test_all_tags_with_their_times() -> None:
    run = git({"for-each-ref": "1700000000 v1.0\n1600000000 a b/v0.9\n v0.1\n"})
    assert tags.all_tags(fake_system(run=run), ROOT) == (
        DatedTag(name="v1.0", time=1_700_000_000),
        DatedTag(name="a b/v0.9", time=1_600_000_000),
        DatedTag(name="v0.1", time=0),
    )
    assert tags.all_tags(fake_system(run=git({"for-each-ref": ""})), ROOT) == ()


@pytest.mark.parametrize(
    ("output", "there"), [("abc commit\trefs/remotes/origin/main\n", True), ("", False), ("\n", False)]
)
def test_whether_a_remote_has_a_commit(output: str, *, there: bool) -> None:
    run = git({"for-each-ref": output})
    assert tags.is_on_remote(fake_system(run=run), ROOT, COMMIT) is there
    assert f"--contains={COMMIT}" in run.called[-1]
    assert run.called[-1][-1] == "refs/remotes", "a local branch is not enough"


def test_a_tag_is_annotated_and_its_name_is_no_option() -> None:
    run = git({"tag": ""})
    tags.create_tag(fake_system(run=run), ROOT, "-v1.0", COMMIT, "acme 1.0\n# kept\n")
    words = run.called[-1]
    assert words[words.index("--") :] == ["--", "-v1.0", COMMIT]
    assert {"--annotate", "--cleanup=verbatim", "--message=acme 1.0\n# kept\n"} <= set(words)
    assert not any(word.startswith("user.") for word in words)


def test_where_git_knows_nobody_the_committer_makes_the_tag() -> None:
    run = git({"--format=%cn%x00%ce": "A. Maintainer\0a@example.org\n", "tag": ""}, identity=False)
    tags.create_tag(fake_system(run=run), ROOT, "v1.0", COMMIT, "m")
    assert {"user.name=A. Maintainer", "user.email=a@example.org"} <= set(run.called[-1])
