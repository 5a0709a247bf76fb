"""What GitHub reads of a release workflow: which tags start it, and which code runs in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace
from packaging.version import Version

from release.publishing.ci import github
from release.publishing.ci.pipeline import Pipeline
from tests.publishing.ci.workflow_files import parsed

PIPELINE = Pipeline(
    tag_format="v{version}", name="acme", directory="", version="1.0", requirements=None, binary=False, because=""
)


def test_every_action_is_pinned_to_a_commit_whose_version_is_named() -> None:
    """A tag can be moved to other code, which would run with the identity of the release."""
    for name, action in github.ACTIONS.items():
        found = re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v(\d+\.\d+\.\d+)", action)
        assert found, name
        assert Version(found[1])


@pytest.mark.parametrize(
    ("around", "pattern"),
    [
        (("v", ""), "v*"),
        (("", ""), "*"),
        (("{name}-v", ""), "*-v*"),
        (("a[b]", "!"), r"a\[b\]*\!"),
        (("a*b?", "+"), r"a\*b\?*\+"),
    ],
)
def test_the_pattern_of_release_tags_takes_nothing_else_for_a_pattern(around: tuple[str, str], pattern: str) -> None:
    assert github.tag_pattern(*around) == pattern


def test_a_scheduled_run_with_a_proof_releases_nothing() -> None:
    plain, proving = github.render_release(PIPELINE), github.render_release(replace(PIPELINE, proof="0 6 * * 1"))
    assert "if: github.event_name == 'push'" not in plain
    assert proving.count("if: github.event_name == 'push'") >= 2


def test_only_the_job_that_uploads_has_an_identity() -> None:
    """The build runs code of the project and of its requirements."""
    workflow: Any = parsed(github.render_release(PIPELINE))
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        identity = job.get("permissions", {}).get("id-token") == "write"
        builds = "build" in name or "wheels" in name
        assert not (identity and builds), name
    assert any(job.get("permissions", {}).get("id-token") for job in workflow["jobs"].values())


def test_the_jobs_without_the_sources_check_out_the_configuration_alone() -> None:
    below = replace(PIPELINE, directory="libs/a/", requirements="lock.txt")
    for made, paths in ((PIPELINE, ["/pyproject.toml"]), (below, ["/libs/a/pyproject.toml", "/libs/a/lock.txt"])):
        jobs = parsed(github.render_release(made))["jobs"].values()
        sparse = [one["with"]["sparse-checkout"] for job in jobs for one in job["steps"] if "with" in one
                  and "sparse-checkout" in one["with"]]  # fmt: skip
        assert sparse
        assert all(one.split() == paths for one in sparse)
