"""Warnings that good maintainers want: against the last release, against git, about versions."""

from __future__ import annotations

import io
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks import distributions, previous_release
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.core.facts import BuiltFile, BuiltFiles, PreviousRelease, ProjectMetadata
from release.core.models.check_result import CheckState, Finding, NotApplicable, Unknown
from release.core.models.source_tree import SourceTree
from tests.acceptance.making import NOW, WHEEL, metadata, sdist, tarred, wheel, wheel_members, zipped


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
        "missing since 0.9: 'acme_widget/gone.py'",
        "much smaller than in 0.9: 'acme_widget/data.bin' (5,000 → 100 bytes)",
    ]


def test_a_new_module_at_the_top_is_noticed() -> None:
    found = against(newer(extra={"tests/__init__.py": b""}), older())
    assert found["no-module-is-new-at-the-top"] == ["the wheel installs 'tests', which 0.9 did not"]


def noted(one: BuiltFile, before: BuiltFile) -> dict[str, str]:
    """Check → what it notes, without a warning."""
    facts = built(one, previous=PreviousRelease(version="0.9", files=(before,)))
    outcomes = list(run(previous_release.CHECKS, facts))
    assert not any(outcome.findings for outcome in outcomes)
    return {one.check: one.reason for one in outcomes if one.reason and one.state is CheckState.PASSED}


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        (["a"], ["a", "b>=2"], "added since 0.9: 'b>=2'"),
        (["a"], ["a>=2"], "tightened since 0.9: 'a → a>=2'"),
        (["a>=1"], ["a>=1,<2"], "tightened since 0.9: 'a>=1 → a<2,>=1'"),
        (["a>=2"], ["a>=1"], None),
        (["a", "b"], ["a"], None),
        (["A_b>=1"], ["a-b>=1"], None),
        (["acme-core==0.9"], ["acme-core==1.0"], None),
        (["acme-core==0.9; python_version>'3'"], ["acme-core==1.0; python_version>'3'"], None),
        (["a"], ["a", "pytest; extra == 'test'", "ruff>=1; extra == 'dev'"], None),
        (["a", "pytest>=7; extra == 'test'"], ["a", "pytest>=8; extra == 'test'"], None),
    ],
)
def test_dependencies_that_ask_for_more_are_noted(then: list[str], now: list[str], message: str | None) -> None:
    """They are part of most releases. Siblings released in lockstep and extras are passed over."""
    found = noted(newer(Requires_Dist=now), older(Requires_Dist=then))
    assert found == ({"the-dependencies-are-those-of-the-last-release": message} if message else {})


def test_a_python_that_is_shut_out_is_noted() -> None:
    found = noted(newer(Requires_Python=">=3.11"), older(Requires_Python=">=3.9"))
    assert found["python-is-supported-as-before"] == "'>=3.9' in 0.9, '>=3.11' now, without Python 3.9, 3.10"
    assert noted(newer(Requires_Python=">=3.8"), older(Requires_Python=">=3.9")) == {}


def test_what_is_noted_blocks_where_the_configuration_says_so() -> None:
    name = "the-dependencies-are-those-of-the-last-release"
    facts = built(newer(Requires_Dist=["b"]), previous=PreviousRelease(version="0.9", files=(older(),)))
    states = {one.check: one.state for one in run(previous_release.CHECKS, facts, block=frozenset({name}))}
    assert states[name] is CheckState.FAILED


def with_files(version: str, *paths: str, name: str = "") -> BuiltFile:
    members = wheel_members(metadata(version=version), f"acme_widget-{version}.dist-info")
    return file(name or f"acme_widget-{version}-py3-none-any.whl", zipped(members | dict.fromkeys(paths, b"")))


def gone(then: str, now: str, *, version: str = "1.1", tracked: frozenset[str] | None = None, **more: Any) -> list[str]:
    """What is said where the space-separated files of 1.0 have become those of `version`."""
    facts = built(
        with_files(version, *now.split()),
        source_tree=None if tracked is None else SourceTree(tracked=tracked),
        previous=PreviousRelease(version="1.0", files=(with_files("1.0", *then.split()), *more.get("sdist", ()))),
    )  # fmt: skip
    facts = replace(facts, project=ProjectMetadata(name="acme-widget", version=version))
    return said(previous_release.CHECKS, facts).get("no-file-vanished-or-shrank", [])


