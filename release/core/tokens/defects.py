"""Find out why a text is not a usable token, and how its base64 is damaged: truncated, changed, or too long.

Messages name the defect and its position, never the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from release.core.models.check_result import Finding
from release.core.tokens.macaroon import Macaroon, MalformedError

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
_OTHER_SERVICE = re.compile(
    r"""(?P<github>gh[pousr]_|github_pat_) | (?P<gitlab>gl[a-z]{2,5}-) | (?P<npm>npm_) | (?P<aws>A[KS]IA[A-Z0-9]{12})
      | (?P<slack>xox[a-z]-) | (?P<docker>dckr_pat_) | (?P<huggingface>hf_) | (?P<google>AIza|ya29\.)
      | (?P<rubygems>rubygems_) | (?P<atlassian>ATATT) | (?P<jwt>eyJ[\w-]+\.eyJ)
      | (?P<key>-----BEGIN[ ]|ssh-[a-z0-9]+[ ])""",
    re.VERBOSE,
)
_SERVICES = {
    "github": "a GitHub token",
    "gitlab": "a GitLab token",
    "npm": "an npm token",
    "aws": "an AWS access key",
    "slack": "a Slack token",
    "docker": "a Docker Hub token",
    "huggingface": "a Hugging Face token",
    "google": "a Google API key or token",
    "rubygems": "a RubyGems API key",
    "atlassian": "an Atlassian token",
    "jwt": "a JSON Web Token",
    "key": "a private or public key",
}
_BEFORE = re.compile(r"(?:.*[\w\])}.\"'-]\s*[=:]\s*|(?:\S+\s+)+|-p|--password=?)[\"'`<]*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
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
    return TokenDefect(cause="cred.env-empty", message=f"the password is {what}", remedy=remedy)


def _control(text: str) -> TokenDefect | None:
    for at, one in enumerate(text):
        if unicodedata.category(one) == "Cc" and one not in BLANKS:
            pasted = ", which Ctrl-V types in a Windows console" if one == "\x16" else ""
            message = f"character {at + 1} of {len(text)} is the control character {_point(one)}{pasted}"
            return damaged("cred.control-chars", message, "paste with the right mouse button or the menu; " + COPY)
    return None


def placeholder(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS).strip("'\"`")
    if _tokenish(core) and "***" not in core:
        return None
    if _PLACEHOLDER.fullmatch(core) or ("pypi-" in core and _SHORTENED.search(core)):
        kind = "a masked or shortened token" if _SHORTENED.search(core) else "a placeholder"
        message = f"{kind} of {len(core)} characters is stored instead of the token"
        return damaged(
            "cred.placeholder", message, "store the token itself; in a shell, do not put $NAME in single quotes"
        )
    return None


def _non_ascii(text: str) -> TokenDefect | None:
    at = next((at for at, one in enumerate(text) if not one.isascii()), None)
    if at is None or not (_tokenish(text) or unicodedata.category(text[at]) == "Cf"):
        return None
    message = f"character {at + 1} of {len(text)} is {_point(text[at])}, which is not part of any token"
    return damaged("cred.bom-nonascii", message, "save it as plain ASCII, without a byte order mark; " + COPY)


def _other_service(text: str) -> TokenDefect | None:
    match = _OTHER_SERVICE.match(text.strip(BLANKS))
    if match is None:
        return None
    kind = _SERVICES[match.lastgroup or "key"]
    return damaged("cred.other-service", f"this is {kind}, not a token of a package index", COPY)


def _assignment(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = core.find("pypi-Ag")
    if at < 1 or not _BEFORE.fullmatch(core[:at]):
        return None
    message = f"the token is preceded by {counted(at, 'character')} of a command or of a configuration line"
    return damaged("cred.assignment", message, "keep only the token, beginning with 'pypi-'")


def _quotes(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if one in _QUOTES), None)
    if at is None or not _tokenish(core):
        return None
    message = f"character {at + 1} of the password is {_QUOTES[core[at]]}, which is not part of any token"
    remedy = "remove it: in .pypirc, CI settings and keyrings, the token is stored without quotes"
    return damaged("cred.quotes", message, remedy)


def _twice(text: str) -> TokenDefect | None:
    core = "".join(text.split())
    if core.startswith("pypi-pypi-"):
        return damaged("cred.prefix-doubled", "the token begins with 'pypi-' twice", "keep one 'pypi-'")
    starts = [match.start() for match in re.finditer("pypi-Ag", core)]
    if len(starts) < 2:  # noqa: PLR2004 - one is normal
        return None
    same = core[starts[0] : starts[1]] == core[starts[1] : 2 * starts[1] - starts[0]]
    message = f"the value is the token {len(starts)} times" if same else f"the value consists of {len(starts)} tokens"
    return damaged("cred.pasted-twice", message, "keep one of them")


def _inner_blanks(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if one in BLANKS), None)
    if at is None or not _tokenish(core):
        return None
    if re.match(r"\S+\s+[;#]", core):
        message = f"the value contains a comment, from character {at + 1} on"
        return damaged("cred.token-whitespace", message, "put the comment on a line of its own")
    lines = len(core.splitlines())
    message = f"the token is split over {lines} lines" if lines > 1 else "the token contains a blank"
    return damaged(
        "cred.token-whitespace", f"{message}, at character {at + 1}", "remove the blanks and line breaks inside it"
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
    return damaged("cred.prefix-missing", message, "store the token so that it begins with 'pypi-', in lower case")


def _alphabet(text: str) -> TokenDefect | None:
    core = text.strip(BLANKS)
    at = next((at for at, one in enumerate(core) if not re.match(r"[\w+/-]", one, re.ASCII)), None)
    if at is None or not _tokenish(core):
        return None
    return damaged(
        "cred.alphabet",
        f"character {at + 1} of {len(core)} is {_point(core[at])}, which is not part of any token",
        COPY,
    )


def _password(text: str) -> TokenDefect:
    message = (
        f"this is not an API token, but a password or other text of {counted(len(text.strip(BLANKS)), 'character')}"
    )
    return damaged(
        "cred.account-password",
        message,
        "create an API token on your account page: PyPI accepts no passwords for uploads",
    )


#: The first rule that matches decides, so the order is from the most certain to the least.
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
    """Whether a text looks like a damaged token."""
    bare = "".join(one for one in text if one.isascii() and one not in BLANKS and one not in _QUOTES)
    return bool(_TOKENISH.search(bare)) or (len(bare) > LONG and bare[:4].lower() == "pypi")


def damaged(cause: str, message: str, remedy: str) -> TokenDefect:
    return TokenDefect(cause=cause, message=message, remedy=remedy)


def _point(one: str) -> str:
    return f"U+{ord(one):04X}" + (f" ({name.lower()})" if (name := unicodedata.name(one, "")) else "")


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


_SIGNATURE = 32
_IDENTIFIER = 36
_HOST = re.compile(rb"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def structure_defect(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    """The defect of base64 that is not a whole macaroon: truncated, or changed in the middle."""
    if not "AgE".startswith(body[:3]):
        message = "the first characters of the token after 'pypi-' are damaged"
        if (found := placeholder("pypi-" + body)) is not None or len(body) >= LONG:
            return found or damaged("cred.malformed", message, COPY)
        message = f"'pypi-' is followed by {counted(len(body), 'character')} that are not a token"
        return damaged("cred.placeholder", message, COPY)
    if re.search(r"(.)\1{11,}$", body):
        return damaged("cred.placeholder", "the end of the token is masked by a run of one character", COPY)
    if error.missing and _undamaged_so_far(data, error):
        return _truncated(body, data, error)
    place = characters(error.offset) + len("pypi-")
    message = (
        f"the {error.field} of the token is damaged: a character at or before {place} was changed, added or removed"
    )
    if body in {body.lower(), body.upper()}:
        message = "all letters of the token have the same case, so the case was changed"
    return damaged("cred.malformed", message, COPY)


def field_defect(found: Macaroon) -> TokenDefect | None:
    """The defect of a macaroon that no index can have issued."""
    if not is_host(found.location.encode()):
        return damaged("cred.malformed", "the location of the token is damaged: it is not a host name", COPY)
    if not _UUID.fullmatch(found.identifier):
        return damaged("cred.malformed", "the identifier of the token is damaged: it is not a UUID", COPY)
    return None


def length_defect(body: str, trailing: int) -> TokenDefect | None:
    """The defect of a length that base64 cannot have."""
    if len(body) % 4 != 1:
        return None
    return damaged(
        "cred.trailing", f"the signature of the token is followed by {counted(trailing, 'character')} too many", COPY
    )


def is_host(location: bytes) -> bool:
    """Whether the location of a token can be the host name of an index."""
    return _HOST.fullmatch(location) is not None


def characters(count: int) -> int:
    """The length in base64, without padding, of this number of bytes."""
    return (count * 4 + 2) // 3


def remarks(text: str, *, body: str, padding: int, trailing: int) -> Iterator[Finding]:
    """Warnings about a token that PyPI accepts nevertheless."""
    before, after = len(text) - len(text.lstrip(BLANKS)), len(text) - len(text.rstrip(BLANKS))
    if before or after:
        yield remark(
            "cred.token-whitespace",
            f"the token is surrounded by blanks or line breaks: {before} before it, {after} after it",
            "store it without them (printf %s, not echo): PyPI strips them, but other indexes and tools do not",
        )
    if trailing or padding:
        count = counted(trailing + padding, "character")
        yield remark(
            "cred.trailing",
            f"the signature of the token has {count} too many in it or after it; PyPI ignores those after it",
            COPY,
        )
    if "+" in body or "/" in body:
        yield remark("cred.alphabet", "the token has '+' or '/' instead of '-' and '_', which PyPI accepts", COPY)


def _truncated(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    # The minimum that must follow: the rest of this field, then the signature with its two-byte header.
    exact = error.field == "signature"
    if exact and error.missing == 1 and error.offset >= len(data):
        rest = _SIGNATURE + (1 if data.endswith(b"\x06") else 2)
    else:
        rest = error.missing + (0 if exact else _SIGNATURE + 2)
    missing = characters(len(data) + rest) - len(body)
    count = f"{'' if exact else 'at least '}{counted(missing, 'character')} missing"
    return damaged("cred.truncated", f"the token is truncated in its {error.field}: {count}", COPY)


def _undamaged_so_far(data: bytes, error: MalformedError) -> bool:
    """Whether the data is a valid beginning of a token, so that only its end is missing."""
    location, rest = data[3 : 3 + data[2]] if len(data) > 2 else b"", data[error.offset :]  # noqa: PLR2004 - version, type, length
    declared = len(rest) + error.missing  # 1 if even the length is missing
    if location and not is_host(location):
        return False
    if error.field == "signature":
        return declared in {1, _SIGNATURE}
    if error.field == "identifier":
        return declared in {1, _IDENTIFIER} and re.fullmatch(rb"[0-9a-fA-F-]*", rest) is not None
    return error.field == "location" or not rest or rest[:1] in b"[{"


def remark(cause: str, message: str, remedy: str) -> Finding:
    return Finding(message=message, remedy=remedy, severity="warn", cause=cause)
