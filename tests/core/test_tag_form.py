"""The form of release tags: learnt from those that are there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from release.core.tag_form import (
    DatedTag,
    RepositoryTags,
    TagForm,
    declared_form,
    is_comparable,
    learn_form,
    release_after,
    version_of_any_tag,
)


def learnt(*tags: str, name: str = "acme-widget", version: str = "1.1", **more: bool) -> TagForm:
    """From tags in the order of their making."""
    dated = [DatedTag(name=tag, time=at) for at, tag in enumerate(tags)]
    return learn_form(name, version, dated, **more)


@pytest.mark.parametrize(
    ("tags", "version", "tag"),
    [
        ((), "1.1", "v1.1"),
        (("nightly", "latest"), "1.1", "v1.1"),
        (("0.9", "1.0"), "1.1", "1.1"),
        (("v0.9", "v1.0"), "1.1", "v1.1"),
        (("V1.0",), "1.1", "V1.1"),
        (("v.1.0",), "1.1", "v.1.1"),
        # the newest counts, in whatever way
        (("0.9", "v1.0"), "1.1", "v1.1"),
        (("acme-widget-0.9", "1.0"), "1.1", "1.1"),
        (("release-1.0",), "1.1", "release-1.1"),
        (("rel-1.0",), "1.1", "rel-1.1"),
        (("release/1.0",), "1.1", "release/1.1"),
        (("releases/v1.0",), "1.1", "releases/v1.1"),
        (("version-1.0",), "1.1", "version-1.1"),
        # with the name, in any spelling
        (("acme-widget-v1.0",), "1.1", "acme-widget-v1.1"),
        (("acme_widget-1.0",), "1.1", "acme_widget-1.1"),
        (("Acme.Widget@1.0",), "1.1", "Acme.Widget@1.1"),
        (("acme-widget/v1.0",), "1.1", "acme-widget/v1.1"),
        (("acme-widget==1.0",), "1.1", "acme-widget==1.1"),
        (("release/acme-widget/1.0",), "1.1", "release/acme-widget/1.1"),
        # tags of siblings and of other kinds teach nothing
        (("acme-gadget-v3.3",), "1.1", "v1.1"),
        (("acme-widget-extra-3.3",), "1.1", "v1.1"),
        (("1.0", "acme-gadget-v3.3"), "1.1", "1.1"),
        (("acme-widget-1.0", "v9.0", "acme-gadget-v3.3"), "1.1", "acme-widget-1.1"),
        (("1.0", "release-883"), "1.1", "1.1"),
        (("1.0", "nightly-1.1.20260101"), "1.1", "1.1"),
        (("1.0", "2026.06.04"), "1.1", "1.1"),
        (("1.0", "deploy-2026"), "1.1", "1.1"),
        (("1.0", "v1"), "1.1", "1.1"),
        # calendar versions
        (("v2026.06.04",), "2026.6.5", "v2026.06.05"),
        (("v2026.06.04", "v2026.10.11"), "2026.11.2", "v2026.11.02"),
        (("2026.6.4",), "2026.6.5", "2026.6.5"),
        (("2025.06.04", "2026.6.4"), "2026.6.5", "2026.6.5"),
        (("26.04",), "26.10", "26.10"),
        (("26.04",), "26.5", "26.05"),
        # pre-releases
        (("v1.0.0-rc.1",), "1.1.0rc2", "v1.1.0-rc.2"),
        (("v1.0.0-beta.1",), "1.1.0a2", "v1.1.0-alpha.2"),
        (("v1.0.0-beta.1", "v1.0.0-rc1"), "1.1.0b2", "v1.1.0-b2"),
        (("1.0.0rc1",), "1.1.0rc2", "1.1.0rc2"),
        (("v1.0.0",), "1.1.0rc2", "v1.1.0rc2"),
        (("v1.0.0-rc.1",), "1.1.0", "v1.1.0"),
        (("release_1_0_3",), "1.1.0", "release_1_1_0"),
        (("v1.0",), "1.1.post1", "v1.1.post1"),
        (("v1.0",), "1.1.dev3", "v1.1.dev3"),
        # a version that is not normalized
        (("v1.0",), "v2.0.0", "v2.0.0"),
        ((), "v2.0.0", "v2.0.0"),
        ((), "1.0-RC1", "v1.0rc1"),
        (("1.0",), "not a version", "not a version"),
    ],
)  # fmt: skip
def test_the_next_tag_is_like_the_last(tags: tuple[str, ...], version: str, tag: str) -> None:
    assert learnt(*tags, version=version).tag(version) == tag


@pytest.mark.parametrize(
    ("tags", "version", "tag"),
    [
        (("widget-1.1",), "1.1", "widget-1.1"),
        (("widget-v0.9", "widget-v1.0"), "1.1", "widget-v1.1"),
        (("py-widget@0.9", "py-widget@1.0", "nightly"), "1.1", "py-widget@1.1"),
        (("widget-2026.05.04", "widget-2026.06.04"), "2026.6.5", "widget-2026.06.05"),
        # not certain
        (("paper-1.0",), "1.1", "v1.1"),
        (("widget-0.9", "gadget-0.9"), "1.1", "v1.1"),
        (("widget-0.9", "widget-1.0", "0.8"), "1.1", "1.1"),
        (("widget-0.9", "widget-1.0", "acme-widget-0.8"), "1.1", "acme-widget-1.1"),
        (("deploy-2026.05", "deploy-2026.06"), "1.1", "v1.1"),
    ],
)  # fmt: skip
def test_the_name_in_the_tags_of_a_project_that_is_alone(tags: tuple[str, ...], version: str, tag: str) -> None:
    assert learnt(*tags, version=version, alone=True).tag(version) == tag
    if tag.startswith(("widget", "py-widget")):
        assert learnt(*tags, version=version).tag(version) == f"v{version}"


def test_tags_without_a_name_belong_to_the_project_at_the_root() -> None:
    assert learnt("5.0", only_named=True).tag("1.1") == "v1.1"
    assert learnt("5.0", only_named=True).version_of("5.0") is None
    assert learnt("5.0", "acme-widget-1.0", only_named=True).tag("1.1") == "acme-widget-1.1"


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v2026.06.04", "2026.6.4"), ("2026.6.4", "2026.6.4"), ("v1.0.0-rc.1", "1.0.0rc1"), ("v1.0", "1.0.0"),
        ("acme-widget-v1.0", "1.0"), ("acme.widget-1.0", "1.0"),
    ],
)  # fmt: skip
def test_a_tag_that_equals_the_version_is_the_tag(tag: str, version: str) -> None:
    form = learnt(tag, version=version)
    assert form.existing_tag(version, ["other", tag]) == tag
    assert form.existing_tag("7.0", ["other", tag]) is None


def test_of_several_tags_the_one_in_the_form_counts() -> None:
    assert learnt("v1.2.0").existing_tag("1.2.0", ["v1.2", "v1.2.0", "1.2.0"]) == "v1.2.0"
    assert learnt("v1.2.0").existing_tag("2.0.0", ["v2", "v2.0"]) == "v2.0"


def test_a_configured_form_is_the_only_one() -> None:
    form = declared_form("{name}-v{version}", "acme-widget")
    assert form.tag("v2.0") == "acme-widget-v2.0"
    assert form.version_of("acme_widget-v1.0") == Version("1.0")
    assert form.version_of("acme-gadget-v3.3") is form.version_of("v3.3") is None
    assert declared_form("{version}-final", "acme").version_of("1.0-final") == Version("1.0")


def test_names_with_digits() -> None:
    assert learnt("py3status-3.1", name="py3status", version="3.2").tag("3.2") == "py3status-3.2"
    assert learnt("3.1", name="py3status", version="3.2").version_of("py3status-v3.2") == Version("3.2")
    assert version_of_any_tag("acme2-v1.0") == Version("1.0")
    assert version_of_any_tag("acme-paper-v1") == Version("1")
    assert version_of_any_tag("latest") is None


@pytest.mark.parametrize(
    ("tagged", "version", "comparable"),
    [
        ("883", "1.0", False),
        ("1", "1.0", False),
        ("882", "883", True),
        ("2026.6.4", "1.0", False),
        ("1.1", "1.0", True),
    ],
)
def test_what_is_a_version_of_the_project(tagged: str, version: str, comparable: bool) -> None:
    assert is_comparable(Version(tagged), Version(version)) is comparable


@pytest.mark.parametrize(
    ("derived", "release"),
    [
        ("1.1.dev3+g1234567", "1.1"), ("1.0.post3.dev0+1234567", "1.0.post3"), ("1.0+3.g1234567", "1.0.post1"),
        ("1.0rc1+3.g1", "1.0rc1"), ("1.0.post2+1", "1.0.post2"), ("1.0", None), ("1.0rc1", None), ("no version", None),
        ("2.dev1", "2"),
    ],
)  # fmt: skip
def test_the_release_that_a_derived_version_leads_to(derived: str, release: str | None) -> None:
    assert release_after(derived) == release


class _EveryTag(RepositoryTags):
    """Each tag is looked at, whatever it starts with."""

    def of_project(self, name: str) -> tuple[DatedTag, ...]:  # noqa: ARG002 - as there
        return self

    @property
    def unnamed(self) -> tuple[DatedTag, ...]:
        return self


_NAMES = st.sampled_from(["acme", "acme-widget", "Acme_Widget.core", "acme-2", "r2", "v", "verify", "rel-acme", "acmé"])
_PIECES = st.sampled_from([
    *["acme", "ACME", "acme-widget", "acme.._widget", "Acme_Widget.core", "acme-2", "r2", "v", "V", "verify", "rel"],
    *["release", "Releases-", "version/", "ver", "r", "-", "_", ".", "/", "@", "=", "1.0", "2", "1_2", "v1.5rc1"],
    *["2026.6.4", "acmé", "\N{LATIN SMALL LETTER LONG S}", "x", "rc1", "release-883"],
])  # fmt: skip
_TAGS = st.lists(
    st.builds(DatedTag, name=st.lists(_PIECES, min_size=1, max_size=5).map("".join), time=st.integers(0, 3)),
    max_size=8, unique_by=lambda tag: tag.name,
)  # fmt: skip


@given(_TAGS, _NAMES, st.sampled_from(["1.0", "2026.6.4", "2", "none"]), st.booleans(), st.booleans())
@settings(max_examples=150)
def test_tags_are_found_by_what_they_start_with(
    tags: list[DatedTag], name: str, version: str, only_named: bool, alone: bool
) -> None:
    """The form is learnt as if each tag were looked at, and no tag in a form is overlooked."""
    known = RepositoryTags(tags)
    form = learn_form(name, version, known, only_named=only_named, alone=alone)
    assert form == learn_form(name, version, _EveryTag(tags), only_named=only_named, alone=alone)
    declared = [declared_form(text, name) for text in ("{name}-v{version}", "release/{name}@{version}", "V{version}-x")]
    for one in (form, *declared):
        assert {tag for tag in tags if one.version_of(tag.name)} <= set(known.of_form(one))


def test_a_project_looks_at_its_own_tags_only() -> None:
    tags = RepositoryTags(
        DatedTag(name=f"acme-{number}-v1.{minor}", time=minor) for number in range(64) for minor in range(3)
    )
    found = tags.of_form(learn_form("acme-7", "1.3", tags))
    assert [tag.name for tag in found] == ["acme-7-v1.0", "acme-7-v1.1", "acme-7-v1.2"]
    assert len(tags.of_form(declared_form("{name}-v{version}", "acme-63"))) == 3
