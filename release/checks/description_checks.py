"""What the project page shows of the description, and what does not work there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from release.acceptance.description_rules import is_markdown, render_project_page
from release.acceptance.rst_rendering import RendererBrokeError, render_rst
from release.acceptance.rule import DESCRIPTIONS
from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Checklist, warn
from release.core.facts import BuiltFiles
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding
from release.core.models.distribution import InspectedFile
from release.core.models.second_process import RstRenderer

#: targets that a finding names
_LISTED = 3
#: content type → the file that usually has it
_READMES = {"text/markdown": "README.md", "text/x-rst": "README.rst", "text/plain": "README.txt"}

_README = lazy_pattern(r"readme[\w-]*(?:\.(?:md|rst|txt|markdown))?", re.IGNORECASE)

#: a link, a definition or an attribute, unless an absolute address follows at once
_LINK = lazy_pattern(r"\](?:\(|:[ \t]*+)<?+(?!https?://|mailto:|#)")
_TAG = lazy_pattern(r"<(?:a|img)\b", re.IGNORECASE)
_ATTRIBUTE = lazy_pattern(r"(?:href|src)(?!=[\"']?(?:https?://|mailto:|#))|&#", re.IGNORECASE)

CHECKS = Checklist[BuiltFiles]()


@CHECKS.check()
def the_description_is_not_empty(built: BuiltFiles) -> Iterator[Finding]:
    """The README is not empty.

    setuptools declares the content type of an empty README; hatchling declares nothing, so only the sdist shows it.
    """
    files = inspect_built_files(built)
    for one in files:
        refused = any(check == DESCRIPTIONS for check, _ in one.findings)
        if refused or not one.name or one.fields.get("description", "").strip():
            continue
        kind = one.fields.get("description_content_type", "")
        if name := _empty_readme(files):
            message = f"{name} is empty, so the project page has no description"
        elif kind:  # as in the wheels of kiwisolver 1.5.1, whose README has text
            name = _READMES.get(kind.partition(";")[0].strip().lower(), "the README")
            message = f"the project page has no description: {name} is empty, or the build backend did not read it"
        else:
            continue
        yield warn(message, f"write a description in {name}, or correct readme in pyproject.toml", one.filename)
        return


def _empty_readme(files: Iterable[InspectedFile]) -> str | None:
    """The name of an empty README at the top of an sdist."""
    paths = (path.partition("/")[2] for one in files if not one.is_wheel for path, size in one.members if size == 0)
    return next((name for name in paths if _README.fullmatch(name)), None)


@CHECKS.check()
def the_links_of_the_description_work(built: BuiltFiles) -> Iterator[Finding]:
    """Links and images of the description work on the project page.

    The index resolves a relative link or image against its own address, where the file does not exist.
    """
    seen: dict[str, str] = {}  # target → the description that has it
    texts: set[tuple[str, str]] = set()
    where = None
    for one in inspect_built_files(built):
        text = one.fields.get("description", "")
        content_type = one.fields.get("description_content_type", "")
        if text and (text, content_type) not in texts:
            texts.add((text, content_type))
            found = [target for target in relative_targets(text, content_type, built.render_rst) if target not in seen]
            seen |= dict.fromkeys(found, text)
            where = where or (one.filename if found else None)
    if seen:
        lines = [(target, _line_of(target, text)) for target, text in [*seen.items()][:_LISTED]]
        named = ", ".join(f"{target!r}{f' (line {line})' * bool(line)}" for target, line in lines)
        more = f" and {len(seen) - _LISTED} more" * (len(seen) > _LISTED)
        some = f"{len(seen)} relative links or images" if len(seen) > 1 else "a relative link or image"
        verb = "do" if len(seen) > 1 else "does"
        yield warn(
            f"the description has {some}, which {verb} not work on the project page: {named}{more}",
            "write the full address, for example https://github.com/OWNER/REPOSITORY/blob/HEAD/PATH for a link, "
            "https://raw.githubusercontent.com/OWNER/REPOSITORY/HEAD/PATH for an image",
            where,
        )


def relative_targets(text: str, content_type: str, render: RstRenderer | None = None) -> list[str]:
    """The targets of relative links and images of a description, images first, each once."""
    if is_markdown(content_type) and not _may_be_relative(text):
        return []
    try:
        html = render_project_page(text, content_type, render or render_rst)
    except RendererBrokeError:
        return []
    page = _PageTargets()
    # not closed: what follows a comment without an end is none of the page, and would be searched from each mark in it
    page.feed(html or "")
    return [target for target in dict.fromkeys([*page.images, *page.links]) if _is_relative(target)]


def _may_be_relative(markdown: str) -> bool:
    """Whether to render it: most descriptions show at once that their links are absolute."""
    return bool(_LINK.search(markdown) or (_TAG.search(markdown) and _ATTRIBUTE.search(markdown)))


def _is_relative(target: str) -> bool:
    target = target.strip()
    if not target or target.startswith("#"):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def _line_of(target: str, text: str) -> int | None:
    """The first line of the description that contains the target, counted from 1."""
    return next((number for number, line in enumerate(text.splitlines(), 1) if target in line), None)


class _PageTargets(HTMLParser):
    """The targets of images and links of a page. Comments, code and blocks that are shown literally have none."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        found = dict(attrs)
        if tag == "img" and found.get("src"):
            self.images.append(found["src"])
        elif tag == "a" and found.get("href"):
            self.links.append(found["href"])
