"""The documentation is true: its links lead somewhere, and its commands are commands of the program."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import tomllib
from argparse import Namespace
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from release.acceptance.description_rules import render_project_page
from release.checks.all_checks import check_sections
from release.checks.description_checks import relative_targets
from release.cli.commands import COMMANDS
from release.cli.parser import parse_command_line
from release.core import config
from release.core.child_environment import CHILDREN
from release.core.errors import Exit, UsageError
from release.diagnostics.catalog import CATALOG
from tests.docs.markdown_pages import (
    DOCS,
    PAGES,
    ROOT,
    anchors,
    blocks,
    command_lines,
    ids,
    inline_code,
    links,
    own_commands,
    read,
)

IN_REPOSITORY = (*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")))
SITE = "https://pypi-preflight.readthedocs.io/en/stable/"
SOURCE = "https://github.com/pypi-preflight/pypi-preflight/blob/main/"
#: what stands for several commands in running text
_SEVERAL = re.compile(r"…|\||\[|\.\.\.|<")


def test_every_link_within_the_repository_leads_to_a_file_and_a_heading() -> None:
    dead = []
    for page in IN_REPOSITORY:
        for link in links(read(page)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = unquote(link).partition("#")
            target = Path(os.path.normpath(page.parent / path)) if path else page
            if not target.exists() or (anchor and anchor not in anchors(read(target))):
                dead.append(f"{page.relative_to(ROOT)}: {link}")
    assert not dead


def test_every_page_is_in_the_navigation() -> None:
    """Sphinx warns of a page in no toctree, and of a pattern without a page."""
    entries = [
        re.sub(r".*<(.+)>", r"\1", line)  # with a title of its own
        for block in blocks(read(DOCS / "index.md"))
        if block.language == "{toctree}"
        for line in block.text.splitlines()
        if line and not line.startswith(":")
    ]
    names = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES} - {"index"}
    found = {
        entry: {name for name in names if name.count("/") == entry.count("/") and fnmatch(name, entry)}
        for entry in entries
    }
    assert names == set().union(*found.values())
    assert all(found.values())


def test_every_command_in_a_block_is_one_that_the_program_reads() -> None:
    wrong, count = [], 0
    for page in IN_REPOSITORY:
        for line in command_lines(read(page)):
            for words in own_commands(line):
                count += 1
                if not is_command(words):
                    wrong.append(f"{page.relative_to(ROOT)}: {line}")
    assert not wrong
    assert count > 30


def test_every_command_in_a_sentence_is_one_that_the_program_reads() -> None:
    wrong = []
    for page in IN_REPOSITORY:
        for code in inline_code(read(page)):
            if code.startswith("pypi-preflight ") and not _SEVERAL.search(code):
                # a name alone is a command that is spoken of, not one to type
                known = (words[0] in COMMANDS if len(words) == 1 else is_command(words) for words in own_commands(code))
                wrong += [] if all(known) else [f"{page.relative_to(ROOT)}: {code}"]
    assert not wrong


def is_command(words: list[str]) -> bool:
    try:
        parse_command_line(words, Namespace())
    except UsageError:
        return False
    except SystemExit as ended:
        return ended.code == 0  # help
    return True


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["verify", "--index", "pypi"], True),
        (["verify", "--indx", "pypi"], False),
        (["verfy"], False),
        (["set", "plan", "--json"], True),
        (["ci", "travis"], False),
    ],
)
def test_a_command_that_does_not_exist_is_noticed(words: list[str], *, expected: bool) -> None:
    assert is_command(words) is expected


def test_every_configuration_in_a_block_is_one_that_the_program_reads() -> None:
    count = 0
    for page in IN_REPOSITORY:
        for text in (block.text for block in blocks(read(page)) if block.language == "toml"):
            table = tomllib.loads(text).get("tool", {}).get("release")
            if table is not None:
                config.parse_config(table)
                count += 1
    assert count > 5


def test_every_input_and_output_of_the_action_is_described() -> None:
    page = read(DOCS / "action.md")
    inputs, outputs = read(ROOT / "action.yml").partition("\nruns:")[0].split("\noutputs:")
    names = re.findall(r"^  ([a-z-]+):$", inputs, re.MULTILINE) + re.findall(r"^  (\w+):$", outputs, re.MULTILINE)
    assert len(names) > 10
    assert not [name for name in names if f"`{name}`" not in page]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The extension of Sphinx that generates parts of the reference."""
    spec = importlib.util.spec_from_file_location("generated_reference", DOCS / "_ext" / "generated_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_transcript_has_a_command_only_after_the_prompt(generator: ModuleType) -> None:
    text = "$ pypi-preflight verify\n  $TWINE_PASSWORD: damaged in character 20\n…\n"
    found = [(str(kind), value) for kind, value in generator.TranscriptLexer().get_tokens(text)]
    assert found == [
        ("Token.Generic.Prompt", "$ "),
        ("Token.Text", "pypi-preflight verify\n"),
        ("Token.Generic.Output", "  $TWINE_PASSWORD: damaged in character 20\n"),
        ("Token.Generic.Output", "…\n"),
    ]


def test_the_reference_has_every_command(generator: ModuleType) -> None:
    page = read(DOCS / "reference" / "commands.md")
    assert ":module: generated_reference\n:func: all_commands\n" in page
    text = generator.all_commands().format_help()
    for name in COMMANDS:
        assert re.search(rf"^\s+{name}\b", text, re.MULTILINE), name


def test_the_reference_has_every_key_of_the_configuration(generator: ModuleType) -> None:
    text = generator.fill_in(read(DOCS / "reference" / "configuration.md"))
    for key in sorted(config._READERS):
        assert re.search(rf"(?<![\w-]){key}(?![\w-])", text), key


def test_the_reference_has_every_check_cause_and_exit_status() -> None:
    checks, failures = read(DOCS / "checks.md"), read(DOCS / "failures.md")
    for found in check_sections().values():
        assert not [one.name for one in found if f"### `{one.name}`" not in checks]
    assert not [id_ for id_ in CATALOG if f"### `{id_}`" not in failures]
    statuses = read(DOCS / "reference" / "exit-statuses.md")
    for one in Exit:
        assert f"| {int(one)} | {one.name.lower()} |" in statuses, one.name


def test_the_reference_has_every_variable_of_the_program() -> None:
    page = read(DOCS / "reference" / "environment.md")
    found = set()
    for path in (ROOT / "release").rglob("*.py"):
        found |= set(re.findall(r'"((?:PYPI_)?PREFLIGHT_[A-Z]+)"', path.read_text(encoding="utf-8")))
    assert len(found) > 3
    assert not [name for name in sorted(found) if f"`{name}`" not in page]


def test_the_reference_has_every_child_that_gets_a_secret() -> None:
    _, _, section = read(DOCS / "reference" / "environment.md").partition("## Of the programs that it runs")
    listed = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    rows = [[one.program, ", ".join(f"`{name}`" for name in one.names), one.reason] for one in CHILDREN.values()]
    assert listed[1:] == rows


def test_the_reference_has_every_json_schema(generator: ModuleType) -> None:
    page = read(DOCS / "reference" / "schemas.md")
    for path in (ROOT / "release").rglob("*.schema.json"):
        if path != generator.CONFIG_SCHEMA:
            assert f"<!-- generated: {path.relative_to(ROOT).as_posix()} -->" in page
    assert "<!-- generated" not in generator.fill_in(page)


def test_every_link_of_the_readme_is_absolute_and_leads_somewhere() -> None:
    """The README is also the page of the project on the index, where a relative link is dead."""
    readme = read(ROOT / "README.md")
    assert relative_targets(readme, "text/markdown") == []
    assert "<table>" in str(render_project_page(readme, "text/markdown"))
    dead, count = [], 0
    for link in links(readme):
        path, _, anchor = link.partition("#")
        count += 1
        if path.startswith(SITE):
            page = DOCS / f"{path.removeprefix(SITE).removesuffix('.html') or 'index'}.md"
            found = page.is_file() and (not anchor or anchor in ids(read(page)))
        elif path.startswith(SOURCE):
            found = (ROOT / path.removeprefix(SOURCE)).exists()
        else:
            found = not link.startswith("http")
        dead += [] if found else [link]
    assert not dead
    assert count > 10


def test_the_urls_of_the_project_are_those_of_the_readme_and_the_site() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    assert set(project["urls"]) == {"Homepage", "Documentation", "Source", "Issues", "Changelog"}
    for url in project["urls"].values():
        assert url.startswith((SITE, "https://github.com/pypi-preflight/pypi-preflight")), url
        if url.startswith(SITE) and (name := url.removeprefix(SITE)):
            assert (DOCS / name.removesuffix(".html")).with_suffix(".md").is_file()
    assert f'html_baseurl = "{SITE}"' in read(DOCS / "conf.py")
    versions = {one.rpartition(" ")[2] for one in project["classifiers"] if "Python :: 3." in one}
    assert versions == {f"3.{minor}" for minor in range(11, 15)}
