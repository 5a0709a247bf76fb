"""What broke inside a token: its base64 is cut off, or changed in its middle, or goes on too long."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.models.finding import Finding
from release.core.tokens.defects import BLANKS, COPY, LONG, TokenDefect, counted, damaged, placeholder
from release.core.tokens.macaroon import Macaroon, MalformedError

_SIGNATURE = 32
_IDENTIFIER = 36
_HOST = re.compile(rb"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def of_structure(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    """The damage of base64 that holds no whole macaroon: cut off, or changed in its middle."""
    if not "AgE".startswith(body[:3]):
        return placeholder("pypi-" + body) or _no_beginning(body)
    if re.search(r"(.)\1{11,}$", body):
        return damaged("cred.placeholder", "the end of the token is masked by a run of one character", COPY)
    if error.missing and _undamaged_so_far(data, error):
        return _truncated(body, data, error)
    place = characters(error.offset) + len("pypi-")
    message = (
        f"the token is damaged in its {error.field}, at or before character {place}: one is changed, added or missing"
    )
    if body in {body.lower(), body.upper()}:
        message = "every letter of the token has the same case, so its case was changed"
    return damaged("cred.malformed", message, COPY)


def of_fields(found: Macaroon) -> TokenDefect | None:
    """The damage of a macaroon that no index can have issued."""
    if not is_host(found.location.encode()):
        return damaged("cred.malformed", "the token is damaged in its location, which is no host name", COPY)
    if not _UUID.fullmatch(found.identifier):
        return damaged("cred.malformed", "the token is damaged in its identifier, which is no UUID", COPY)
    return None


def of_length(body: str, trailing: int) -> TokenDefect | None:
    """The damage of a number of characters that base64 can't have."""
    if len(body) % 4 != 1:
        return None
    return damaged("cred.trailing", f"{counted(trailing, 'character')} too many behind the token's signature", COPY)


def remarks(text: str, *, body: str, padding: int, trailing: int) -> tuple[Finding, ...]:
    """What is odd about a token that PyPI takes all the same."""
    return tuple(_remarks(text, body, padding, trailing))


def is_host(location: bytes) -> bool:
    """Whether a token's location can be the host name of an index."""
    return _HOST.fullmatch(location) is not None


def characters(count: int) -> int:
    """How many characters of base64, without padding, so many bytes make."""
    return (count * 4 + 2) // 3


def _remarks(text: str, body: str, padding: int, trailing: int) -> Iterator[Finding]:
    before, after = len(text) - len(text.lstrip(BLANKS)), len(text) - len(text.rstrip(BLANKS))
    if before or after:
        yield remark(
            "cred.token-whitespace",
            f"blanks or line breaks stand around the token: {before} before it, {after} behind it",
            "save it without them (printf %s, not echo): PyPI strips them, other indexes and tools do not",
        )
    if trailing or padding:
        count = counted(trailing + padding, "character")
        yield remark(
            "cred.trailing",
            f"{count} too many in or behind the token's signature; PyPI ignores what is behind it",
            COPY,
        )
    if "+" in body or "/" in body:
        yield remark("cred.alphabet", "the token has '+' or '/' in the place of '-' and '_', which PyPI accepts", COPY)


def _no_beginning(body: str) -> TokenDefect:
    if len(body) < LONG:
        message = f"'pypi-' is followed by {counted(len(body), 'character')} that are no token"
        return damaged("cred.placeholder", message, COPY)
    return damaged("cred.malformed", "the token is damaged in its first characters behind 'pypi-'", COPY)


def _truncated(body: str, data: bytes, error: MalformedError) -> TokenDefect:
    # What must follow at the least: the rest of this field, then the signature with its two bytes of heading.
    exact = error.field == "signature"
    if exact and error.missing == 1 and error.offset >= len(data):
        rest = _SIGNATURE + (1 if data.endswith(b"\x06") else 2)
    else:
        rest = error.missing + (0 if exact else _SIGNATURE + 2)
    missing = characters(len(data) + rest) - len(body)
    count = f"{'' if exact else 'at least '}{counted(missing, 'character')} missing"
    return damaged("cred.truncated", f"the token is cut off inside its {error.field}, {count}", COPY)


def _undamaged_so_far(data: bytes, error: MalformedError) -> bool:
    """Whether what is there reads as the beginning of a token: then its end is what lacks."""
    location, rest = data[3 : 3 + data[2]] if len(data) > 2 else b"", data[error.offset :]  # noqa: PLR2004 - version, type, length
    declared = len(rest) + error.missing  # 1 where not even the length is there
    if location and not is_host(location):
        return False
    if error.field == "signature":
        return declared in {1, _SIGNATURE}
    if error.field == "identifier":
        return declared in {1, _IDENTIFIER} and re.fullmatch(rb"[0-9a-fA-F-]*", rest) is not None
    return error.field == "location" or not rest or rest[:1] in b"[{"


def remark(cause: str, message: str, remedy: str) -> Finding:
    return Finding(message=message, remedy=remedy, severity="warn", cause=cause)
