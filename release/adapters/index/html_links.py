"""Scan the HTML form of a project page for its links, in one pass and in time proportional to its length.

`html.parser` starts over at each tag that does not end. Observed: CPython 3.11.7, 2026-11 - 80 kB of `<a a <a a …` take
it 40 s, and the time grows with the square of the length.
Source: PEP 503; the HTML standard, "Tokenization".
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

#: links of one page
_MAX_LINKS = 100_000
#: a start tag with all of its attributes. No part of it gives back what it took, so that a failure is quick
_START = re.compile(
    r"<(?P<name>[a-zA-Z][^\s/>]*+)"
    r"(?P<attributes>(?:[\s/]++|[^\s/>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|(?=>)))*+)>"
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s/>=]++)(?:\s*+=\s*+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s>\"'][^\s>]*+)?))?+"
)
#: the beginning of an end tag, of which the first characters of the name are enough
_CLOSING = re.compile(r"<(/[a-zA-Z][^\s/>]{0,20})")
#: the only attributes that are used
_USED = {"href", "data-yanked", "data-requires-python", "data-provenance", "name", "content"}
#: elements whose content is no markup
_TEXT_ONLY = {"script", "style", "title", "textarea"}


class HtmlPage(Struct, frozen=True, kw_only=True):
    """What a project page shows."""

    #: text and used attributes of each link; an attribute without a value is empty
    links: tuple[tuple[str, Mapping[str, str]], ...]
    #: the status of the project, see PEP 792
    status: str
    #: whether it has a form, as the login page of a network
    has_form: bool


def scan_html(text: str) -> HtmlPage:
    """Raises `ValueError` for markup that does not end, and for too many links."""
    links: list[tuple[str, Mapping[str, str]]] = []
    opened: Mapping[str, str] | None = None
    label: list[str] = []
    status, has_form = "active", False
    for before, name, attributes in _tags(text):
        if opened is not None:
            label += [before, "<" if name == "<" else ""]
        if name == "/a" and opened is not None:
            links.append((html.unescape("".join(label)).strip(), opened))
            opened = None
            if len(links) > _MAX_LINKS:
                raise ValueError(f"more than {_MAX_LINKS:,} links")
        elif name == "a":
            opened, label = attributes, []
        elif name == "meta" and attributes.get("name") == "pypi:project-status":
            status = attributes.get("content") or "active"
        elif name == "form":
            has_form = True
    return HtmlPage(links=tuple(links), status=status, has_form=has_form)


def _tags(text: str) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Each tag: the text before it, its name in lower case ("a", "/a"), and its used attributes.

    Other markup has an empty name; "<" is a character of the text.
    """
    at = 0
    while (begin := text.find("<", at)) >= 0:
        before = text[at:begin]
        at, name, attributes = _tag(text, begin)
        yield before, name, attributes


def _tag(text: str, begin: int) -> tuple[int, str, Mapping[str, str]]:
    """The end of the markup at `begin`, its name and its attributes, as in `_tags`. Raises `ValueError`."""
    if text.startswith("<!--", begin):
        return _end(text, "-->", begin), "", {}
    follows = text[begin + 1 : begin + 3]
    if follows[:1] in {"!", "?"}:
        return _end(text, ">", begin), "", {}
    if closing := _CLOSING.match(text, begin):
        return _end(text, ">", begin), closing[1].lower(), {}
    if not (follows[:1].isascii() and follows[:1].isalpha()):
        return begin + 1, "<", {}
    found = _START.match(text, begin)
    if found is None:
        raise ValueError("a tag that does not end")
    name, end = found["name"].lower(), found.end()
    if name in _TEXT_ONLY:
        closing = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(text, end)
        if closing is None:
            raise ValueError(f"an element {name!r} that does not end")
        end = _end(text, ">", closing.start())
    attributes = {
        key: html.unescape(one["double"] or one["single"] or one["bare"] or "")
        for one in _ATTRIBUTE.finditer(found["attributes"])
        if (key := one["name"].lower()) in _USED
    }
    return end, name, attributes


def _end(text: str, mark: str, begin: int) -> int:
    found = text.find(mark, begin)
    if found < 0:
        raise ValueError("markup that does not end")
    return found + len(mark)
