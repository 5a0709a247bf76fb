"""The order of members, from their requirements on each other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.errors import ConfigError
from release.core.models.release_set import Member
from release.core.set_order import needed_members, order_levels, order_notes


def member(name: str, *requires: str, build: tuple[str, ...] = (), directory: str | None = None) -> Member:
    place = f"packages/{name}" if directory is None else directory
    return Member(name=name, version="1.0", directory=place, requires=requires, build_requires=build)


@pytest.mark.parametrize(
    ("requirement", "needs"),
    [
        ("b", {"b"}), ("B>=2", {"b"}), ("b[fast]~=1.0", {"b"}), ("b; python_version < '3'", {"b"}),
        ("b; sys_platform == 'win32' and extra == 'x'", {"b"}), ("b @ https://example.org/b.whl", {"b"}),
        ("bb", set()), ("requests", set()), ("a[all]; extra == 'x'", set()), ("not a requirement", set()),
    ],
)  # fmt: skip
def test_a_requirement_on_a_member_orders(requirement: str, needs: set[str]) -> None:
    assert needed_members([member("a", requirement), member("b")]) == {"a": needs, "b": set()}


def test_names_are_compared_in_their_canonical_form() -> None:
    members = [member("Acme.Core"), member("acme_web", "acme-core>=1")]
    assert order_levels(members) == (("acme-core",), ("acme-web",))


def test_a_diamond_has_three_levels_and_a_chain_of_builds_four() -> None:
    diamond = [member("d", "b", "c"), member("b", "a"), member("c", "a"), member("a")]
    assert order_levels(diamond) == (("a",), ("b", "c"), ("d",))
    chain = [member("a"), member("b", build=("a",)), member("c", build=("hatchling", "b")), member("d", build=("c",))]
    assert order_levels(chain) == (("a",), ("b",), ("c",), ("d",))


def test_members_without_requirements_are_one_level() -> None:
    assert order_levels([member("b"), member("a")]) == (("a", "b"),)
    assert order_levels([]) == ()


def test_only_selected_members_are_ordered() -> None:
    members = [member("c", "b"), member("b", "a"), member("a")]
    assert order_levels(members, {"a", "c"}) == (("a",), ("c",))  # c needs a through b
    assert order_levels(members, {"b"}) == (("b",),)
    circle = [member("a", "b"), member("b", "c"), member("c", "a")]
    assert order_levels(circle, {"a", "c"}) == (("a",), ("c",))  # b is on the index already
    assert order_levels(circle, {"b"}) == (("b",),)


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        (
            [member("a", "b>=1"), member("b", "a; python_version < '3'")],
            ["a → b → a", "a needs 'b>=1' (packages/a/pyproject.toml)",
             "b needs \"a; python_version < '3'\" (packages/b/pyproject.toml)"],
        ),
        ([member("a", build=("b",)), member("b", "c"), member("c", "a")], ["a needs 'b' to build", "c needs 'a' ("]),
        ([member("a", "b", directory=""), member("b", "a", directory="")], ["(the metadata of its files)"]),
        ([member("a", "b", directory="."), member("b", build=("a",))], ["a needs 'b' (pyproject.toml)"]),
    ],
)  # fmt: skip
def test_a_circle_is_shown_with_its_requirements(members: list[Member], shown: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        order_levels(members)
    for text in shown:
        assert text in error.value.message


def test_an_extra_that_would_close_a_circle_does_not_order() -> None:
    members = [member("core", "plugin; extra == 'all'"), member("plugin", "core>=1")]
    assert order_levels(members) == (("core",), ("plugin",))
    (note,) = order_notes(members)
    assert note.startswith("plugin is released after core, whose extra needs it")
    both = [member("a", "b; extra == 'x'"), member("b", "a; extra == 'x'")]
    assert len(order_levels(both)) == 2
    assert len(order_notes(both)) == 1


def test_an_extra_orders_where_it_closes_no_circle() -> None:
    members = [member("core", "plugin; extra == 'all'"), member("plugin")]
    assert order_levels(members) == (("plugin",), ("core",))
    assert order_notes(members) == ()


@pytest.mark.parametrize(
    ("marker", "is_extra"),
    [
        ("extra == 'all'", True), ("extra == 'all' and os_name == 'nt'", True),
        ("(os_name == 'nt' or python_version < '3') and extra == 'all'", True),
        ("os_name == 'nt' or extra == 'all'", False), ("platform_machine in 'extra'", False),
        ("'extra' not in platform_version", False),
    ],
)  # fmt: skip
def test_a_requirement_is_of_an_extra_if_no_environment_has_it_without(marker: str, *, is_extra: bool) -> None:
    members = [member("core", f"plugin; {marker}"), member("plugin", "core")]
    if is_extra:
        assert order_levels(members) == (("core",), ("plugin",))
    else:
        with pytest.raises(ConfigError):
            order_levels(members)


def test_who_needs_an_extra_of_another_comes_after_what_that_needs() -> None:
    core = member("core", "plugin; extra == 'fast'", "core[fast]; extra == 'all'")
    members = [member("app", "core[All]"), core, member("plugin", "core")]
    assert order_levels(members) == (("core",), ("plugin",), ("app",))
    bare = [member("app", "core"), core, member("plugin", "core")]
    assert order_levels(bare) == (("core",), ("app", "plugin"))


NAMES = [f"m{number}" for number in range(7)]


@settings(max_examples=60)
@given(st.data())
def test_each_level_needs_only_earlier_ones(data: st.DataObject) -> None:
    """Requirements point to earlier names, so there is no circle; extras may point anywhere."""
    members = []
    for number, name in enumerate(NAMES):
        hard = data.draw(st.lists(st.sampled_from(NAMES[:number]), max_size=3)) if number else []
        extra = data.draw(st.lists(st.sampled_from(NAMES), max_size=2))
        members.append(member(name, *hard, *(f"{one}; extra == 'x'" for one in extra)))
    chosen = data.draw(st.sets(st.sampled_from(NAMES)))
    levels = order_levels(members, chosen)
    place = {name: number for number, level in enumerate(levels) for name in level}
    assert place.keys() == chosen
    assert all(levels)
    for one in members:
        for text in one.requires:
            if ";" not in text and {one.name, text} <= chosen:
                assert place[text] < place[one.name]
