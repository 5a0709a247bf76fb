"""What GitLab reads of a release pipeline: which tags start it, and commands that stay what they are."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from release.publishing.ci import gitlab
from release.publishing.ci.pipeline import Pipeline
from tests.publishing.ci.workflow_files import parsed

PIPELINE = Pipeline(
    tag_format="v{version}", name="acme", directory="", version="1.0", requirements=None, binary=False, because=""
)


@pytest.mark.parametrize(
    ("around", "tag", "releases"),
    [
        (("v", ""), "v1.0", True),
        (("v", ""), "v", False),
        (("v", ""), "w1.0", False),
        (("a.b/v", ""), "a.b/v1.0", True),
        (("a.b/v", ""), "aXb/v1.0", False),
        (("{name}-", ""), "acme-1.0", True),
        (("", "-final"), "1.0-final", True),
        (("", "-final"), "1.0-finally", False),
    ],
)
def test_the_rule_of_gitlab_for_release_tags(around: tuple[str, str], tag: str, releases: bool) -> None:
    rule = gitlab.tag_rule(around)
    assert rule.startswith("$CI_COMMIT_TAG =~ /^")
    expression = rule.removeprefix("$CI_COMMIT_TAG =~ /").removesuffix("/")
    assert "/" not in expression.replace(r"\/", ""), "it would end there"
    assert bool(re.search(expression, tag)) is releases


def test_a_scheduled_pipeline_with_a_proof_releases_nothing() -> None:
    plain, proving = gitlab.render_release(PIPELINE), gitlab.render_release(replace(PIPELINE, proof="0 6 * * 1"))
    assert "schedule" not in plain
    assert "!= " in next(line for line in proving.splitlines() if "schedule" in line and "CI_COMMIT_TAG" in line)


def test_a_project_below_the_root_is_entered_and_its_artifacts_are_found() -> None:
    assert gitlab.change_directory(PIPELINE) == ""
    below = replace(PIPELINE, directory="packages/a b/", requirements="lock.txt")
    assert gitlab.change_directory(below) == """    - "cd 'packages/a b'"\n"""
    text, plain = gitlab.render_release(below), gitlab.render_release(PIPELINE)
    names = ("dist/", "SHA256SUMS", "pyproject.toml", "lock.txt")
    for made, paths in ((text, [f"packages/a b/{name}" for name in names]), (plain, list(names[:3]))):
        kept = [job["artifacts"]["paths"] for job in parsed(made).values() if "artifacts" in job]
        assert paths in kept
    assert "lock.txt" not in plain


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("python -m build", "python -m build"),
        ("a: b", '"a: b"'),
        ("echo # x", '"echo # x"'),
        ("cd 'x'", "\"cd 'x'\""),
        ("a && b", '"a && b"'),
        ("[x]", '"[x]"'),
        ("a\\b", '"a\\\\b"'),
    ],
)
def test_a_command_is_one_yaml_scalar(command: str, text: str) -> None:
    assert gitlab.scalar(command) == text
