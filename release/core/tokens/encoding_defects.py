"""Find out how the base64 of a token is damaged: truncated, changed, or too long.

Messages name the defect and its position, never the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding
from release.core.tokens.defects import BLANKS, COPY, LONG, TokenDefect, counted
from release.core.tokens.macaroon import Macaroon, MalformedError, characters

_SIGNATURE = 32
_IDENTIFIER = 36
_HOST = lazy_pattern(rb"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
_UUID = lazy_pattern(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def structure_defect(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    """The defect of base64 that is not a whole macaroon: truncated, or changed in the middle."""
    if not "AgE".startswith(body[:3]):
        return _foreign_body("pypi-" + body)
    if re.search(r"(.)\1{11,}$", body) or (len(body) < LONG and re.search(r"(.)\1{4,}$", body)):
        return TokenDefect("cred.placeholder", "the end of the token is masked by a run of one character", COPY)
    if len(body) < LONG and _ends_in_words(body, data):
        return TokenDefect("cred.placeholder", "the end of the token is a placeholder, as in an example", COPY)
    if error.missing and _undamaged_so_far(data, error):
        return _truncated(body, data, error)
    place = f"a character at or before {characters(error.offset) + len('pypi-')}"
    message = f"the {error.field} of the token is damaged: {place} was changed, added or removed"
    if body in {body.lower(), body.upper()}:
        message = "all letters of the token have the same case, so the case was changed"
    return TokenDefect("cred.malformed", message, COPY)


def _ends_in_words(body: str, data: bytes) -> bool:
    """Whether words of a placeholder follow the location, as in "pypi-AgEIcHlwaS5vcmcYOUR_TOKEN"."""
    from release.core.tokens.placeholders import mistaken_value

    if len(data) < 4 or not is_host(data[3 : 3 + data[2]]):  # noqa: PLR2004 - version, type, length
        return False
    rest = body[characters(3 + data[2]) - 1 :]
    return any(mistaken_value(rest[at:].strip("-_")) for at in range(5) if len(rest) > at + 2)


def case_defect(text: str) -> TokenDefect | None:
    """The defect of a token whose letters were changed to another case, "pypi-" with them or not."""
    core = text.strip(BLANKS)
    if core[:8].lower() != "pypi-age" or core[5:8] == "AgE" or len(core) < LONG:
        return None
    return TokenDefect("cred.malformed", "the case of the letters of the token was changed", COPY)


def _foreign_body(text: str) -> TokenDefect:
    """The defect of "pypi-" and base64 that does not begin as a token does."""
    # Imported here, because a sound token needs none of their patterns.
    from release.core.tokens.encoded_tokens import headless_token
    from release.core.tokens.other_secrets import identifier, other_secret
    from release.core.tokens.placeholders import mistaken_value

    found = case_defect(text) or headless_token(text) or other_secret(text) or mistaken_value(text) or identifier(text)
    if found is not None:
        return found
    length = len(text.removeprefix("pypi-"))
    if length >= LONG:
        return TokenDefect("cred.malformed", "the first characters of the token after 'pypi-' are damaged", COPY)
    message = f"'pypi-' is followed by {counted(length, 'character')} that are not a token"
    return TokenDefect("cred.placeholder", message, COPY)


def field_defect(found: Macaroon) -> TokenDefect | None:
    """The defect of a macaroon that no index can have issued."""
    if not is_host(found.location.encode()):
        return TokenDefect("cred.malformed", "the location of the token is damaged: it is not a host name", COPY)
    if not _UUID.fullmatch(found.identifier):
        return TokenDefect("cred.malformed", "the identifier of the token is damaged: it is not a UUID", COPY)
    return None


def length_defect(body: str, trailing: int) -> TokenDefect | None:
    """The defect of a length that base64 cannot have."""
    if len(body) % 4 != 1:
        return None
    count = counted(trailing, "character")
    return TokenDefect("cred.trailing", f"the signature of the token is followed by {count} too many", COPY)


def is_host(location: bytes) -> bool:
    """Whether the location of a token can be the host name of an index."""
    return _HOST.fullmatch(location) is not None


def remarks(text: str, *, body: str, padding: int, trailing: int) -> Iterator[Finding]:
    """Warnings about a token that PyPI accepts nevertheless."""

    def warning(cause: str, message: str, remedy: str) -> Finding:
        return Finding(message=message, remedy=remedy, severity="warn", cause=cause)

    before, after = len(text) - len(text.lstrip(BLANKS)), len(text) - len(text.rstrip(BLANKS))
    if before or after:
        yield warning(
            "cred.token-whitespace",
            f"the token is surrounded by blanks or line breaks: {before} before it, {after} after it",
            "store it without them (printf %s, not echo): PyPI strips them, but other indexes and tools do not",
        )
    if trailing or padding:
        count = counted(trailing + padding, "character")
        yield warning(
            "cred.trailing",
            f"the signature of the token has {count} too many in it or after it; PyPI ignores those after it",
            COPY,
        )
    if "+" in body or "/" in body:
        yield warning("cred.alphabet", "the token has '+' or '/' instead of '-' and '_', which PyPI accepts", COPY)


def _truncated(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    # The minimum that must follow: the rest of this field, then the signature with its two-byte header.
    exact = error.field == "signature"
    if exact and error.missing == 1 and error.offset >= len(data):
        rest = _SIGNATURE + (1 if data.endswith(b"\x06") else 2)
    else:
        rest = error.missing + (0 if exact else _SIGNATURE + 2)
    missing = characters(len(data) + rest) - len(body)
    count = f"{'' if exact else 'at least '}{counted(missing, 'character')} missing"
    return TokenDefect("cred.truncated", f"the token is truncated in its {error.field}: {count}", COPY)


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
