"""The site as it is built: without a warning, with everything that the reference promises."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from release.checks.all_checks import check_sections
from release.cli.commands import COMMANDS
from release.cli.parser import full_parser
from release.diagnostics.catalog import CATALOG
from tests import headless_browser
from tests.docs.markdown_pages import ROOT, links

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("sphinx") is None, reason="Sphinx is not installed: nox -s docs"),
]
SITE_ADDRESS = "https://pypi-preflight.readthedocs.io/en/stable/"


class Page(HTMLParser):
    """The ids of a page, and the targets of its links."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if found := named.get("id"):
            self.ids.add(found)
        if tag == "a" and (href := named.get("href")):
            self.links.append(href)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site: that of the environment variable, or one that is built here, where a warning is an error."""
    if built := os.environ.get("DOCS_SITE"):
        return Path(built)
    made = tmp_path_factory.mktemp("docs") / "site"
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(made)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_link_and_anchor_leads_somewhere(site: Path, pages: dict[str, Page]) -> None:
    dead = []
    for name, page in pages.items():
        for link in page.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            path, _, anchor = link.partition("#")
            target = Path(os.path.normpath(Path(name).parent / path)).as_posix() if path else name
            found = pages.get(target)
            if not (site / target).exists() or (anchor and found and anchor not in found.ids):
                dead.append(f"{name}: {link}")
    assert not dead


def test_every_link_of_the_readme_to_the_site_leads_to_a_page_and_an_anchor(pages: dict[str, Page]) -> None:
    readme = links((ROOT / "README.md").read_text(encoding="utf-8"))
    dead = []
    for link in readme:
        if link.startswith(SITE_ADDRESS):
            path, _, anchor = link.removeprefix(SITE_ADDRESS).partition("#")
            page = pages.get(path or "index.html")
            if page is None or (anchor and anchor not in page.ids):
                dead.append(link)
    assert not dead


def subcommands(made: ArgumentParser, name: str = "") -> Iterator[tuple[str, ArgumentParser]]:
    for action in made._actions:
        for word, one in getattr(action, "choices", None or {}).items() if action.nargs == "A..." else ():
            yield f"{name} {word}".strip(), one
            yield from subcommands(one, f"{name} {word}".strip())


def test_every_command_and_option_has_an_entry(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    found = dict(subcommands(full_parser()))
    assert set(COMMANDS) <= set(found)
    for name, one in found.items():
        assert f"pypi-preflight {name}" in text, name
        shown = (action for action in one._actions if action.help != SUPPRESS)
        for option in (word for action in shown for word in action.option_strings if word.startswith("--")):
            assert f'id="pypi-preflight-{name.replace(" ", "-")}-{option}"' in text, (name, option)


def test_every_check_and_cause_has_a_heading(site: Path) -> None:
    checks, failures = ((site / f"{name}.html").read_text(encoding="utf-8") for name in ("checks", "failures"))
    for one in (one for found in check_sections().values() for one in found):
        assert f'<code class="docutils literal notranslate"><span class="pre">{one.name}</span></code><a' in checks
    for id_ in CATALOG:
        assert f'<span class="pre">{id_}</span></code><a' in failures, id_


def test_the_identifier_of_a_schema_leads_to_it(site: Path) -> None:
    for path in (ROOT / "release").rglob("*.schema.json"):
        text = path.read_text(encoding="utf-8")
        assert (site / "schemas" / path.name).read_text(encoding="utf-8") == text
        if identifier := json.loads(text).get("$id"):
            assert identifier == f"{SITE_ADDRESS}schemas/{path.name}"


@pytest.mark.skipif(not (headless_browser.CHROMIUM and headless_browser.DRIVER), reason="there is no browser")
def test_no_page_is_wider_than_the_screen(site: Path, tmp_path: Path) -> None:
    """Tables and transcripts scroll within the page, on telephones and desktops."""
    pytest.importorskip("selenium")
    width = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    with headless_browser.browser(tmp_path / "profile") as running:
        for page in sorted(path for path in site.rglob("*.html") if path.name not in {"genindex.html", "search.html"}):
            for pixels in (390, 1280):
                headless_browser.show(running, page, width=pixels, scheme="light")
                assert running.execute_script(width) <= 0, (page.relative_to(site), pixels)
        assert not [url for url in headless_browser.requests(running) if url.startswith("http")]


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=[\"']?(?:https?:)?//[^>]*>", text), path
        assert not re.findall(r"<link[^>]*rel=\"stylesheet\"[^>]*href=\"(?:https?:)?//[^>]*>", text), path
