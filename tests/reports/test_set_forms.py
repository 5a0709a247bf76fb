"""The forms of the record of a set's run: with five members and sixty, complete, stopped, killed, and hostile."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from release.cli.main import main
from release.core.plan import SANDBOX
from release.publishing.sets import set_recorder
from release.reports import SET_FORMATS, record_text, set_html, set_markdown, set_plain_text
from tests.reports.test_forms import GOLDEN, Page
from tests.set_runs import five, record_of, sixty


def hostile() -> dict[str, Any]:
    """Text from archives and servers, which may contain anything."""
    record = record_of(five(), fails="acme-http")
    words = '<img src="x" onerror=alert(1)> | \x1b[31m \u202egpj.exe [link](javascript:alert(1)) \ud800'
    record["exit"] |= {"message": f"{words}\n{words}", "remedy": words, "next": words}
    for member in record["members"]:
        member |= {"version": words, "directory": words, "message": words, "remedy": words, "record": words}
        for check in member["checks"]:
            check |= {"title": words}
            check["findings"] = [dict(one) | {"message": words, "remedy": words} for one in check["findings"]]
        for answer in member["uploads"].get("testpypi", ()):
            answer["text"] = words
    record["phases"][0]["title"] = words
    return record


def rehearsal() -> dict[str, Any]:
    record = record_of(five())
    record |= {"verb": "rehearse", "indexes": [SANDBOX]}
    record["exit"] |= {"next": "pypi-preflight set release"}
    return record


def circle() -> dict[str, Any]:
    """Refused before there were levels."""
    record = record_of(five()) | {"levels": [], "phases": []}
    record["members"] = [one | {"level": None, "how": "left out", "standings": []} for one in record["members"]]
    finding = {"message": "a requires b, b requires a", "remedy": "remove one of the requirements", "where": None}
    record["checks"] = [
        {"check": "the-members-have-an-order", "title": "The members have an order", "state": "failed", "reason": "",
         "remedy": "", "cause": None, "subject": "", "findings": [finding | {"severity": "block"}]}
    ]  # fmt: skip
    record["exit"] |= {"status": 1, "message": "a requires b, b requires a", "remedy": "remove one"}
    return record


RECORDS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "complete": lambda: record_of(five()),
    "stopped": lambda: record_of(five(), fails="acme-http"),
    "sixty": lambda: record_of(sixty(), fails="acme-component-19"),
    "killed": lambda: record_of(five(), killed_in=3),
    "rehearsal": rehearsal,
    "circle": circle,
    "hostile": hostile,
}
EACH = pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)


@pytest.mark.parametrize("name", SET_FORMATS)
def test_the_forms_of_a_set_are_as_they_were(name: str) -> None:
    """To change them on purpose: `UPDATE_GOLDEN=1 python -m pytest tests/reports`, and read the difference."""
    path = GOLDEN / f"set{SET_FORMATS[name].suffix}"
    made = SET_FORMATS[name].render(record_of(five(), fails="acme-http"))
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(made.encode())
    assert made == path.read_bytes().decode()


@EACH
def test_each_form_names_the_checks_that_failed_and_the_command_that_continues(
    make: Callable[[], dict[str, Any]],
) -> None:
    record = make()
    command = record["exit"]["next"] if record["exit"] else record["command"]
    for name in SET_FORMATS:
        made = SET_FORMATS[name].render(record)
        for owner in (record, *record["members"]):
            for check in owner["checks"]:
                assert check["check"] in made or record_text.level(check) != "bad"
        assert command in made or "<" in command


@EACH
def test_the_page_of_a_set_has_no_script_fetches_nothing_and_is_well_formed(make: Callable[[], dict[str, Any]]) -> None:
    page = Page(set_html.render(make()))
    assert page.open == []
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "form", "input", "base", "image"}
    assert not {name for name in page.attributes if name.startswith("on") or name in {"src", "srcset", "style"}}
    assert all(link.startswith(("https://", "#member-")) for link in page.links)


def test_hostile_words_of_a_set_stay_words() -> None:
    record = hostile()
    page = set_html.render(record)
    assert "<img" not in page
    assert "\x1b" not in page
    assert "⟨U+202E⟩gpj.exe" in page
    markdown = set_markdown.render(record)
    assert "<img" not in markdown
    assert not re.search(r"(?<!\\)\]\(", markdown)
    rows = [line for line in markdown.splitlines() if line.startswith("| 1 | acme-core")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [7]
    for text in (markdown, set_plain_text.render(record)):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_every_link_to_a_member_has_its_target() -> None:
    page = set_html.render(record_of(sixty(), fails="acme-component-19"))
    numbers = range(1, 61)
    assert all(page.count(f'id="member-{number}"') == 1 for number in numbers)
    assert all(page.count(f'href="#member-{number}"') == 2 + (number == 20) for number in numbers)
    assert page.count("<line ") == 104
    assert page.index('id="member-20"') < page.index('id="member-1"')  # what is wrong comes first


def test_a_run_that_was_killed_tells_what_is_known() -> None:
    text = set_plain_text.render(record_of(five(), killed_in=3))
    assert "  the run has not ended: it was interrupted, or is still running\n" in text
    assert "  next: pypi-preflight set release\n" in text
    assert "  2. acme-db 2.0: interrupted; testpypi: confirmed; pypi: not begun\n" in text
    assert "  3. acme-web 2.0: interrupted; testpypi: unknown; pypi: not begun\n" in text
    assert "  4. acme-cli 2.0: interrupted; testpypi: not begun; pypi: not begun\n" in text


def test_report_reads_the_last_run_of_a_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        status = main(["--directory", str(tmp_path), "report", "--set", *words])
        captured = capsys.readouterr()
        assert (status == 0) == (captured.err == "")
        return captured.out + captured.err

    assert "no records of a set" in told()
    path = tmp_path / ".release" / "sets" / "20261105T120000Z" / "record.json"
    set_recorder.write_set_record(path, record_of(five(), fails="acme-http"))
    assert told().startswith("set of 7 members: release\n")
    assert told("20261105T120000Z", "--markdown").startswith("## ❌ acme-http 2.0: acme\\_http-2.0.tar.gz: refused ")
    assert '"schema": 1' in told("--json")
    assert told("--html", "--output", str(tmp_path / "set.html")) == f"written: {tmp_path / 'set.html'}\n"
    assert "the record of one project, not of a set" in told("--junit")
    assert "pass one of: '20261105T120000Z'" in told("1.0")
