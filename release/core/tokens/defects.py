"""The defect of a text that is not a usable token, and what all rules that find one share."""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

from release.core.lazy_pattern import lazy_pattern

#: what PyPI strips from both ends
BLANKS = " \t\r\n\v\f"
#: characters that enclose a copied token, and that no token has
ENCLOSING = {
    "'": "a single quote (')",
    '"': 'a double quote (")',
    "`": "a backtick (`)",
    "<": "an angle bracket (<)",
    ">": "an angle bracket (>)",
    "[": "a square bracket ([)",
    "]": "a square bracket (])",
    "(": "a parenthesis (()",
    ")": "a parenthesis ())",
    "{": "a curly bracket ({)",
    "}": "a curly bracket (})",
}
QUOTES = "'\"`<>"

COPY = "copy the whole token again, and nothing else; if it is no longer shown, create a new one on your account page"
_TOKENISH = lazy_pattern(r"AgE[\w+/-]{20}|pypi-[\w+/-]{40}|AgE.*AgE|pypi-AgE", re.ASCII)
#: characters; a longer text that begins like a token is treated as a damaged one
LONG = 60


class TokenDefect(Struct, frozen=True):
    """Why a text is not a usable token."""

    #: id of the known failure in the catalog: "cred.truncated", "cred.quotes", …
    cause: str
    #: what is wrong and where, without the text itself, unless the text is a placeholder or a reference
    message: str
    #: what to do with the value, in the imperative
    remedy: str
    #: path of the file that is stored instead of its content, if it may be shown; else empty
    path: str = ""


def is_tokenish(text: str) -> bool:
    """Whether a text looks like a damaged token."""
    bare = "".join(one for one in text if one.isascii() and one not in BLANKS and one not in ENCLOSING)
    return bool(_TOKENISH.search(bare)) or (len(bare) > LONG and bare[:4].lower() == "pypi")


def code_point(one: str) -> str:
    """A character by its number and name: "U+200B (zero width space)"."""
    return f"U+{ord(one):04X}" + (f" ({name.lower()})" if (name := unicodedata.name(one, "")) else "")


def counted(number: int, what: str) -> str:
    """A number with its noun, which gets an "s" unless the number is 1."""
    return f"{number} {what}{'' if number == 1 else 's'}"
