from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.foreign_json import MAX_DEPTH, ForeignJsonError, parse_foreign_json


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" * 200_000, "nested more than 60 levels deep"),
        ("[" * 900 + "]" * 900, "nested more than 60 levels deep"),
        ('{"a":' * 100 + "1" + "}" * 100, "nested more than 60 levels deep"),
        ("[" + "9" * 10_000 + "]", "4300 digits"),
        (b"[" + b"[]," * 600_000 + b"[]]", "more than 500,000 values"),
        (b'{"a": "\xff"}', "'utf-8' codec"),
        ("", "Expecting value"),
        (b"", "Expecting value"),
        ("{'a': 1}", "Expecting property name"),
        ("[1] [2]", "Extra data"),
    ],
)
def test_every_fault_is_one_error(text: str | bytes, words: str) -> None:
    with pytest.raises(ForeignJsonError, match=words) as caught:
        parse_foreign_json(text)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\ufeff[1]", [1]),
        ('{"a": [1, NaN]}'.replace("NaN", "null").encode("utf-16"), {"a": [1, None]}),
        ("[1]".encode("utf-8-sig"), [1]),
        ("[" * MAX_DEPTH + "]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        ('"[[[[,,,,"', "[[[[,,,,"),
        ("null", None),
    ],
)
def test_what_is_unusual_is_read(text: str | bytes, value: object) -> None:
    assert parse_foreign_json(text) == value


def test_invalid_bytes_are_replaced_on_request() -> None:
    assert parse_foreign_json(b'{"a": "\xff"}', errors="replace") == {"a": "\ufffd"}


def test_a_large_document_needs_a_larger_limit() -> None:
    text = json.dumps(list(range(600_000)))
    assert len(parse_foreign_json(text, max_values=1_000_000)) == 600_000


SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(SCALARS, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=8)


@settings(max_examples=20)
@given(VALUES)
def test_it_is_the_standard_parser_for_anything_sound(value: Any) -> None:
    assert parse_foreign_json(json.dumps(value)) == value
    assert parse_foreign_json(json.dumps(value).encode()) == value


@settings(max_examples=50)
@given(st.binary() | st.text())
def test_nothing_else_is_raised(text: bytes | str) -> None:
    try:
        parse_foreign_json(text)
    except ForeignJsonError:
        return
