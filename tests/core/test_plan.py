"""A plan is data: what each verb does, in which order, and what of it can't be undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from release.core import plan
from release.core.config import Config
from release.core.errors import ConfigError, UsageError
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import Unknown
from release.core.plan import Plan, Verb
from release.reports.run_text import plan_to_lines

COMMIT = "a" * 40


def source(tagged: str | None = None) -> Source:
    git = GitState(
        commit=COMMIT, branch="main", changes=(), upstream=None, behind=0, tagged_commit=tagged, shallow=False
    )
    return Source(
        config=Config(), project=ProjectMetadata(name="acme", version="1.0"), git=git, tag="v1.0", changelog=None
    )


def made(verb: Verb, tagged: str | None = None) -> Plan:
    return plan.make_plan(verb, Config(), source(tagged))


@pytest.mark.parametrize(
    ("verb", "steps"),
    [
        ("check", ["check the source", "check the credentials for testpypi", "check the credentials for pypi"]),
        ("build", ["check the source", "build from a clean clone of the commit", "check the files"]),
        ("rehearse", ["check the source", "build the working tree", "check the files",
                      "upload to sandbox", "confirm on sandbox"]),
        ("confirm", ["use the files of the last build", "confirm on pypi"]),
    ],
)  # fmt: skip
def test_each_verb_has_its_steps(verb: Verb, steps: list[str]) -> None:
    assert [step.title for step in made(verb).steps] == steps


def test_files_from_elsewhere_are_checked_before_the_credentials() -> None:
    """Those are checked by requests to the address for uploads, which no refused file leads to."""
    files = "2 wheels, 1 sdist"
    planned = plan.make_plan("publish", Config(), source(), prebuilt=True, files=files)
    assert [step.title for step in planned.steps] == [
        f"use the prebuilt files: {files}", "check the files", "check the credentials for pypi", "upload to pypi",
        "confirm on pypi",
    ]  # fmt: skip


def test_a_release_uploads_where_it_can_be_undone_first() -> None:
    whole = made("release")
    uploads = [step.index for step in whole.steps if isinstance(step, plan.Upload)]
    assert uploads == ["sandbox", "testpypi", "pypi"]
    assert [step.index for step in whole.irreversible] == ["testpypi", "pypi"]
    assert [step.title for step in whole.steps[-4:]] == [
        "compare with the dry run on testpypi", "create the tag v1.0", "upload to pypi", "confirm on pypi",
    ]  # fmt: skip
    assert whole.needs_approval


@pytest.mark.parametrize(
    ("config", "remote", "expected"),
    [
        (Config(), None, []),
        (Config(), "origin", ["push the tag v1.0 to origin"]),
        (Config(push_tag=False), "origin", []),
        (Config(github_release=True), "origin", ["push the tag v1.0 to origin", "create the GitHub release v1.0"]),
    ],
)
def test_what_follows_a_release_is_done_after_it_is_confirmed(
    config: Config, remote: str | None, expected: list[str]
) -> None:
    here = source()
    assert isinstance(here.git, GitState)
    here = replace(here, git=replace(here.git, remote=remote, github="acme/widget"))
    for verb in ("publish", "release"):
        titles = [step.title for step in plan.make_plan(verb, config, here).steps]
        assert titles[titles.index("confirm on pypi") + 1 :] == expected


@pytest.mark.parametrize(
    ("verb", "dry_run", "index", "expected"),
    [
        ("publish", None, None, "testpypi"), ("publish", "sandbox", None, "sandbox"), ("publish", "none", None, None),
        ("publish", None, "mine", None), ("publish", "testpypi", "mine", "testpypi"),
        ("release", None, None, "testpypi"), ("release", "sandbox", None, "sandbox"),
    ],
)  # fmt: skip
def test_pypi_gets_what_passed_a_dry_run(verb: Verb, dry_run: Any, index: str | None, expected: str | None) -> None:
    indexes = {**Config().indexes, "mine": Config().index("pypi")}
    made = plan.make_plan(verb, Config(dry_run_on=dry_run, indexes=indexes), source(), index=index)
    assert [step.proven_on for step in made.steps if isinstance(step, plan.CompareWithDryRun)] == (
        [expected] if expected else []
    )
    assert (expected == "testpypi" and verb == "release") == ("testpypi" in made.targets)


def test_no_tag_is_made_where_there_is_one() -> None:
    assert not any(isinstance(step, plan.Tag) for step in made("release", tagged=COMMIT).steps)


def test_only_what_can_not_be_undone_is_asked_about() -> None:
    verbs: tuple[Verb, ...] = ("check", "build", "rehearse", "testpypi", "publish", "confirm", "release")
    assert [verb for verb in verbs if made(verb).needs_approval] == ["publish", "release"]


def test_another_index_takes_the_place_of_the_verbs_own() -> None:
    with pytest.raises(ConfigError, match="no index is called 'intern'"):
        plan.make_plan("publish", Config(), source(), index="intern")
    assert plan.make_plan("publish", Config(), source(), index="testpypi").irreversible[0].index == "testpypi"


def test_a_project_that_does_not_say_its_name_has_a_plan_all_the_same() -> None:
    lost = Source(config=Config(), project=Unknown(reason="?", remedy="?"), git=None, tag=None, changelog=None)
    assert plan.make_plan("rehearse", Config(), lost).project is None


def test_a_plan_survives_json() -> None:
    whole = made("release")
    data = plan.plan_to_json(whole, dict(Config().indexes))
    assert json.loads(json.dumps(data))["steps"][0] == {"step": "inspect-source"}
    assert {"step": "upload", "index": "pypi", "url": Config().index("pypi").upload_url, "irreversible": True} in data[
        "steps"
    ]


def test_a_plan_says_that_it_exchanges_an_identity() -> None:
    silent, told = made("check"), replace(made("check"), exchanges=True)
    assert silent.checks_credentials
    assert not made("rehearse").checks_credentials
    lines = [[one.text for one in plan_to_lines(each)] for each in (silent, told)]
    assert lines[0] == lines[1][: len(lines[0])]
    assert "two lines in the security history of the project" in lines[1][-1]
    assert plan.plan_to_json(told, {})["exchanges"] is True


def test_the_name_and_the_version_of_a_plan_are_known_or_refused() -> None:
    whole = plan.make_plan("release", Config(), source())
    assert plan.require_name(whole) == ("acme", "1.0")
    for unknown in (replace(whole, project=None), replace(whole, version=None)):
        with pytest.raises(UsageError, match=r"^the project's name and version are unknown$") as wrong:
            plan.require_name(unknown)
        assert wrong.value.remedy == "run `pypi-preflight check`, which shows why"
