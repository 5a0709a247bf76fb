"""Warnings that good maintainers want: against the last release, against git, about versions."""

from __future__ import annotations

import io
from typing import Any

import pytest

from release.checks import distributions, previous_release, source_checks
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.core.config import Config
from release.core.facts import BuiltFile, BuiltFiles, GitState, PreviousRelease, ProjectMetadata, Source
from release.core.models.check_result import CheckState, Finding, NotApplicable, Unknown
from tests.acceptance.making import NOW, WHEEL, metadata, sdist, wheel, wheel_members, zipped


def file(name: str, content: bytes) -> BuiltFile:
    return BuiltFile(filename=name, size=len(content), sha256=None, open=lambda: io.BytesIO(content))


def built(*files: BuiltFile, **more: Any) -> BuiltFiles:
    return BuiltFiles(project=None, files=files, now=NOW, **more)


def said(checks: Any, facts: Any) -> dict[str, list[str]]:
    """Check → what it warns of; a check that blocks fails here."""
    found = {}
    for outcome in run(checks, facts):
        assert not outcome.state.blocks, outcome
        if outcome.findings:
            found[outcome.check] = [one.message for one in outcome.findings]
    return found


def older(**headers: Any) -> BuiltFile:
    members = wheel_members(metadata(version="0.9", **headers), "acme_widget-0.9.dist-info")
    members |= {"acme_widget/data.bin": b"x" * 5000, "acme_widget/gone.py": b"x = 1\n"}
    members["acme_widget-0.9.dist-info/entry_points.txt"] = b"[console_scripts]\nacme = acme_widget:main\n"
    return file("acme_widget-0.9-py3-none-any.whl", zipped(members))


def newer(*, extra: dict[str, bytes] | None = None, entry_points: bytes = b"", **headers: Any) -> BuiltFile:
    members = wheel_members(metadata(**headers)) | {
        "acme_widget/data.bin": b"x" * 5000,
        "acme_widget/gone.py": b"x = 1\n",
    }
    members["acme_widget-1.0.dist-info/entry_points.txt"] = b"[console_scripts]\nacme = acme_widget:main\n"
    return file(WHEEL, zipped(members | (extra or {})))


def against(one: BuiltFile, before: BuiltFile) -> dict[str, list[str]]:
    return said(previous_release.CHECKS, built(one, previous=PreviousRelease(version="0.9", files=(before,))))


def test_a_release_like_the_last_is_no_warning() -> None:
    """The version in `.dist-info` is no difference."""
    same: dict[str, Any] = {"Requires_Dist": ["a>=1", "b; python_version<'3'"], "Requires_Python": ">=3.9"}
    assert against(newer(**same), older(**same)) == {}


def test_data_that_is_no_longer_packed_is_noticed() -> None:
    """A file that is gone, and one that shrank."""
    plain = file(WHEEL, zipped(wheel_members() | {"acme_widget/data.bin": b"x" * 100}))
    found = against(plain, older())["no-file-vanished-or-shrank"]
    assert found == [
        "missing since 0.9: 'acme_widget/gone.py' (6 bytes)",
        "much smaller than in 0.9: 'acme_widget/data.bin' (5,000 → 100 bytes)",
    ]


def test_a_new_module_at_the_top_is_noticed() -> None:
    found = against(newer(extra={"tests/__init__.py": b""}), older())
    assert found["no-module-is-new-at-the-top"] == ["the wheel installs 'tests', which 0.9 did not"]


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        (["a"], ["a", "b>=2"], "dependencies added since 0.9: 'b>=2'"),
        (["a"], ["a>=2"], "dependencies tightened since 0.9: 'a → a>=2'"),
        (["a>=1"], ["a>=1,<2"], "dependencies tightened since 0.9: 'a>=1 → a<2,>=1'"),
        (["a>=2"], ["a>=1"], None),
        (["a", "b"], ["a"], None),
        (["A_b>=1"], ["a-b>=1"], None),
    ],
)
def test_dependencies_that_ask_for_more_are_noticed(then: list[str], now: list[str], message: str | None) -> None:
    """Looser and fewer ones hurt nobody."""
    found = against(newer(Requires_Dist=now), older(Requires_Dist=then))
    assert found == ({"the-dependencies-are-those-of-the-last-release": [message]} if message else {})


def test_a_python_that_is_shut_out_is_noticed() -> None:
    (message,) = against(newer(Requires_Python=">=3.11"), older(Requires_Python=">=3.9"))[
        "python-is-supported-as-before"
    ]
    assert message == "Requires-Python changed from '>=3.9' in 0.9 to '>=3.11', which drops Python 3.9, 3.10"
    assert against(newer(Requires_Python=">=3.8"), older(Requires_Python=">=3.9")) == {}


