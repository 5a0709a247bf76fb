"""The Markdown of the documentation: its pages, links, anchors, blocks of code and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from docutils.nodes import make_id

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = tuple(sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts))

_FENCE = re.compile(r"^( *)(`{3,}|:{3,})([^\n]*)\n(.*?)^\1\2`*:*[ ]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_SHELL = {"sh", "bash", "shell", "console"}


class Block(NamedTuple):
    """A fenced block: its language, or its directive in braces, and its text."""

    language: str
    text: str


@cache
def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    return [Block(found[3].strip(), found[4]) for found in _FENCE.finditer(text)]


def links(text: str) -> list[str]:
    """The targets of all links outside of code."""
    return _LINK.findall(_CODE.sub("code", _FENCE.sub("", text)))


def headings(text: str) -> list[str]:
    """The headings as plain text, of links the text only."""
    found = re.findall(r"^#{1,6} +(.+?)[ #]*$", _FENCE.sub("", text), re.MULTILINE)
    return [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", one) for one in found]


def ids(text: str) -> set[str]:
    """The ids that the headings have in the built site, as docutils makes them."""
    return {make_id(one.replace("`", "")) for one in headings(text)}


@cache
def anchors(text: str) -> set[str]:
    """The anchors of the headings, as GitHub makes them: lower case, without punctuation, hyphens for blanks."""
    found: dict[str, int] = {}
    for heading in headings(text):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return {f"{slug}-{number}" if number else slug for slug, count in found.items() for number in range(count + 1)}


def inline_code(text: str) -> list[str]:
    """The code within paragraphs, on one line each."""
    return [" ".join(found[2].split()) for found in _CODE.finditer(_FENCE.sub("", text))]


def command_lines(text: str) -> Iterator[str]:
    """The lines of shell in the blocks of a page: scripts, transcripts after `$`, `run:` of YAML, recipes of make."""
    for language, body in blocks(text):
        joined = re.sub(r"\\\n\s*", "", body)
        lines = [line.strip() for line in joined.splitlines()]
        if language == "console":
            yield from (line.removeprefix("$ ") for line in lines if line.startswith("$ "))
        elif language in _SHELL:
            yield from lines
        elif language in {"yaml", "make", "makefile", "python"}:
            yield from (
                found[1] for line in lines if (found := re.match(r"(?:- )?(?:run: |@)?(pypi-preflight .*)", line))
            )


def own_commands(line: str) -> Iterator[list[str]]:
    """The words after `pypi-preflight`, for each call in a line of shell. Raises ValueError for bad quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for number, word in enumerate(words):
        if word == "pypi-preflight" and _is_command(words[:number]):
            yield list(takewhile(lambda one: not set(one) <= set("();<>|&"), words[number + 1 :]))


def _is_command(before: list[str]) -> bool:
    """Whether a word after these is run: at the start, after an operator, a variable or a word such as `then`."""
    if not before:
        return True
    last = before[-1]
    return (
        set(last) <= set("();|&") or "=" in last or last in {"then", "do", "else", "exec", "time", "sudo", "run", "!"}
    )
