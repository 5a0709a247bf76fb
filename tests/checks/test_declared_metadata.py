"""What a pyproject.toml declares is judged as the index judges it in a file, as far as no build is needed."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from release.checks.declared_metadata import declared_findings

GOOD = """
name = "acme-widget"
version = "1.0"
description = "A widget."
readme = "README.md"
requires-python = ">=3.11"
license = "MIT OR Apache-2.0"
license-files = ["LICEN[CS]E*", "vendor/*/COPYING"]
authors = [{name = "A. Müller", email = "a@example.org"}, {name = "B"}, {email = "c@example.org"}]
maintainers = [{email = "d@example.org"}]
keywords = ["widget", "index, of all"]
classifiers = ["Programming Language :: Python :: 3", "Typing :: Typed"]
dependencies = ["requests>=2", "tomli; python_version < '3.11'", "a-b[extra] ~= 1.0"]
optional-dependencies = {dev = ["pytest"], "all.of_it" = ["acme-widget[dev]"]}
urls = {Homepage = "https://example.org/", "Bug tracker" = "https://example.org/bugs"}
scripts = {acme = "acme:main"}
gui-scripts = {acme-gui = "acme:gui"}
entry-points = {pytest11 = {acme = "acme.plugin"}}
"""
REQUIRES = "dependencies, project.optional-dependencies"


def judged(text: str, readme: str | None = "# Widget\n\nIt widgets.\n") -> list[tuple[str, str]]:
    """Where and how bad each finding is."""
    project: dict[str, Any] = tomllib.loads(text)
    return [(str(one.where).removeprefix("project."), one.severity) for _, one in declared_findings(project, readme)]


def changed(key: str, line: str) -> str:
    """The good table with one key replaced, or removed where the line is empty."""
    kept = [one for one in GOOD.strip().splitlines() if not one.startswith(f"{key} =")]
    return "\n".join([line, *kept])


def test_what_the_index_accepts_has_no_finding() -> None:
    assert judged(GOOD) == []
    assert judged('name = "a"\ndynamic = ["version", "readme", "dependencies"]', None) == []
    assert judged('name = "a"\nversion = "1!2.0rc1.post2.dev3"\nlicense = {file = "LICENSE"}', None) == []
    assert judged('name = "a"\nversion = "1"\nreadme = {text = "`x`_", content-type = "text/plain"}', None) == []
    assert (
        judged(
            changed("readme", 'readme = "README"').replace('"README"', '{file = "README", content-type = "text/x-rst"}')
        )
        == []
    )


@pytest.mark.parametrize(
    ("key", "line", "expected"),
    [
        ("name", "", ("name", "block")),
        ("name", 'name = "acme widget"', ("name", "block")),
        ("version", "", ("version", "block")),
        ("version", 'version = "1.0+local"', ("version", "block")),
        ("version", "version = 1.0", ("version", "block")),
        ("description", f'description = "{"x" * 513}"', ("description", "block")),
        ("description", 'description = "two\\nlines"', ("description", "warn")),
        ("requires-python", 'requires-python = ">=3.x"', ("requires-python", "block")),
        ("license", 'license = "Apache 2.0"', ("license", "block")),
        ("authors", 'authors = ["A <a@example.org>"]', ("authors", "block")),
        ("authors", 'authors = [{name = "A", mail = "a@example.org"}]', ("authors", "block")),
        ("authors", 'authors = [{name = "A", email = "nowhere"}]', ("authors", "block")),
        ("classifiers", 'classifiers = ["Programming Language :: Pyton"]', ("classifiers", "block")),
        ("classifiers", 'classifiers = "Typing :: Typed"', ("classifiers", "block")),
        ("dependencies", 'dependencies = ["numpy >> 1"]', (REQUIRES, "block")),
        ("dependencies", 'dependencies = ["b @ https://example.org/b.whl"]', (REQUIRES, "block")),
        ("optional-dependencies", 'optional-dependencies = {dev = ["pytest=8"]}', (REQUIRES, "block")),
        ("optional-dependencies", 'optional-dependencies = {dev = "pytest"}', ("optional-dependencies", "block")),
        ("optional-dependencies", 'optional-dependencies = {"-dev" = []}', ("optional-dependencies", "block")),
        ("urls", 'urls = {Homepage = "example.org"}', ("urls", "block")),
        ("keywords", 'clasifiers = ["Typing :: Typed"]', ("clasifiers", "warn")),
        ("keywords", 'dynamic = ["dependencies"]', ("dependencies", "block")),
        ("readme", 'readme = "README"', ("readme", "block")),
        ("scripts", "import-names = []\nscripts = 3", ("scripts", "block")),
    ],
)  # fmt: skip
def test_each_fault_is_found_under_its_key(key: str, line: str, expected: tuple[str, str]) -> None:
    assert judged(changed(key, line)) == [expected]


def test_the_readme_is_judged_as_the_project_page_renders_it() -> None:
    rst = changed("readme", 'readme = "README.rst"')
    assert judged(rst, "Widget\n======\n\nIt widgets: `x <https://example.org/>`_.\n") == []
    assert judged(rst, "Widget\n======\n\n:unknown:`x`\n") == [("readme", "block")]
    assert judged(rst, "Widget\n======\n\n.. figure\n\n`x`_\n") == [("readme", "block")]
    assert judged(GOOD, ":unknown:`x`") == [], "Markdown renders to something"
    assert judged(GOOD, "  \n") == [("readme", "block")]
    assert judged(GOOD, None) == [("readme", "block")]


def test_a_finding_has_the_words_of_the_index_and_a_remedy_without_a_build() -> None:
    ((check, found),) = declared_findings(tomllib.loads(changed("license", 'license = "Apache 2.0"')), "x")
    assert check == "the-index-takes-the-metadata"
    assert found.message == "'Apache 2.0' is invalid for 'license-expression'"
    assert found.server_text is not None
    assert found.server_text.startswith("'Apache 2.0' is invalid for 'license-expression'. See https://packaging")
    assert "rebuild" not in found.remedy
