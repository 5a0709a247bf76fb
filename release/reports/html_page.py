"""What every page is made of: one document that needs nothing else, no script and no request."""

from __future__ import annotations

import re

from release.reports.html_elements import Markup, element, text, together
from release.reports.html_style import style

#: an address in running text; what closes a sentence or a bracket is none of it
_ADDRESS = re.compile(r"https://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]]")
#: nothing may be fetched or run, whatever it is made of; its own style sheet is part of the page
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(title: str, *body: Markup, more_style: str = "") -> str:
    """The whole document; `more_style` is our own, never a reader's or a record's."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Markup(f"<style>{style()}{more_style}</style>"),
    )
    return f"<!doctype html>\n{element('html', head, element('body', *body), lang='en')}\n"


def facts(*pairs: tuple[str, str | None]) -> Markup:
    """Names and values, but for those that are empty."""
    shown = [element("div", element("dt", name), element("dd", value)) for name, value in pairs if value]
    return element("dl", *shown, class_="facts")


def linked(value: str) -> Markup:
    """Text with its addresses to be followed; of https alone, whatever else it says."""
    parts, at = [], 0
    for found in _ADDRESS.finditer(value):
        parts += [text(value[at : found.start()]), element("a", found[0], href=found[0], rel="noreferrer")]
        at = found.end()
    return together(*parts, text(value[at:]))
