"""Find out what a text is instead of a token: a placeholder, another secret, or a token with other characters.

Messages name the defect and its position, never the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

#: what PyPI strips from both ends
BLANKS = " \t\r\n\v\f"
_QUOTES = {
    "'": "a single quote (')",
    '"': 'a double quote (")',
    "`": "a backtick (`)",
    "<": "an angle bracket (<)",
    ">": "an angle bracket (>)",
}

COPY = "copy the whole token again, and nothing else; if it is no longer shown, create a new one on your account page"
_TOKENISH = re.compile(r"AgE[\w+/-]{20}|pypi-[\w+/-]{40}|AgE.*AgE", re.ASCII)
#: characters; a longer text that begins like a token is treated as a damaged one
LONG = 60

_PLACEHOLDER = re.compile(
    r"""(?: \$\{?[A-Za-z_]\w*\}? | \$\{\{.*\}\} | \{\{.*\}\} | \$env:\w+ | \$\(.*\) | %[A-Za-z_]\w*% | ![A-Za-z_]\w*!
      | <[^<>]*> | \[[\w\s-]*\] | (?:pypi-)?[*•●.…xX·#?_-]{3,}
      | (?:pypi-)?(?:your|my|the|insert|paste|api)[\s_-].*(?:token|key|here|secret|password).*
      | (?:pypi-)?(?:token|api_?token|secret|password|changeme|none|null|undefined|redacted|hidden)
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SHORTENED = re.compile(r"\*{3}|\.{3}|…|•{3}|●{3}")
#: what it is → how it begins
_OTHER_SECRETS = {
    "a GitHub token": r"gh[pousr]_|github_pat_",
    "a GitLab token": r"gl[a-z]{2,5}-",
    "an npm token": r"npm_",
    "an AWS access key": r"A[KS]IA[A-Z0-9]{12}",
    "a Slack token": r"xox[a-z]-",
    "a Docker Hub token": r"dckr_pat_",
    "a Hugging Face token": r"hf_",
    "a Google API key or token": r"AIza|ya29\.",
    "a RubyGems API key": r"rubygems_",
    "an Atlassian token": r"ATATT",
    "a JSON Web Token": r"eyJ[\w-]+\.eyJ",
    "a private or public key": r"-----BEGIN |ssh-[a-z0-9]+ ",
}
_BEFORE = re.compile(r"(?:.*[\w\])}.\"'-]\s*[=:]\s*|(?:\S+\s+)+|-p|--password=?)[\"'`<]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TokenDefect:
    """Why a text is not a usable token."""

    #: id of the known failure in the catalog: "cred.truncated", "cred.quotes", …
    cause: str
    #: what is wrong and where, without the text itself
    message: str
    remedy: str


def text_defect(text: str) -> TokenDefect:
    """The defect of a text that is not just "pypi-" and base64. The first rule that matches decides."""
    return next(found for rule in _RULES if (found := rule(text)) is not None)


def _empty(text: str) -> TokenDefect | None:
    if text.strip(BLANKS):
        return None
    what = "blank" if text else "empty"
    remedy = "set it to the token, or unset it so that other sources are used"
    return TokenDefect("cred.env-empty", f"the password is {what}", remedy)


def _control(text: str) -> TokenDefect | None:
    for at, one in enumerate(text):
        if unicodedata.category(one) == "Cc" and one not in BLANKS:
            pasted = ", which Ctrl-V types in a Windows console" if one == "\x16" else ""
            message = f"character {at + 1} of {len(text)} is the control character {_point(one)}{pasted}"
            return TokenDefect("cred.control-chars", message, "paste with the right mouse button or the menu; " + COPY)
    return None


def placeholder(text: str) -> TokenDefect | None:
    """The defect of a text that stands for a token: `$NAME`, `<your token>`, `pypi-****`."""
    core = text.strip(BLANKS).strip("'\"`")
    if _tokenish(core) and "***" not in core:
        return None
    if _PLACEHOLDER.fullmatch(core) or ("pypi-" in core and _SHORTENED.search(core)):
        kind = "a masked or shortened token" if _SHORTENED.search(core) else "a placeholder"
        message = f"{kind} of {len(core)} characters is stored instead of the token"
        remedy = "store the token itself; in a shell, do not put $NAME in single quotes"
        return TokenDefect("cred.placeholder", message, remedy)
    return None


def _non_ascii(text: str) -> TokenDefect | None:
    found = re.search(r"[^\0-\x7f]", text)
    if found is None or not (_tokenish(text) or unicodedata.category(found[0]) == "Cf"):
        return None
    message = f"character {found.end()} of {len(text)} is {_point(found[0])}, which is not part of any token"
    return TokenDefect("cred.bom-nonascii", message, "save it as plain ASCII, without a byte order mark; " + COPY)


def _other_secret(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    kind = next((kind for kind, beginning in _OTHER_SECRETS.items() if re.match(beginning, core)), None)
    if kind is None:
        return None
    return TokenDefect("cred.other-service", f"this is {kind}, not a token of a package index", COPY)


def _assignment(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = core.find("pypi-Ag")
    if at < 1 or not _BEFORE.fullmatch(core[:at]):
        return None
    message = f"the token is preceded by {counted(at, 'character')} of a command or of a configuration line"
    return TokenDefect("cred.assignment", message, "keep only the token, beginning with 'pypi-'")


def _quotes(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    found = re.search("[\"'`<>]", core)
    if found is None or not _tokenish(core):
        return None
    message = f"character {found.end()} of the password is {_QUOTES[found[0]]}, which is not part of any token"
    remedy = "remove it: in .pypirc, CI settings and keyrings, the token is stored without quotes"
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
    if found is None or not _tokenish(core):
        return None
    if re.match(r"\S+\s+[;#]", core):
        message = f"the value contains a comment, from character {found.end()} on"
        return TokenDefect("cred.token-whitespace", message, "put the comment on a line of its own")
    lines = len(core.splitlines())
    message = f"the token is split over {lines} lines" if lines > 1 else "the token contains a blank"
    message += f", at character {found.end()}"
    return TokenDefect("cred.token-whitespace", message, "remove the blanks and line breaks inside it")


def _prefix(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    if core.startswith("pypi-") or not _tokenish(core):
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
    if found is None or not _tokenish(core):
        return None
    message = f"character {found.end()} of {len(core)} is {_point(found[0])}, which is not part of any token"
    return TokenDefect("cred.alphabet", message, COPY)


def _password(text: str) -> TokenDefect:
    length = counted(len(text.strip(BLANKS)), "character")
    message = f"this is not an API token, but a password or other text of {length}"
    remedy = "create an API token on your account page: PyPI accepts no passwords for uploads"
    return TokenDefect("cred.account-password", message, remedy)


#: The first rule that matches decides, so the order is from the most certain to the least.
_RULES: tuple[Callable[[str], TokenDefect | None], ...] = (
    _empty,
    _control,
    placeholder,
    _non_ascii,
    _other_secret,
    _assignment,
    _quotes,
    _twice,
    _inner_blanks,
    _prefix,
    _alphabet,
    _password,
)


def _tokenish(text: str) -> bool:
    """Whether a text looks like a damaged token."""
    bare = "".join(one for one in text if one.isascii() and one not in BLANKS and one not in _QUOTES)
    return bool(_TOKENISH.search(bare)) or (len(bare) > LONG and bare[:4].lower() == "pypi")


def _point(one: str) -> str:
    return f"U+{ord(one):04X}" + (f" ({name.lower()})" if (name := unicodedata.name(one, "")) else "")


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
