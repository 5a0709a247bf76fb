"""Fields that a `repr` does not show, and that do not count in a comparison."""

from __future__ import annotations

from msgspec import Struct

from release.core.struct_fields import equal_without, hash_without, repr_without


class _Place(Struct, frozen=True, kw_only=True):
    path: str
    line: int | None = None

    def __repr__(self) -> str:
        return repr_without(self, "line")

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "line")

    def __hash__(self) -> int:
        return hash_without(self, "line")


class _OtherPlace(_Place, frozen=True, kw_only=True):
    pass


def test_a_hidden_field_is_not_in_the_repr() -> None:
    assert repr(_Place(path="a", line=3)) == "_Place(path='a')"


def test_an_ignored_field_does_not_count() -> None:
    assert _Place(path="a", line=3) == _Place(path="a", line=4)
    assert hash(_Place(path="a", line=3)) == hash(_Place(path="a", line=4))
    assert len({_Place(path="a", line=3), _Place(path="a", line=4), _Place(path="b", line=3)}) == 2


def test_other_fields_and_types_count() -> None:
    assert _Place(path="a") != _Place(path="b")
    assert hash(_Place(path="a")) != hash(_Place(path="b"))
    assert _Place(path="a") != _OtherPlace(path="a")
    assert _Place(path="a") != "a"
