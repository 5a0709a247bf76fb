"""The facts about the tags of a repository with one project, and with several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.system.process import Completed
from release.core.config import Config
from release.core.facts import GitState, Source
from release.core.models.check_result import Unknown
from tests.adapters.git.test_repository import commit, do, repository, system
from tests.fake_system import WHEEL, files_in

PROJECT = '[project]\nname = "{name}"\nversion = "1.0"\n'
WIDGET, GADGET = PROJECT.format(name="acme-widget"), PROJECT.format(name="acme-gadget")


def source(directory: Path) -> Source:
    return collect.collect_source(system(), directory, Config())


def test_git_is_asked_for_nothing_twice_and_only_after_what_may_run_meanwhile(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"pyproject.toml": WIDGET})
    here, asked = system(), list[tuple[str, ...]]()

    def run(argv: Sequence[str], **options: Any) -> Completed:
        asked.append(tuple(argv))
        return here.run(argv, **options)

    started: list[bool] = []
    collect.collect_source(
        replace(here, run=run), top, Config(), meanwhile=lambda _system, _python: started.append(not asked)
    )
    assert started == [True]
    assert len(asked) == len(set(asked)) > 0


@pytest.mark.parametrize(
    ("tag", "at_head"),
    [
        ("1.0", True), ("v1.0", True), ("widget-1.0", True), ("Acme_Widget-v1.0", True), ("v1.0.0", True),
        ("release_1_0", True), ("v1.1", False), ("paper-2.0", False),
    ],
)  # fmt: skip
def test_the_tag_of_this_version_is_the_release_tag(tmp_path: Path, tag: str, *, at_head: bool) -> None:
    top = repository(tmp_path / "r", **{"pyproject.toml": WIDGET})
    do(top, "tag", tag)
    facts = source(top)
    assert isinstance(facts.git, GitState)
    assert facts.tag == (tag if at_head else "v1.0")
    assert facts.git.tagged_commit == (facts.git.commit if at_head else None)
    assert (facts.git.other_projects, facts.git.below_root) == (False, False)


@pytest.mark.parametrize(
    ("tags", "asks", "found"),
    [([], False, None), (["v1.0"], False, "HEAD"), (["v1.0", "HEAD~"], True, "HEAD~")],
)
def test_git_is_only_asked_about_the_release_tag_of_another_commit(
    tmp_path: Path, tags: list[str], asks: bool, found: str | None
) -> None:
    top = repository(tmp_path / "r", **{"pyproject.toml": WIDGET})
    commit(top, **{"more.txt": ""})
    if tags:
        do(top, "tag", *tags)
    here, asked = system(), list[str]()

    def run(argv: Sequence[str], **options: Any) -> Completed:
        asked.extend(argv)
        return here.run(argv, **options)

    facts = collect.collect_source(replace(here, run=run), top, Config(tag_format="v{version}"))
    assert isinstance(facts.git, GitState)
    assert ("refs/tags/v1.0^{commit}" in asked) == asks
    assert facts.git.tagged_commit == (do(top, "rev-parse", found) if found else None)


def test_the_metadata_of_a_file_is_read_once_as_long_as_its_bytes_are_the_same(tmp_path: Path) -> None:
    (wheel,) = files_in(tmp_path, WHEEL)
    assert [*collect.read_metadata([wheel])] == [{}]
    wheel.path.unlink()
    assert [*collect.read_metadata([wheel])] == [{}]
    with pytest.raises(FileNotFoundError):
        next(collect.read_metadata([replace(wheel, sha256="0" * 64)]))


def test_one_of_two_projects_in_a_repository(tmp_path: Path) -> None:
    top = repository(tmp_path / "r", **{"widget/pyproject.toml": WIDGET, "gadget/pyproject.toml": GADGET})
    do(top, "tag", "acme-gadget-v3.3")
    facts = source(top / "widget")
    assert isinstance(facts.git, GitState)
    assert (facts.git.other_projects, facts.git.below_root, facts.git.root_project) == (True, True, None)
    assert facts.tag == "v1.0"
    assert source(top / "gadget").tag == "acme-gadget-v1.0"
    commit(top, **{"pyproject.toml": PROJECT.format(name="acme")})
    facts = source(top / "widget")
    assert isinstance(facts.git, GitState)
    assert facts.git.root_project == "acme"


@pytest.mark.parametrize(
    ("tags", "tag_format"),
    [
        ((), "v{version}"), (("0.9",), "{version}"), (("acme-widget-v0.9",), "acme-widget-v{version}"),
        (("widget-0.8", "widget-0.9"), "widget-{version}"), (("release-883", "nightly"), "v{version}"),
    ],
)  # fmt: skip
def test_workflows_run_for_tags_like_those_that_are_there(
    tmp_path: Path, tags: tuple[str, ...], tag_format: str
) -> None:
    top = repository(tmp_path / "r", **{"pyproject.toml": WIDGET})
    for tag in tags:
        do(top, "tag", tag)
    assert collect.learn_tag_format(system(), top) == tag_format


def test_a_clone_of_one_commit_learns_from_the_tags_of_its_remote(tmp_path: Path) -> None:
    far = repository(tmp_path / "far", **{"pyproject.toml": WIDGET})
    do(far, "tag", "0.9")
    first = do(far, "rev-parse", "HEAD")
    here = do(commit(far, **{"b.txt": "b"}), "rev-parse", "HEAD")
    do(far, "tag", "--annotate", "--message=x", "1.0")
    do(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", far.as_uri(), "near")
    facts = source(tmp_path / "near")
    assert isinstance(facts.git, GitState)
    assert facts.tag == "1.0"
    assert dict(facts.git.remote_tags) == {"0.9": first, "1.0": here}
    rehearsed = collect.collect_source(system(), tmp_path / "near", Config(), ask_backend=False)
    kept = collect.collect_source(system(), tmp_path / "near", Config(push_tag=False))
    for other in (rehearsed, kept):
        assert isinstance(other.git, GitState)
        assert other.git.remote_tags == (), "no tag is pushed"
    do(tmp_path / "near", "fetch", "--quiet", "origin", "tag", "1.0")
    facts = source(tmp_path / "near")
    assert isinstance(facts.git, GitState)
    assert facts.git.tagged_commit == here
    do(tmp_path / "near", "remote", "set-url", "origin", (tmp_path / "gone").as_uri())
    facts = source(tmp_path / "near")
    assert isinstance(facts.git, GitState)
    assert facts.git.remote_tags == ()


@pytest.mark.parametrize(
    ("variables", "tag"),
    [
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.1"}, "v1.1"),
        ({"CI_COMMIT_TAG": "1.1"}, "1.1"),
        ({"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "v1.1"}, None),
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": ""}, None),
        ({"CI_COMMIT_TAG": ""}, None),
        ({}, None),
    ],
)
def test_the_tag_that_a_pipeline_runs_for(variables: dict[str, str], tag: str | None) -> None:
    none = {"GITHUB_REF_TYPE": "", "GITHUB_REF_NAME": "", "CI_COMMIT_TAG": ""}
    assert collect.pipeline_tag(system(**none | variables)) == tag


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('[project]\nversion = "1.0"\n', True),
        ('[project]\ndescription = "x"\n\n[tool.ruff]\n', True),
        ('[project]\nversion = "1.0"\n\n[tool.poetry]\nname = "acme"\n', False),
        ('[build-system]\nrequires = ["hatchling"]\n', False),
        ('[project]\nname = "acme"\ndynamic = ["version"]\n', False),
    ],
)
def test_a_project_table_without_a_name_is_the_cause(tmp_path: Path, content: str, *, named: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(content)
    found = collect.collect_project(system(), tmp_path, ask_backend=False)
    assert isinstance(found, Unknown)
    assert found.reason.endswith("has no name") == named
    assert (found.remedy == 'add it to [project]: name = "NAME"') == named
