"""The version against the tags: what is refused, and the innocent neighbor of each."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from packaging.version import Version

from release.checks import distributions, index_state, source_checks, tag_checks
from release.checks.engine import run
from release.core.config import Config
from release.core.facts import Access, BuiltFiles, GitState, ProjectMetadata, Source
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.derived_version import VersionSource
from release.core.models.index import PYPI, TESTPYPI, IndexFile, ProjectListing
from release.core.tag_form import DatedTag, declared_form, learn_form
from tests.acceptance.making import NOW

COMMIT = "a" * 40
SCM = VersionSource(tool="setuptools-scm", variable="SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{name}")
OTHER_VERSION = "the-tags-here-are-of-this-version"


def source(*here: str, version: str = "1.0", earlier: tuple[str, ...] = (), **more: Any) -> Source:
    """With the tags on the commit, and those on earlier ones."""
    config = more.pop("config", Config())
    git_fields = {k: more.pop(k) for k in tuple(more) if k in GitState.__struct_fields__}
    every = (*earlier, *here)
    dated = tuple(DatedTag(name=tag, time=at) for at, tag in enumerate(every))
    form = (
        declared_form(config.tag_format, "acme-widget")
        if config.tag_format
        else learn_form("acme-widget", version, dated)
    )
    tag = form.existing_tag(version, here)
    git = GitState(
        commit=COMMIT, branch="main", changes=(), upstream=None, behind=0, tagged_commit=COMMIT if tag else None,
        shallow=False, tags=here, all_tags=dated,
    )  # fmt: skip
    return Source(
        config=config, project=ProjectMetadata(name="acme-widget", version=version), git=replace(git, **git_fields),
        tag=tag or form.tag(version), changelog=None, tag_form=form, **more,
    )  # fmt: skip


def outcomes(facts: Source) -> dict[str, Outcome]:
    found = run(source_checks.CHECKS + tag_checks.CHECKS, facts)
    return {one.check: one for one in found if one.findings or one.state.blocks}


@pytest.mark.parametrize(
    ("here", "version", "earlier"),
    [
        (("v1.32.2",), "1.32.1", ()),
        (("1.1",), "1.0", ("1.0",)),
        (("v1.0.0rc1",), "1.0.0", ()),
        (("acme-widget-2.0",), "1.0", ()),
        (("release-1.1",), "1.0", ("release-0.9",)),
        (("v2026.06.04",), "2026.6.5", ()),
        (("v1.1", "acme-gadget-v3.3"), "1.0", ("v0.9",)),
    ],
)
def test_a_commit_with_the_tag_of_another_version_is_refused(
    here: tuple[str, ...], version: str, earlier: tuple[str, ...]
) -> None:
    found = outcomes(source(*here, version=version, earlier=earlier))
    assert list(found) == [OTHER_VERSION]
    assert found[OTHER_VERSION].state is CheckState.FAILED
    (finding,) = found[OTHER_VERSION].findings
    assert here[0] in finding.message
    assert "tag -d" not in finding.remedy


@pytest.mark.parametrize(
    ("here", "version", "earlier"),
    [
        (("v1.0",), "1.0", ()),
        (("v1.0", "acme-gadget-v3.3"), "1.0", ()),
        (("acme-widget-v1.0", "v9.0", "acme-gadget-v3.3"), "1.0", ()),
        (("acme-gadget-v3.3",), "1.0", ()),
        (("release-883",), "1.0", ("v0.9",)),
        (("nightly", "deploy-2026", "deploy-2026.06"), "1.0", ()),
        (("2026.06.04",), "1.0", ("v0.9",)),
        (("v1", "v1.2", "v1.2.3"), "1.2.3", ()),
        (("v1.0rc1", "v1.0"), "1.0", ()),
        (("v1.0.0-rc.1",), "1.0.0rc1", ()),
        (("v2026.06.04",), "2026.6.4", ()),
        (("v1",), "1.2.0", ("v1.1.0",)),
    ],
)
def test_tags_of_siblings_and_of_other_kinds_are_no_finding(
    here: tuple[str, ...], version: str, earlier: tuple[str, ...]
) -> None:
    assert outcomes(source(*here, version=version, earlier=earlier)) == {}


def test_a_configured_form_leaves_no_doubt() -> None:
    named = Config(tag_format="{name}-v{version}")
    assert outcomes(source("v3.3", "acme-gadget-v3.3", config=named)) == {}
    assert list(outcomes(source("acme-widget-v3.3", config=named))) == [OTHER_VERSION]


def test_a_tag_without_a_name_among_several_projects_is_of_none_for_certain() -> None:
    shared: dict[str, Any] = {"other_projects": True, "below_root": True}
    for here in ("v3.3", "3.3", "release-3.3"):
        assert outcomes(source(here, **shared)) == {}
        assert outcomes(source(here, earlier=("v0.9",), **shared)) == {}
    for facts in (
        source("acme-widget-v3.3", **shared),
        source("acme_widget/3.3", **shared),
        source("v3.3", config=Config(tag_format="v{version}"), **shared),
        source("v3.3", below_root=True),
        source("v3.3", other_projects=True),
    ):
        assert list(outcomes(facts)) == [OTHER_VERSION]


def test_a_rehearsal_of_what_is_not_yet_committed() -> None:
    """The version was bumped after the release: its commit will be another one."""
    assert outcomes(source("v1.0", version="1.1", changes=("pyproject.toml",), rehearsal=True)) == {
        "the-tree-is-clean": outcomes(source(changes=("pyproject.toml",)))["the-tree-is-clean"]
    }
    assert OTHER_VERSION in outcomes(source("v1.0", version="1.1", rehearsal=True))


@pytest.mark.parametrize(
    ("tag", "refused"),
    [
        ("v1.1", True), ("1.0rc1", True), ("acme-widget-0.9", True),
        ("v1.0", False), ("v1.0.0", False), ("1.0", False), ("nightly-20260101", False), ("acme-gadget-v2.0", False),
        (None, False),
    ],
)  # fmt: skip
def test_a_pipeline_for_the_tag_of_another_version_is_refused(tag: str | None, refused: bool) -> None:
    facts = source(pipeline_tag=tag)
    assert isinstance(facts.git, GitState)
    found = outcomes(replace(facts, git=replace(facts.git, tags=(tag,) if tag else ())))
    assert list(found) == (["the-pipeline-runs-for-this-version"] if refused else [])


def test_a_version_from_a_tag_of_another_kind() -> None:
    name = "the-version-comes-from-a-tag-of-the-project"
    found = outcomes(source("acme-paper-v1", version="1", earlier=("v0.7.0",), version_source=SCM))
    assert list(found) == [name]
    assert "'acme-paper-v1'" in found[name].findings[0].message
    assert "'v0.7.0'" in found[name].findings[0].message
    for innocent in (
        source("acme-paper-v1", version="1", earlier=("v0.7.0",)),  # the project declares it
        source("acme-paper-v1", "v1", version="1", earlier=("v0.7.0",), version_source=SCM),
        source("acme-paper-v2", "v0.8.0", version="0.8.0", earlier=("v0.7.0",), version_source=SCM),
        source("acme-paper-v1", version="1", version_source=SCM),  # there are no other tags
        source("paper-v1", version="1", earlier=("v0.7",), version_source=replace(SCM, overridden=True)),
    ):
        assert outcomes(innocent) == {}


@pytest.mark.parametrize(
    ("version", "tool"),
    [
        ("0.1.dev1", "setuptools-scm"), ("0.1.dev17", "hatch-vcs"), ("0.0.0", "poetry-dynamic-versioning"),
        ("0.0.0.post3.dev0", "uv-dynamic-versioning"), ("0.0.1.dev4", "pbr"), ("0", "versioneer"),
        ("0.0.1", "setuptools-git-versioning"), ("0.0", "pdm-backend"), ("0.0.0", None),
    ],
)  # fmt: skip
def test_a_version_that_no_tag_has_is_refused(version: str, tool: str | None) -> None:
    facts = source(version=version, version_source=VersionSource(tool=tool))
    found = outcomes(facts)
    assert list(found) == ["the-version-is-of-a-tag"]
    assert found["the-version-is-of-a-tag"].state is CheckState.FAILED
    (rehearsed,) = outcomes(replace(facts, rehearsal=True)).values()
    assert rehearsed.state is CheckState.WARNED


@pytest.mark.parametrize(
    "facts",
    [
        source(version="0.1.dev1"), source(version="0.0.1"), source(version="0.0.0"),
        source("v0.1.dev1", version="0.1.dev1", version_source=SCM),
        source("v0.0.0", version="0.0.0", version_source=SCM),
        source(version="0.0.1", earlier=("v0.0.0",), version_source=SCM),
        source(version="0.2.dev3", earlier=("v0.1",), version_source=SCM),
        source(version="0.1.dev1", version_source=VersionSource(tool=None)),
        source(version="0.1.dev1", version_source=replace(SCM, overridden=True)),
    ],
)  # fmt: skip
def test_a_version_that_the_maintainer_wrote_or_tagged_is_not_made_up(facts: Source) -> None:
    assert outcomes(facts) == {}


def test_the_remedy_fits_the_clone() -> None:
    def remedy(**more: Any) -> str:
        return (
            outcomes(source(version="0.1.dev1", version_source=SCM, **more))["the-version-is-of-a-tag"]
            .findings[0]
            .remedy
        )

    assert remedy(shallow=True) == "fetch the whole history and its tags: git fetch --unshallow --tags"
    assert remedy() == "fetch the tags: git fetch --tags; if there are none, tag the commit: git tag v0.1.0"
    local = outcomes(source(version="1.1.dev1+g1234567", earlier=("1.0",), version_source=SCM))
    assert [one.findings[0].remedy for one in local.values() if one.findings] == ["tag the commit: git tag 1.1"]
    written = outcomes(source(version="1.0+ours"))["the-version-is-valid"]
    assert written.findings[0].remedy == "set the version to 1.0"


def test_files_say_nothing_about_a_source_that_was_checked() -> None:
    facts = BuiltFiles(project=ProjectMetadata(name="a", version="0.0.0"), files=(), now=NOW, source_checked=True)
    (observed,) = distributions.the_version_is_of_a_tag.observe(facts)
    assert not isinstance(observed, Finding)


def test_a_tag_that_cannot_be_signed_is_refused() -> None:
    problem = Finding(message="git cannot sign the release tag", remedy="make the key available")
    assert list(outcomes(source(signing=problem))) == ["the-tag-can-be-signed"]
    late = Unknown(reason="signing took more than 60 s", remedy="enter the passphrase")
    assert outcomes(source(signing=late))["the-tag-can-be-signed"].state is CheckState.UNKNOWN


def test_a_tag_that_only_the_remote_has() -> None:
    name, elsewhere = "the-tags-of-the-remote-are-here", "b" * 40
    for tag, commit, earlier in (
        ("v1.0", COMMIT, ()), ("v1.0", elsewhere, ()), ("1.0.0", elsewhere, ("v0.9",)), ("v0.9", COMMIT, ("v0.8",)),
        ("acme-widget-1.0", elsewhere, ()),
    ):  # fmt: skip
        found = outcomes(source(remote="origin", remote_tags=((tag, commit),), earlier=earlier))
        assert list(found) == [name]
        assert found[name].findings[0].message == f"'origin' has the tag {tag!r}, this clone does not"
        assert found[name].findings[0].remedy == f"git fetch origin tag {tag}"
    for innocent in (
        (("v0.9", elsewhere),), (("acme-gadget-v1.0", COMMIT), ("nightly", COMMIT)), (("release-883", COMMIT),), (),
    ):  # fmt: skip
        assert outcomes(source(remote="origin", remote_tags=innocent)) == {}
    made_up = source(version="0.1.dev1", version_source=SCM, remote="origin", remote_tags=(("v2.0", COMMIT),))
    assert list(outcomes(made_up)) == ["the-version-is-of-a-tag"], "the cause alone"


def test_a_commit_that_no_branch_of_the_remote_has() -> None:
    name = "a-branch-of-the-remote-has-the-commit"
    (finding,) = outcomes(source(remote="origin", on_remote=False))[name].findings
    assert (finding.severity, finding.remedy) == ("warn", "push the branch first: git push origin main")
    for innocent in (
        source(remote="origin", on_remote=True), source(on_remote=False), source(remote="origin"),
        source(remote="origin", on_remote=False, rehearsal=True),
        source(remote="origin", on_remote=False, branch=None),
        source(remote="origin", on_remote=False, config=Config(push_tag=False)),
    ):  # fmt: skip
        assert outcomes(innocent) == {}


@pytest.mark.parametrize(
    ("ours", "others", "later"),
    [
        ("1.2.3", "1.2.4", "1.2.4"), ("1.2.3", "1.2.2 1.2.4", "1.2.4"), ("1.2.5", "2.0", "2.0"),
        ("1.9.0", "1.8.0 2.0", "2.0"), ("0.1.0", "2.0", "2.0"), ("1.2rc1", "1.2", "1.2"),
        ("1.2rc1", "1.2rc2", "1.2rc2"), ("1.2.post1", "1.2 1.2.post2", "1.2.post2"), ("1.0", "1!0.5", "1!0.5"),
        ("1.2.3.post1", "1.2.4", "1.2.4"), ("2026.5.1", "2026.6.0", "2026.6.0"),
        # these go on
        ("1.2.5", "1.2.4", None), ("1.2.5", "1.2.4 2.0", None), ("1.2.3", "", None), ("1.2.3", "1.2.3 1.2.4", None),
        ("1.2.5", "1.2.4 2.0rc1", None), ("1.9", "1.8 2.0b1", None), ("1.3rc1", "1.2.9", None),
        ("1.2.3.post1", "1.2.3 1.2.4", None), ("1.2.post1", "1.2", None), ("2.0rc1", "1.9", None),
        ("2026.5.1", "2026.5.0 2026.6.0", None), ("1.2.5rc1", "1.2.4 2.0", None),
    ],
)  # fmt: skip
def test_a_version_lower_than_the_newest_of_its_series(ours: str, others: str, later: str | None) -> None:
    found = index_state.later_version(Version(ours), frozenset(map(Version, others.split())))
    assert found == (Version(later) if later else None)


def on_index(version: str, *others: str, **more: Any) -> Outcome:
    """The outcome for a version, on an index that has the versions `others`."""
    files = tuple(
        IndexFile(filename=f"acme_widget-{other}.tar.gz", url="", sha256="a" * 64, size=1, upload_time=NOW, yanked=None)
        for other in others
    )
    access = Access(
        index=more.pop("index", PYPI), project=ProjectMetadata(name="acme-widget", version=version), credential=None,
        remarks=(), token=None, listing=ProjectListing(name="acme-widget", files=files), now=NOW, **more,
    )  # fmt: skip
    name = "the-version-is-the-newest-of-its-series"
    return next(one for one in run(index_state.CHECKS, access) if one.check == name)


def test_an_earlier_series_needs_a_branch_that_the_configuration_names() -> None:
    on_main = on_index("1.2.3", "1.2.4", branch="main")
    assert on_main.state is CheckState.FAILED
    assert 'maintenance-branches = ["main"] in [tool.release]' in on_main.findings[0].remedy
    for branch, patterns in (("1.x", ("1.x",)), ("release/1.2", ("main", "release/*")), ("1.2", ("[0-9].[0-9]",))):
        found = on_index("1.2.3", "1.2.4", branch=branch, maintenance_branches=patterns)
        assert found.state is CheckState.NOT_APPLICABLE, branch
    others = on_index("1.2.3", "1.2.4", branch="main", maintenance_branches=("1.x", "release/*"))
    assert others.state is CheckState.FAILED


def test_a_job_for_a_tag_has_no_branch_that_could_be_named() -> None:
    name = "the-version-is-the-newest-of-its-series"
    found = on_index("1.2.3", "1.2.4", branch=None, maintenance_branches=("1.x",))
    assert found.state is CheckState.FAILED
    assert f'add to [tool.release.waive]: {name} = "an earlier series"' in found.findings[0].remedy
    assert "maintenance-branches" not in found.findings[0].remedy


def test_a_version_that_no_index_accepts_is_not_refused_a_second_time() -> None:
    assert on_index("0.1.dev1+g1234567", "2.0", branch="main").state is CheckState.NOT_APPLICABLE
    assert on_index("0.1.dev1", "2.0", branch="main").state is CheckState.FAILED
    assert on_index("1.0", "2.0", branch="main", index=TESTPYPI).state is CheckState.NOT_APPLICABLE
