"""Reading tables: each error names the key and the file, and a misspelt key gets "did you mean"."""

from __future__ import annotations

from typing import Any

import pytest

from release.core import tables
from release.core.errors import ConfigError
from release.core.tables import KeyPath, Reader

AT = KeyPath(file="acme.toml", path="tool.acme")
READERS = {"name": tables.string, "max-size": tables.number(1, 9, whole=True)}


def named_tables(value: Any, at: KeyPath) -> Any:
    return tables.read_named_tables(value, at, READERS)


def booleans(value: Any, at: KeyPath) -> Any:
    return tables.read_mapping(value, at, tables.boolean)


def test_the_values_are_named_as_python_names() -> None:
    assert tables.read_table({"max-size": 3}, AT, READERS) == {"max_size": 3}
    assert tables.read_table({"name": "a", "other": 1}, AT, READERS, strict=False) == {"name": "a"}


@pytest.mark.parametrize(
    ("value", "message", "remedy"),
    [
        ([], "tool.acme must be a table, not []", "correct tool.acme in acme.toml"),
        ({"nam": "a"}, "unknown key tool.acme.nam: did you mean 'name'?", "known keys of tool.acme: name, max-size"),
        ({"x": 1}, "unknown key tool.acme.x", "known keys of tool.acme: name, max-size"),
        ({"max-size": 3}, "tool.acme.name is missing", "add tool.acme.name to acme.toml"),
        ({"name": " "}, "tool.acme.name must be a non-empty string, not ' '", "correct tool.acme.name in acme.toml"),
        (
            {"name": "a", "max-size": 10},
            "tool.acme.max-size must be a number from 1 to 9, not 10",
            "correct tool.acme.max-size in acme.toml",
        ),
    ],
)
def test_a_mistake_in_a_table_is_named(value: Any, message: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tables.read_table(value, AT, READERS, ["name"])
    assert (caught.value.message, caught.value.remedy) == (message, remedy)


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        (tables.boolean, 1, "tool.acme must be true or false, not 1"),
        (tables.strings, ["a", 2], "tool.acme[1] must be a non-empty string, not 2"),
        (tables.strings, "a", "tool.acme must be a list of strings, not 'a'"),
        (tables.one_of("red", "green"), "gren", "tool.acme: unknown 'gren': did you mean 'green'?"),
        (tables.number(0, 1), True, "tool.acme must be a number from 0 to 1, not True"),
        (tables.string, ["x" * 99], "tool.acme must be a non-empty string, not ['" + "x" * 55 + "..."),
        (booleans, {"a": 0}, "tool.acme.a must be true or false"),
        (named_tables, [{}], "tool.acme[0].name is"),
        (named_tables, [{"name": "a"}, {"name": "a"}], "tool.acme[1]: duplicate name 'a'"),
    ],
)
def test_a_mistake_in_a_value_is_named(reader: Reader, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        reader(value, AT)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, b"\xff"])
def test_a_text_that_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigError, match=r"acme\.json is not valid JSON: "):
        tables.parse_json(text, "acme.json")


def test_the_top_of_a_file_is_named_after_it() -> None:
    top = KeyPath(file="acme.json", noun="an object")
    assert (str(top), str(top / "a"), str((top / "a")[2] / "b")) == ("acme.json", "a", "a[2].b")


@pytest.mark.parametrize("value", [0, 5, 10, 2.5])
def test_a_number_in_its_range(value: float) -> None:
    assert tables.number(0, 10)(value, AT) == value


@pytest.mark.parametrize("value", [-1, 11, True, "5", None])
def test_a_number_outside_of_its_range(value: object) -> None:
    with pytest.raises(ConfigError) as wrong:
        tables.number(0, 10, unit="a share")(value, AT)
    assert wrong.value.message == f"tool.acme must be a share from 0 to 10, not {value!r}"
