"""Metadata that differs between the files of a release: which fields, how, and how bad it is."""

from __future__ import annotations

import pytest

from release.checks.metadata_consistency import inconsistencies
from release.core.models.check_result import Finding
from release.core.models.distribution import InspectedFile
from tests.acceptance.making import SDIST, WHEEL, metadata

OTHER_WHEEL = "acme_widget-1.0-cp311-cp311-win32.whl"


def said(**files: bytes) -> list[Finding]:
    """What is found in a wheel, an sdist, another wheel: what each says."""
    names = {"wheel": WHEEL, "sdist": SDIST, "other": OTHER_WHEEL}
    return list(
        inconsistencies([InspectedFile(filename=names[key], findings=(), metadata=data) for key, data in files.items()])
    )


def test_files_that_say_the_same_in_other_words_are_the_same() -> None:
    """Order, spelling of requirements and names, blanks at the ends of lines."""
    one = metadata(
        Requires_Dist=["Foo_Bar>=1,<2", "baz ; extra == 'x'"], Requires_Python=">=3.9, <4", Provides_Extra="x",
        Classifier=["B", "A"], body="Text  \nmore\n",
    )  # fmt: skip
    other = metadata(
        Requires_Dist=['baz; extra == "x"', "foo-bar <2, >=1"], Requires_Python="<4,>=3.9", Provides_Extra="x",
        Classifier=["A", "B"], body="Text\nmore\n\n", Metadata_Version="2.3",
    )  # fmt: skip
    assert said(sdist=one, wheel=other) == []


@pytest.mark.parametrize(
    ("wheel", "sdist", "severity", "says"),
    [
        ({"Requires_Dist": ["a", "b>2"]}, {"Requires_Dist": ["a"]}, "block", "Requires-Dist differs from"),
        ({}, {"Requires_Dist": "a"}, "block", ": only there 'a'"),
        (
            {"Requires_Python": ">=3.9"}, {"Requires_Python": ">=3.8"}, "block",
            ": only here '>=3.9'; only there '>=3.8'",
        ),
        ({"Provides_Extra": "x"}, {}, "block", "Provides-Extra differs"),
        ({"Summary": "A"}, {"Summary": "B"}, "warn", "Summary differs from"),
        ({"Project_URL": "a, https://a"}, {}, "warn", "Project-URL differs from"),
        ({"Summary": "A", "body": "x\n"}, {"Summary": "B"}, "warn", "Description, Summary differ from"),
    ],
)  # fmt: skip
def test_what_differs_is_named(wheel: dict[str, str], sdist: dict[str, str], severity: str, says: str) -> None:
    (found,) = said(sdist=metadata(**sdist), wheel=metadata(**wheel))
    assert (found.severity, found.where) == (severity, WHEEL)
    assert says in found.message
    assert repr(SDIST) in found.message


def test_what_an_sdist_leaves_open_may_differ() -> None:
    assert said(sdist=metadata(Dynamic=["Requires-Dist", "Classifier"]), wheel=metadata(Requires_Dist="a")) == []


def test_an_sdist_from_before_such_promises_can_only_be_odd() -> None:
    """What it leaves out says nothing, and what it says otherwise is a warning; wheels are held to their words."""
    old = metadata(Metadata_Version="2.1", Requires_Dist="old")
    assert said(sdist=metadata(Metadata_Version="1.0"), wheel=metadata(Requires_Dist="a")) == []
    assert [one.severity for one in said(sdist=old, wheel=metadata(Requires_Dist="a"))] == ["warn"]
    found = said(sdist=old, wheel=metadata(Requires_Dist="a"), other=metadata(Requires_Dist="b"))
    assert [(one.where, one.severity) for one in found] == [(SDIST, "warn"), (OTHER_WHEEL, "block")]


def test_broken_metadata_is_compared_as_it_stands() -> None:
    """An unreadable requirement or specifier is text like any other; so is a version of the metadata."""
    odd = {"Requires_Dist": "a ~~ 1", "Requires_Python": "three", "Metadata_Version": "two"}
    assert said(sdist=metadata(**odd), wheel=metadata(**odd)) == []
    found = said(wheel=metadata(**odd), other=metadata())
    assert [one.message.rpartition(": ")[2] for one in found] == ["only there 'a ~~ 1'", "only there 'three'"]


def test_files_of_several_projects_are_compared_within_each_release() -> None:
    """As `inspect dist/*` meets them in a repository of several projects."""
    files = [
        InspectedFile(filename=name, findings=(), metadata=metadata(Name=project, Version=version, Summary=summary))
        for name, project, version, summary in (
            (WHEEL, "acme-widget", "1.0", "A"), (SDIST, "acme-widget", "1.0", "A"),
            ("acme_widget-2.0.tar.gz", "acme-widget", "2.0", "B"), ("other-1.0.tar.gz", "other", "1.0", "C"),
        )
    ]  # fmt: skip
    assert list(inconsistencies(files)) == []
    files.append(
        InspectedFile(
            filename="other-1.0-py3-none-any.whl", findings=(),
            metadata=metadata(Name="other", Version="1.0", Summary="D"),
        )
    )  # fmt: skip
    (found,) = inconsistencies(files)
    assert found.where == "other-1.0-py3-none-any.whl"
