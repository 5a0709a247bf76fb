"""HTML pages from the templates in `templates/`. Every value is escaped; pages need no script and no other file."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from release.core.harmless import break_commands
from release.core.redaction import redact

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

#: characters that XML and HTML forbid, lone surrogates included, and CR, which starts a line.
#: Source: XML 1.0, production 2, "Char"
_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")
#: characters that change the direction of the text around them, or that no one sees: both disguise a file name
_BIDIRECTIONAL = re.compile("[\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
#: an https address in running text, without the punctuation that closes a sentence or a bracket
_ADDRESS = re.compile(r"(https://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]])")


def render_page(template: str, **values: Any) -> str:
    """The page. Raises ValueError where a value lacks something that the template needs."""
    from jinja2 import UndefinedError

    try:
        return _environment().get_template(template).render(**values)
    except UndefinedError as error:
        raise ValueError(str(error)) from error


def printable_text(text: str) -> str:
    """The text with forbidden characters replaced, bidirectional controls made visible and commands of logs broken."""
    text = text.replace("\r\n", "\n")
    text = _BIDIRECTIONAL.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", _FORBIDDEN.sub("\ufffd", text))
    return break_commands(text)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("release.reports"), autoescape=True, undefined=StrictUndefined, finalize=_finalize,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"link": _link, "redact": redact}
    return environment


def _finalize(value: Any) -> Any:
    """Runs on every value that a template prints, before it is escaped; None prints nothing."""
    from markupsafe import Markup

    if isinstance(value, Markup):
        return value
    return "" if value is None else printable_text(str(value))


def _link(text: str) -> Markup:
    """The text with its https addresses as links."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in _ADDRESS.split(printable_text(text))]
    parts[1::2] = [Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(part) for part in parts[1::2]]
    return Markup().join(parts)