@pytest.mark.parametrize(
    ("then", "named"),
    [
        ("acme_widget/py.typed", "'acme_widget/py.typed'"),
        ("acme_widget/__init__.pyi", "'acme_widget/__init__.pyi'"),
        ("acme_widget/empty.txt", "'acme_widget/empty.txt'"),
        ("acme_widget/extra.py", "'acme_widget/extra.py'"),
        ("acme_widget/fast.cpython-311-x86_64-linux-gnu.so", "'acme_widget/fast.cpython-311-x86_64-linux-gnu.so'"),
        ("acme_widget/sub/__init__.py acme_widget/sub/a.py", "'acme_widget/sub/__init__.py'"),
        ("acme_widget-1.0.data/data/share/man/man1/acme.1", "'*.data/data/share/man/man1/acme.1'"),
    ],
)
def test_what_users_miss_is_named(then: str, named: str) -> None:
    assert gone(then, "") == [f"missing since 1.0: {named}"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("acme_widget/_private.py acme_widget/_sub/__init__.py", ""),
        ("acme_widget/tests/__init__.py acme_widget/tests/data.json tests/test_a.py acme_widget/conftest.py", ""),
        ("docs/conf.py acme_widget/examples/a.py", ""),
        ("acme_widget/static/main.3f2a9c1e.js", "acme_widget/static/main.77b0aa12.js"),
        ("acme_widget/static/index-BQ2tXz8_.css", "acme_widget/static/index-C7aPq1Zk.css"),
        ("LICENSE acme_widget/LICENSE.txt acme_widget/NOTICE", "acme_widget/licenses/LICENSE.txt"),
        ("acme_widget/a.py", "acme_widget/a/__init__.py"),
        ("acme_widget/a.py", "acme_widget/a.cpython-312-darwin.so"),
        ("acme_widget/templates/page.html", "acme_widget/web/page.html"),
        ("acme_widget-1.0.data/data/share/man/man1/acme.1", "acme_widget-1.1.data/data/share/man/man1/acme.1"),
        ("acme_widget/a.py", "acme_widget-1.1.data/purelib/acme_widget/a.py"),
        ("acme_widget.libs/libz-1234abcd.so.1", "acme_widget.libs/libz-9876fedc.so.1"),
        ("acme_widget/fast.c acme_widget/fast.pyx", ""),
        ("acme_widget/_vendor/six.py acme_widget/vendor/toml.py", ""),
    ],
)
def test_what_nobody_misses_is_silent(then: str, now: str) -> None:
    assert gone(then, now) == []


@pytest.mark.parametrize(
    ("version", "tracked", "warns"),
    [
        ("1.1", "src/acme_widget/extra.py", True),
        ("2.0", "src/acme_widget/extra.py", True),
        ("1.1", "", True),
        ("2.0", "", False),
        ("2026.1", "", False),
    ],
)
def test_a_module_may_be_removed_by_a_major_version(version: str, tracked: str, warns: bool) -> None:
    """One that git still has was left out by the build, whatever the version."""
    found = gone("acme_widget/extra.py", "", version=version, tracked=frozenset({"README.md", tracked}))
    assert bool(found) is warns


def test_data_that_git_no_longer_has_was_removed_on_purpose_unless_the_build_made_it() -> None:
    tracked, data = frozenset({"acme_widget/__init__.py"}), "acme_widget/app.js"
    source = file("acme_widget-1.0.tar.gz", tarred({f"acme_widget-1.0/src/{data}": b""}))
    plain = file("acme_widget-1.0.tar.gz", tarred({"acme_widget-1.0/acme_widget/__init__.py": b""}))
    assert gone(data, "", tracked=tracked, sdist=(source,)) == []
    assert gone(data, "", tracked=tracked, sdist=(plain,)) == [f"missing since 1.0: {data!r}"]
    assert gone(data, "", tracked=tracked | {f"src/{data}"}, sdist=(source,)) == [f"missing since 1.0: {data!r}"]
    assert gone("acme_widget/py.typed", "", tracked=tracked) == ["missing since 1.0: 'acme_widget/py.typed'"]


@pytest.mark.parametrize(
    ("names", "warned"),
    [
        (["manylinux_2_28_x86_64", "win_amd64", "macosx_11_0_arm64"], []),
        (["manylinux_2_17_x86_64.manylinux2014_x86_64", "win_amd64", "macosx_14_0_arm64"], []),
        (["manylinux2014_x86_64", "macosx_11_0_arm64"], ["1.0 has wheels for 'win_amd64', this release has none"]),
        (["any"], ["1.0 has wheels for 'linux x86_64', 'macosx arm64', 'win_amd64', this release has none"]),
    ],
)
def test_platforms_that_the_last_release_had(names: list[str], warned: list[str]) -> None:
    now = [with_files("1.1", name=f"acme_widget-1.1-cp311-cp311-{name}.whl") for name in names]
    then = [f"acme_widget-1.0-cp311-cp311-{n}.whl" for n in ("manylinux2014_x86_64", "win_amd64", "macosx_11_0_arm64")]
    before = PreviousRelease(version="1.0", files=(with_files("1.0"),), filenames=(*then, "acme_widget-1.0.tar.gz"))
    found = said(previous_release.CHECKS, built(*now, previous=before))
    assert found.get("no-platform-is-gone", []) == warned
    rehearsed = said(previous_release.CHECKS, built(*now, previous=replace(before, filenames=())))
    assert "no-platform-is-gone" not in rehearsed


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
