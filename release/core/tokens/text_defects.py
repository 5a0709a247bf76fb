"""Find out what a text is that is not just "pypi-" and base64: a damaged token, or something else.

Messages name the defect and its position, never the text, unless it is a placeholder or a reference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from release.core.tokens.defects import (
    BLANKS,
    COPY,
    ENCLOSING,
    QUOTES,
    TokenDefect,
    code_point,
    counted,
    is_tokenish,
)
from release.core.tokens.encoded_tokens import encoded_token, headless_token, is_whole
from release.core.tokens.encoding_defects import case_defect
from release.core.tokens.other_secrets import account_secret, identifier, other_secret
from release.core.tokens.placeholders import masked_token, mistaken_value

_OPENING = "[\"'`<([{]*"
_BEFORE = re.compile(
    rf"(?:.*[\w\])}}.\"'-]\s*[=:]\s*|.+[?&]|(?:\S+\s+)+|-p|--password=?){_OPENING}",
    re.DOTALL,
)
_COMMENT_AFTER = re.compile(r"[\"'`<]?(pypi-[\w+/=-]+?)[\"'`>]?(?=\s|[#;(].|//)", re.ASCII)
_COMMENT_BEFORE = re.compile(r"(?:\s*(?:[#;]|//|--|rem\s)[^\n]*\n)+\s*(\S+)", re.IGNORECASE)


def text_defect(text: str) -> TokenDefect:
    """The defect of a text that is not just "pypi-" and base64. The first rule that matches decides."""
    return next(found for rule in _RULES if (found := rule(text)) is not None)


def _empty(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    if core not in {"", "''", '""', "``"}:
        return None
    what = "an empty pair of quotes" if core else "blank" if text else "empty"
    remedy = "set it to the token, or unset it so that other sources are used"
    return TokenDefect("cred.env-empty", f"the password is {what}", remedy)


def _control(text: str) -> TokenDefect | None:
    for at, one in enumerate(text):
        if unicodedata.category(one) == "Cc" and one not in BLANKS:
            pasted = ", which Ctrl-V types in a Windows console" if one == "\x16" else ""
            message = f"character {at + 1} of {len(text)} is the control character {code_point(one)}{pasted}"
            return TokenDefect("cred.control-chars", message, "paste with the right mouse button or the menu; " + COPY)
    return None


def _something_else(text: str) -> TokenDefect | None:
    """What is no token at all; a text that looks like a damaged token is left to the other rules."""
    return None if is_tokenish(text) else mistaken_value(text)


def _non_ascii(text: str) -> TokenDefect | None:
    found = re.search(r"[^\0-\x7f]", text)
    if found is None or not (is_tokenish(text) or unicodedata.category(found[0]) == "Cf"):
        return None
    message = f"character {found.end()} of {len(text)} is {code_point(found[0])}, which is not part of any token"
    return TokenDefect("cred.bom-nonascii", message, "save it as plain ASCII, without a byte order mark; " + COPY)


def _assignment(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = core.find("pypi-Ag")
    if (
        at < 1
        and not re.match("(?s)pypi.{0,2}AgE", core)
        and (found := re.search(r"(?<![\w-])AgE[\w+/-]{80}", core, re.ASCII))
    ):
        at = found.start()
    if at < 1 or not _BEFORE.fullmatch(core[:at]):
        return None
    message = f"the token is preceded by {counted(at, 'character')} of a command or of a configuration line"
    return TokenDefect("cred.assignment", message, "keep only the token, beginning with 'pypi-'")


def _comment(text: str) -> TokenDefect | None:
    """A whole token, with other text after or before it."""
    core = text.strip(BLANKS)
    remedy = "remove the comment, or put it on a line of its own where the file allows comments; keep only the token"
    if (found := _COMMENT_BEFORE.fullmatch(core)) and is_whole(found[1].strip(QUOTES)):
        message = f"the token is preceded by a comment of {counted(found.start(1), 'character')}"
        return TokenDefect("cred.comment", message, remedy)
    found = _COMMENT_AFTER.match(core)
    if found is None or not is_whole(found[1]) or "pypi-Ag" in core[found.end() :]:
        return None
    message = f"the token is followed by a comment or other text, from character {found.end() + 1} on"
    return TokenDefect("cred.comment", message, remedy)


def _quotes(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    if not is_tokenish(core):
        return None
    found = re.search(f"[{QUOTES}]|^[()[\\]{{}}]|[()[\\]{{}}]$", core)
    if found is None:
        return None
    message = f"character {found.end()} of the password is {ENCLOSING[found[0]]}, which is not part of any token"
    remedy = "remove it: in .pypirc, CI settings and keyrings, the token is stored without quotes and brackets"
    return TokenDefect("cred.quotes", message, remedy)


def _twice(text: str) -> TokenDefect | None:
    core = "".join(text.split())
    if core.startswith("pypi-pypi-"):
        return TokenDefect("cred.prefix-doubled", "the token begins with 'pypi-' twice", "keep one 'pypi-'")
    starts = [match.start() for match in re.finditer("pypi-Ag", core)]
    if len(starts) < 2:  # noqa: PLR2004 - one is normal
        return None
    same = core[starts[0] : starts[1]] == core[starts[1] : 2 * starts[1] - starts[0]]
    message = f"the value is the token {len(starts)} times" if same else f"the value consists of {len(starts)} tokens"
    return TokenDefect("cred.pasted-twice", message, "keep one of them")


def _inner_blanks(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    found = re.search(f"[{BLANKS}]", core)
    if found is None or not is_tokenish(core):
        return None
    lines = len(core.splitlines())
    message = f"the token is split over {lines} lines" if lines > 1 else "the token contains a blank"
    message += f", at character {found.end()}"
    return TokenDefect("cred.token-whitespace", message, "remove the blanks and line breaks inside it")


def _prefix(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    if (
        core.startswith("pypi-")
        or not is_tokenish(core)
        or ("pypi-AgE" in core and core[0] not in "-_+/" and not core[0].isalnum())
    ):
        return None
    if core[:5].lower() == "pypi-":
        message = "the prefix 'pypi-' is not in lower case"
    elif core.startswith("AgE"):
        message = "the prefix 'pypi-' is missing"
    else:
        message = "the token does not begin with exactly 'pypi-'"
    return TokenDefect("cred.prefix-missing", message, "store the token so that it begins with 'pypi-', in lower case")


def _alphabet(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    found = re.search(r"[^\w+/-]", core, re.ASCII)
    if found is None or not is_tokenish(core):
        return None
    message = f"character {found.end()} of {len(core)} is {code_point(found[0])}, which is not part of any token"
    at_end = not re.search(r"[\w+/-]", core[found.start() :], re.ASCII) and is_whole(core[: found.start()])
    remedy = "remove the characters after the token" if at_end else COPY
    return TokenDefect("cred.alphabet", message, remedy)


#: The first rule that matches decides, so the order is from the most certain to the least.
_RULES: tuple[Callable[[str], TokenDefect | None], ...] = (
    _empty,
    _control,
    case_defect,
    encoded_token,
    headless_token,
    masked_token,
    other_secret,
    _something_else,
    identifier,
    _non_ascii,
    _comment,
    _assignment,
    _quotes,
    _twice,
    _inner_blanks,
    _prefix,
    _alphabet,
    account_secret,
)
