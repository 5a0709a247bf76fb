"""Why a text is no usable token: the damage is named, its place is told, the text is never shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

#: what PyPI strips from both ends
BLANKS = " \t\r\n\v\f"
_QUOTES = "'\"`<>"

COPY = "copy the token again, whole and alone; if it can't be seen any more, make a new one on your account page"
_TOKENISH = re.compile(r"AgE[\w+/-]{20}|pypi-[\w+/-]{40}|AgE.*AgE", re.ASCII)
#: characters from which on a text that begins like a token is taken for a broken one
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
_OTHER_SERVICE = re.compile(
    r"""(?P<github>gh[pousr]_|github_pat_) | (?P<gitlab>gl[a-z]{2,5}-) | (?P<npm>npm_) | (?P<aws>A[KS]IA[A-Z0-9]{12})
      | (?P<slack>xox[a-z]-) | (?P<docker>dckr_pat_) | (?P<huggingface>hf_) | (?P<google>AIza|ya29\.)
      | (?P<rubygems>rubygems_) | (?P<atlassian>ATATT) | (?P<jwt>eyJ[\w-]+\.eyJ)
      | (?P<key>-----BEGIN[ ]|ssh-[a-z0-9]+[ ])""",
    re.VERBOSE,
)
_SERVICES = {
    "github": "GitHub's",
    "gitlab": "GitLab's",
    "npm": "npm's",
    "aws": "Amazon Web Services'",
    "slack": "Slack's",
    "docker": "Docker Hub's",
    "huggingface": "Hugging Face's",
    "google": "Google's",
    "rubygems": "RubyGems'",
    "atlassian": "Atlassian's",
    "jwt": "a JSON Web Token's",
    "key": "a private or public key's",
}
_BEFORE = re.compile(r"(?:.*[\w\])}.\"'-]\s*[=:]\s*|(?:\S+\s+)+|-p|--password=?)[\"'`<]*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDefect:
    """Why a text is no usable token."""

    #: id of the known failure in the catalog: "cred.truncated", "cred.quotes", …
    cause: str
    #: what broke and where, without the text itself
    message: str
    remedy: str


def of_text(text: str) -> TokenDefect:
    """The damage of a text that is not "pypi-" and base64 alone. The first rule that knows it speaks."""
    return next(found for rule in _RULES if (found := rule(text)) is not None)


def _empty(text: str) -> TokenDefect | None:
    if text.strip(BLANKS):
        return None
    what = "nothing but blanks" if text else "empty"
    return damaged(
        "cred.env-empty", f"the password is {what}", "give the token, or unset what is empty so that others are asked"
    )


def _control(text: str) -> TokenDefect | None:
    for at, one in enumerate(text):
        if unicodedata.category(one) == "Cc" and one not in BLANKS:
            pasted = ", which Ctrl-V leaves behind in a Windows console" if one == "\x16" else ""
            message = f"character {at + 1} of {len(text)} is the control character {_point(one)}{pasted}"
            return damaged("cred.control-chars", message, "paste with the right mouse button or the menu; " + COPY)
    return None


def placeholder(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS).strip("'\"`")
    if _tokenish(core) and "***" not in core:
        return None
    if _PLACEHOLDER.fullmatch(core) or ("pypi-" in core and _SHORTENED.search(core)):
        kind = "a masked or shortened token" if _SHORTENED.search(core) else "a placeholder"
        message = f"{kind} of {len(core)} characters stands where the token belongs"
        return damaged(
            "cred.placeholder", message, "put the token itself there; in a shell, no single quotes around $NAME"
        )
    return None


def _non_ascii(text: str) -> TokenDefect | None:
    at = next((at for at, one in enumerate(text) if not one.isascii()), None)
    if at is None or not (_tokenish(text) or unicodedata.category(text[at]) == "Cf"):
        return None
    message = f"character {at + 1} of {len(text)} is {_point(text[at])}, which belongs to no token"
    return damaged("cred.bom-nonascii", message, "save it as plain ASCII, without a byte order mark; " + COPY)


def _other_service(text: str) -> TokenDefect | None:
    match = _OTHER_SERVICE.match(text.strip(BLANKS))
    if match is None:
        return None
    whose = _SERVICES[match.lastgroup or "key"]
    return damaged("cred.other-service", f"this is {whose} kind of secret, not a token of a package index", COPY)


def _assignment(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = core.find("pypi-Ag")
    if at < 1 or not _BEFORE.fullmatch(core[:at]):
        return None
    message = f"{counted(at, 'character')} of a command or of a configuration line stand before the token"
    return damaged("cred.assignment", message, "keep the token alone, from 'pypi-' on")


def _quotes(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if one in _QUOTES), None)
    if at is None or not _tokenish(core):
        return None
    message = (
        f"a quotation mark, backtick or angle bracket ({_point(core[at])}) is part of the token, at character {at + 1}"
    )
    return damaged(
        "cred.quotes", message, "take it away: in .pypirc, in CI settings and in keyrings the token stands bare"
    )


def _twice(text: str) -> TokenDefect | None:
    core = "".join(text.split())
    if core.startswith("pypi-pypi-"):
        return damaged("cred.prefix-doubled", "the token begins with 'pypi-' twice", "keep one 'pypi-'")
    starts = [match.start() for match in re.finditer("pypi-Ag", core)]
    if len(starts) < 2:  # noqa: PLR2004 - two is what is looked for
        return None
    same = core[starts[0] : starts[1]] == core[starts[1] : 2 * starts[1] - starts[0]]
    what = (
        f"the token stands here {len(starts)} times"
        if same
        else f"{len(starts)} tokens stand here, one behind the other"
    )
    return damaged("cred.pasted-twice", what, "keep one of them")


def _inner_blanks(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if one in BLANKS), None)
    if at is None or not _tokenish(core):
        return None
    if re.match(r"\S+\s+[;#]", core):
        message = f"a comment is part of the value, from character {at + 1} on"
        return damaged("cred.token-whitespace", message, "put the comment on a line of its own")
    lines = len(core.splitlines())
    message = f"the token is wrapped over {lines} lines" if lines > 1 else "a blank stands inside the token"
    return damaged(
        "cred.token-whitespace", f"{message}, at character {at + 1}", "join its parts without blanks or line breaks"
    )


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
    return damaged(
        "cred.prefix-missing", message, "let the token begin with 'pypi-', in lower case, and with nothing before it"
    )


def _alphabet(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if not re.match(r"[\w+/-]", one, re.ASCII)), None)
    if at is None or not _tokenish(core):
        return None
    return damaged("cred.alphabet", f"character {at + 1} of {len(core)}, {_point(core[at])}, belongs to no token", COPY)


def _password(text: str) -> TokenDefect:
    message = f"this is no API token but a password or other text of {counted(len(text.strip(BLANKS)), 'character')}"
    return damaged(
        "cred.account-password", message, "make an API token on your account page: PyPI takes no passwords for uploads"
    )


#: The first that knows the text speaks: the order goes from the certain to the vague.
_RULES: tuple[Callable[[str], TokenDefect | None], ...] = (
    _empty,
    _control,
    placeholder,
    _non_ascii,
    _other_service,
    _assignment,
    _quotes,
    _twice,
    _inner_blanks,
    _prefix,
    _alphabet,
    _password,
)


def _tokenish(text: str) -> bool:
    """Whether a broken text was a token once, to the eye."""
    bare = "".join(one for one in text if one.isascii() and one not in BLANKS + _QUOTES)
    return bool(_TOKENISH.search(bare)) or (len(bare) > LONG and bare[:4].lower() == "pypi")


def damaged(cause: str, message: str, remedy: str) -> TokenDefect:
    return TokenDefect(cause=cause, message=message, remedy=remedy)


def _point(one: str) -> str:
    return f"U+{ord(one):04X}" + (f" ({name.lower()})" if (name := unicodedata.name(one, "")) else "")


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
