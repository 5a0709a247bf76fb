"""What is not ours in a report, such as names and the words of servers, is shown, and commands nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema

from release.cli import job_entry
from release.cli.terminal.console import ActionsConsole
from release.core.events import CheckFinished, StepStarted
from release.core.facts import LeakScan
from release.core.harmless import harmless_json, harmless_lines
from release.core.models.check_result import CheckState, Finding
from release.core.models.leak import Leak, ScanResult, UnscannedFile
from release.reports import FORMATS, SET_FORMATS
from release.reports.leaks_text import leaks_to_json, leaks_to_text
from release.reports.markdown import escape_markdown
from tests.reports.test_set_forms import hostile as set_record
from tests.runs import outcome, refused

_HOSTILE = (
    "a\n::error title=x::pwned\n  ::stop-commands::y\n##[group]z\n##vso[task.complete]\n--- folded\n<0>alert\n"
    "\x1b]52;c;eA==\x07\x1b[2J\r\x9b\u2028\u202e\u200b\x7f\udce9 $(id) `id` <script>x</script> ![i](http://a) @all #1"
)


def poisoned(value: Any, key: str = "") -> Any:
    """The record with the hostile text at the end of each text that can be of others."""
    if isinstance(value, dict):
        return {name: poisoned(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, key) for one in value]
    return f"{value}{_HOSTILE}" if isinstance(value, str) and key in _FREE else value


_FREE = frozenset({"message", "remedy", "where", "reason", "server_text", "filename", "subject", "note"})


def commands(text: str) -> list[str]:
    """The lines of a text that a terminal, or the log of a CI service, would execute."""
    return [line for line in text.split("\n") if harmless_lines(line) != line]


@pytest.mark.parametrize(
    ("name", "render", "record"),
    [
        *((name, form.render, refused) for name, form in FORMATS.items()),
        *((f"set-{name}", form.render, set_record) for name, form in SET_FORMATS.items()),
    ],
)
def test_no_form_of_a_record_commands_a_log(
    name: str, render: Callable[[Any], str], record: Callable[[], dict[str, Any]]
) -> None:
    made = render(poisoned(record()))
    assert "pwned" in made
    own = "⚠️"  # with its variation selector, which only Markdown has
    assert commands(made.replace(own, "!")) == [], name
    made.encode()
    if name == "junit":
        xmlschema.XMLSchema(str(Path(__file__).parent / "junit.xsd")).validate(made)
    if name == "sarif":
        texts = [one["message"]["text"] for one in json.loads(made)["runs"][0]["results"]]
        assert any("##[group]z" in one for one in texts), "values stay as they are"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @pypi/admins about #12", "ask @<!-- -->pypi/admins about #<!-- -->12"),
        ("gh-action@release and a@b.example", "gh-action@release and a@b.example"),
        ("https://a.example/x#1", "https://a.example/x#1"),
        ("cost $1", r"cost \$1"),
        ("<script>", "&lt;script&gt;"),
    ],
)
def test_markdown_notifies_no_one(text: str, expected: str) -> None:
    assert escape_markdown(text) == expected


def test_an_annotation_holds_what_it_quotes() -> None:
    """The runner writes its text into the log as lines: they command nothing either."""
    written = list[str]()
    console = ActionsConsole(written.append)
    console.on_event(StepStarted(title=f"check {_HOSTILE}"))
    finding = Finding(message=_HOSTILE, remedy="rename it: 100 %")
    console.on_event(CheckFinished(outcome=outcome("X", CheckState.FAILED, finding), stops=True))
    own = [line for line in "".join(written).split("\n") if line.startswith("::")]
    assert [line.split()[0].split("::")[1] for line in own] == ["group", "error"]
    assert "100 %25" in own[1]
    for line in own:
        shown = line[2:].partition("::")[2].replace("%0A", "\n").replace("%25", "%")
        assert harmless_lines(shown) == shown
    others = "".join(written).replace("\n".join(own), "")
    assert [line for line in commands(others) if line not in own] == []


def test_leaks_shows_names_on_one_line_and_quotes_them_in_commands() -> None:
    names = ["a\n::error::pwned\nb", "\x1b[1A\x1b[2K", "it's $(id)", "caf\udce9", "##[error]x", "plain name"]
    leaks = tuple(Leak(kind="github-token", identity=f"{n}", path=name, line=1) for n, name in enumerate(names))
    unread = (UnscannedFile(path=f"{_HOSTILE}.zip", reason="nested too deeply"),)
    searched = ScanResult(leaks=leaks, unread=unread, count=6)
    scan = LeakScan(scope="staged", searched=searched)
    lines = list(leaks_to_text([scan]))
    assert all(line.isprintable() for line in lines)
    text = "\n".join(lines)
    for shown in (r"a\n::error::pwned\nb:1", r"\x1b[1A\x1b[2K:1", "it's $(id):1", r"caf\xe9:1", "plain name:1"):
        assert shown in text
    assert """git restore --staged -- 'it'"'"'s $(id)'""" in text
    assert """git restore --staged -- "$(printf 'a\\012""" in text
    assert commands(harmless_lines(text)) == []
    document = harmless_json(leaks_to_json([scan]))
    assert commands(document) == []
    assert [one["path"] for one in json.loads(document)["findings"]] == names


def test_a_job_without_a_record_has_a_harmless_summary_and_outputs(tmp_path: Path) -> None:
    made = job_entry._summary("pypi-preflight a: usage", f"no file {_HOSTILE!r}\n{_HOSTILE}\n→ correct it\n")
    assert commands(made) == []
    assert "<script>" not in made
    assert "![" not in made
    assert made.endswith("<br>\n→ correct it\n")
    outputs = tmp_path / "outputs"
    job_entry._append(str(outputs), ["record=/a\ninjected=1", "cause="])
    assert outputs.read_text(encoding="utf-8") == "record=/a\\ninjected=1\ncause=\n"