def test_a_script_that_is_gone_is_noticed() -> None:
    found = against(newer(extra={"acme_widget-1.0.dist-info/entry_points.txt": b""}), older())
    assert found["no-entry-point-is-gone"] == ["entry points removed since 0.9: 'acme (console_scripts)'"]


def test_a_size_out_of_line_is_noticed() -> None:
    import random

    large = newer(extra={"acme_widget/big.bin": random.Random(1).randbytes(300_000)})  # noqa: S311 - the same bytes
    assert "the-size-is-in-line" in against(large, older())
    assert "the-size-is-in-line" not in against(newer(), older())


@pytest.mark.parametrize(
    "earlier",
    [
        None,
        NotApplicable(reason="none"),
        Unknown(reason="x", remedy="y"),
        PreviousRelease(version="0.9", files=(file("acme_widget-0.9.tar.gz", b""),)),
    ],
)
def test_without_a_last_release_there_is_nothing_to_say(earlier: Any) -> None:
    """No index, none like it, none that can be read: shown as such, and nothing stops."""
    outcomes = list(run(previous_release.CHECKS, built(newer(), previous=earlier)))
    assert {outcome.state for outcome in outcomes} == {CheckState.NOT_APPLICABLE}
    assert all(outcome.reason for outcome in outcomes)


@pytest.mark.parametrize(
    ("version", "odd"),
    [
        ("0.0.0", True),
        ("0.1.dev1", True),
        ("0.1.dev0", True),
        ("0", True),
        ("1.0.dev3", False),
        ("0.1.0.dev4", False),
        ("0.1", False),
        ("0.0.1", False),
    ],
)
def test_a_version_that_betrays_a_checkout_without_tags(version: str, odd: bool) -> None:
    """What setuptools-scm and its like fall back to."""
    facts = built(file(f"acme_widget-{version}.tar.gz", sdist(metadata(version=version), f"acme_widget-{version}")))
    assert ("the-version-is-of-a-tag" in said(CHECKS, facts)) is odd


def test_a_local_version_of_a_commit_says_what_it_is() -> None:
    """The index refuses it; the warning says why it came to be."""
    one = file("acme_widget-1.0+g1234567.tar.gz", sdist(metadata(version="1.0+g1234567")))
    (finding,) = distributions.the_version_is_of_a_tag.observe(built(one))
    assert isinstance(finding, Finding)
    assert "checkout without tags" in finding.message


@pytest.mark.parametrize(
    ("requires", "python", "odd"),
    [
        (">=3.9", "3.8", True),
        (">=3.9", "3.9", False),
        (">=3.9.2", "3.9", False),
        ("!=3.10.*", "3.10", True),
        (None, "2.7", False),
    ],
)
def test_classifiers_against_requires_python(requires: str | None, python: str, odd: bool) -> None:
    """A Python counts as let in where any of its patch releases is."""
    data = metadata(
        Requires_Python=requires, Classifier=[f"Programming Language :: Python :: {python}", "Topic :: Utilities"]
    )
    found = said(CHECKS, built(file(WHEEL, wheel(data))))
    assert ("the-classifiers-fit-requires-python" in found) is odd


def source(*tags: str, version: str = "1.0") -> Source:
    git = GitState(
        commit="0" * 40,
        branch="main",
        changes=(),
        upstream=None,
        behind=0,
        tagged_commit=None,
        shallow=False,
        tags=tags,
    )
    return Source(
        config=Config(),
        project=ProjectMetadata(name="acme-widget", version=version),
        git=git,
        tag=f"v{version}",
        changelog=None,
    )


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (("v1.0",), ""),
        (("latest",), ""),
        (("v1.0", "other-v2.0"), "also tagged 'other-v2.0'"),
        (("v1.0.0-beta",), "also tagged"),
        (("v1.0", "acme-1.0"), ""),
    ],
)
def test_tags_on_the_commit(tags: tuple[str, ...], words: str) -> None:
    """Two packages tagged on one commit get each other's versions."""
    found = said(source_checks.OF_THE_TAGS, source(*tags)).get("the-tags-here-are-of-this-version", [""])
    assert words in found[0]
    assert bool(found[0]) is bool(words)


def test_a_tag_that_is_no_canonical_version() -> None:
    (message,) = said(source_checks.OF_THE_TAGS, source("release-1.0.RC1", version="1.0rc1"))[
        "the-tags-here-are-of-this-version"
    ]
    assert message == "the tag 'release-1.0.RC1' spells version 1.0rc1 differently from the file names"
