"""Markup that can't be injected into: text becomes markup through `element` alone, and is escaped there."""

from __future__ import annotations

import re
from html import escape

#: what XML and HTML forbid, lone surrogates included. Source: XML 1.0, production 2, "Char"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")
#: what turns the direction of the text around it, and so makes a name look like another
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_VOID = {"meta"}


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """An element. Children that are no `Markup` are text; None is left out.

    An underscore in an attribute's name stands for a hyphen, a last one for nothing: `class_`.
    """
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    shown = "".join(f' {key}="{text(str(value))}"' for key, value in given.items())
    return Markup(f"<{name}{shown}>" if name in _VOID else f"<{name}{shown}>{together(*children)}</{name}>")


def together(*children: str | None) -> Markup:
    """Several pieces in a row, as `element` takes them."""
    return Markup("".join(one if isinstance(one, Markup) else text(one) for one in children if one is not None))


def text(value: str) -> Markup:
    """Any text as markup; what no document may hold, and what turns the reading direction, is made visible."""
    shown = _TURNING.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", _FORBIDDEN.sub("\ufffd", value))
    return Markup(escape(shown, quote=True))
