"""Text from elsewhere commands neither a terminal nor the log of a CI service, and can still be read."""

from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from release.cli.output_streams import write_output
from release.core.harmless import OwnText, break_commands, harmless_json, harmless_json_parts, harmless_lines

#: pieces that make commands, when they meet
_PIECES = (
    "::", "##", "#", "█", "[", "]", "error", "vso[", "group", "\n", "\r", "\r\n", " ", "\t", "\xa0", "\x0b", "\x0c",
    "\x1c", "\x85", "\u2028", "\u2029", "\u3000", "--- ", "—-- ", "+++ ", "~~~ ", "^^^ +++", "<3>", "⟨3⟩", "\x1b[31m",
    "\x1b]8;;x\x07", "\x1b]52;c;eA==\x1b\\", "\x9b2J", "\x1b]1338;url=x\x07", "section_start:1:a\r\x1b[0K", "\u202e",
    "\u2066", "\u200e", "\u061c", "\u200b", "\ufeff", "\u3164", "\ufe0f", "\udce9", "\ud800", "\x00", "\x7f", "é",
)  # fmt: skip
_TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(_PIECES)).map("".join))


def runs_in_a_log(line: str) -> bool:
    """Whether a CI service would take the line for a command, written from their documentation."""
    if re.search(r"##\w*\[", line):  # GitHub, Azure Pipelines, TeamCity: anywhere
        return True
    start = line.lstrip()
    if start.startswith("::") and "::" in start[2:]:  # GitHub: actions/runner, ActionCommand.TryParseV2
        return True
    if re.match(r"(?:---|\+\+\+|~~~)\s|\^\^\^\s+\+\+\+", line):  # Buildkite
        return True
    return re.match(r"<\d{1,3}>", start) is not None  # journald


@settings(max_examples=150)
@given(_TEXTS, st.sampled_from(("utf-8", "ascii", "cp1252", "gb18030")))
def test_no_text_commands_a_terminal_or_a_log(text: str, encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", newline="")
    write_output(text, stream)
    stream.seek(0)
    written = stream.read()
    lines = written.split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any(map(runs_in_a_log, lines))
    assert len(lines) == text.count("\n") + 1
    assert harmless_lines(harmless_lines(text)) == harmless_lines(text)


def as_read_from_json(text: str) -> str:
    """The text with each pair of surrogates as the character that it encodes in JSON (RFC 8259, section 7)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


@settings(max_examples=50)
@given(_TEXTS)
@example("\ud800\udce9")  # a pair that no text of JSON can distinguish from the character U+100E9
@example("\udce9\ud800")
def test_no_json_commands_a_log_and_it_keeps_its_values(text: str) -> None:
    written = harmless_json({text: [text]})
    assert json.loads(written) == {as_read_from_json(text): [as_read_from_json(text)]}
    assert written.isascii()
    assert break_commands(written) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("refused: ##[error]pwned", r"refused: #\#[error]pwned"),
        ("::error title=a::b", r":\:error title=a::b"),
        ("a\n \t::stop-commands::x", "a\n        :\\:stop-commands::x"),
        ("::add-mask::a", r":\:add-mask::a"),
        ("##vso[task.setvariable variable=a]b", r"#\#vso[task.setvariable variable=a]b"),
        ("x ##teamcity[buildStop]", r"x #\#teamcity[buildStop]"),
        ("--- a/setup.py", r"-\-- a/setup.py"),
        ("+++ b", r"+\++ b"),
        ("~~~ b", r"~\~~ b"),
        ("^^^ +++", r"^\^^ +++"),
        ("<0>emergency", r"\<0>emergency"),
        ("section_start:1:a\r\x1b[0K", r"section_start:1:a\r\x1b[0K"),
        ("\x1b]8;;http://a\x1b\\b", r"\x1b]8;;http://a\x1b\b"),
        ("a\rb", r"a\rb"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("acme\u3164", r"acme\u3164"),
        ("acme\ufe0f", r"acme\ufe0f"),
        ("\udce9", r"\xe9"),
    ],
)
def test_what_commands_is_shown_broken(text: str, expected: str) -> None:
    assert harmless_lines(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "::1", "std::vector", "a ::error:: b", "# [1]", "## title", "## [1.0] - 2026", "#[test]", "---", "-----",
        "---a", "a --- b", "+1", "^^^", "<p>", "a <3> b", "[error]", "⚠️ ✔️ ❌", "caf\xe9 имя 名前 שלום", "C:\\new",
        "e\u0301", "section_start:1:a",
    ],
)  # fmt: skip
def test_what_commands_nothing_stays_as_it_is(text: str) -> None:
    assert harmless_lines(text) == text


@settings(max_examples=50)
@given(_TEXTS, st.lists(st.dictionaries(_TEXTS, st.lists(_TEXTS, max_size=2), max_size=2), max_size=3))
def test_json_in_parts_is_the_same_text(text: str, items: list[dict[str, list[str]]]) -> None:
    """With the items of an iterator, of which only one is made at a time."""
    made = []
    document = {"a": {text: [text]}, "items": (made.append(one) or one for one in items), "b": []}  # type: ignore[func-returns-value] # it returns None
    parts = []
    for part in harmless_json_parts(document):
        parts.append(part)
        assert len(made) <= len(parts)
    assert "".join(parts) == harmless_json({"a": {text: [text]}, "items": items, "b": []})
    assert "".join(harmless_json_parts({})) == harmless_json({})


def test_the_programs_own_commands_are_written_as_they_are() -> None:
    stream = io.StringIO()
    write_output(OwnText("::group::a\n\x1b[1mb\x1b[0m\n"), stream)
    assert stream.getvalue() == "::group::a\n\x1b[1mb\x1b[0m\n"


def test_a_command_in_json_is_written_as_an_escape_that_readers_restore() -> None:
    document = {"a": "##[error]x", "b": "# #[x] ##x"}
    text = harmless_json(document, indent=None)
    assert text == '{"a": "\\u0023#[error]x", "b": "# #[x] ##x"}\n'
    assert json.loads(text) == document
