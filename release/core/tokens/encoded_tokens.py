"""Recognize a token that was encoded once more, and the end of a token whose beginning is missing.

Only what decodes to a token is called encoded, and only what has the end of a macaroon is called an end, so that no
other damage is taken for these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from release.core.models.index import WELL_KNOWN
from release.core.tokens import macaroon
from release.core.tokens.defects import BLANKS, QUOTES, TokenDefect, counted

_WHOLE = re.compile(r"pypi-(AgE[\w+/-]+)=*", re.ASCII)
_BASE64 = re.compile(r"(?:(?:authorization:\s*)?basic\s+)?([\w+/-]+={0,2})", re.ASCII | re.IGNORECASE)
#: base64 of "pypi-AgE", '"pypi-AgE' and "__token__:pypi-AgE"
_BASE64_STARTS = ("cHlwaS1BZ0", "InB5cGktQWdF", "X190b2tlbl9fOnB5cGktQWdF")
_HEX = re.compile(r"(?:0x)?(707970692d416745[0-9a-f]+)", re.IGNORECASE)
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([nrt])|\\([^A-Za-z0-9])", re.DOTALL)
#: blanks before a break, sought from their first one only, so that a long run of them takes no longer than other text
_BLANKS_BEFORE = r"(?:(?<![ \t])[ \t]+)?"
_CONTINUED = re.compile(_BLANKS_BEFORE + r"\\\r?\n[ \t]*")
#: a line break with what shells, PowerShell, cmd and quoted-printable text end a continued line with
_SOFT_BREAK = re.compile(_BLANKS_BEFORE + r"[=`^]\r?\n[ \t]*")

#: what is before the signature: the end of the caveats, and the header of the signature
_BEFORE_SIGNATURE = b"\0\0\6\x20"
_SIGNATURE = 32
#: the head of a token: its version, its location, the header of its identifier
_HEAD = re.compile(rb".\x01(.)([A-Za-z0-9:.-]{3,})\x02\x24[0-9a-fA-F]{8}-", re.DOTALL)
_LOCATIONS = frozenset(index.token_location.encode() for index in WELL_KNOWN.values())
_IDENTIFIER = re.compile(rb"\x02\x24[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\0")
#: an identifier, or the beginning of a caveat, with the header of its field
_MIDDLE = re.compile(_IDENTIFIER.pattern + rb"|\0\x02.{1,2}(?:\[[0-4],|\{\")", re.DOTALL)


def is_whole(text: str) -> bool:
    """Whether a text is a token from its first to its last character."""
    shape = _WHOLE.fullmatch(text)
    if shape is None:
        return False
    data = macaroon.decode_base64(shape[1])
    try:
        return macaroon.deserialize(data)[1] == 0 and len(shape[1]) == macaroon.characters(len(data))
    except macaroon.MalformedError:
        return False


def encoded_token(text: str) -> TokenDefect | None:
    """The defect of a text that decodes to a token: base64, hexadecimal, percent-encoding, HTML, escapes."""
    core = text.strip(BLANKS)
    for break_ in (_CONTINUED, _SOFT_BREAK):
        if break_.search(core) and is_whole("".join(break_.sub("", core).split())):
            message = f"the token is split over {len(core.splitlines())} lines, with a continuation character in it"
            remedy = "store it as one line, without blanks, line breaks and continuation characters"
            return TokenDefect("cred.token-whitespace", message, remedy)
    for form, how, decoded in _decodings(core):
        if is_whole(decoded.strip(BLANKS + QUOTES)) or (not how and is_whole(decoded.partition(":")[2])):
            return _encoded(form, how)
    if "".join(core.split()).startswith(_BASE64_STARTS):
        return _encoded("base64", "decode it: base64 --decode")
    return None


def _encoded(form: str, how: str) -> TokenDefect:
    remedy = (how + "; " if how else "") + "store the token itself, beginning with 'pypi-'"
    return TokenDefect("cred.encoded", f"the value is a token in another encoding, {form}", remedy)


def _decodings(core: str) -> Iterator[tuple[str, str, str]]:
    """What the text may be encoded in, how to decode it, and what it is then."""
    joined = "".join(core.split()) if core.lower()[:5] not in {"basic", "autho"} else core
    if (found := _BASE64.fullmatch(joined)) and found[1].startswith(_BASE64_STARTS):
        data = macaroon.decode_base64(found[1].rstrip("="))
        basic = found[1].startswith(_BASE64_STARTS[2])
        form = "base64 with the username, as in an HTTP header" if basic else "base64"
        yield form, "" if basic else "decode it: base64 --decode", data.decode("latin-1")
    if found := _HEX.fullmatch(joined):
        try:
            yield "hexadecimal", "decode it", bytes.fromhex(found[1]).decode("latin-1")
        except ValueError:
            return
    if "%" in core:
        yield "percent-encoding, as in a URL", "decode it", unquote(core)
    if "&" in core:
        import html

        yield "HTML", "decode it", html.unescape(core)
    if "\\" in re.sub(r"\\[\"']", "", core):  # escaped quotes are quotes
        yield "escaped, as in JSON or Markdown", "remove the backslashes and what they escape", _unescaped(core)


def _unescaped(core: str) -> str:
    def plain(found: re.Match[str]) -> str:
        if code := found[1] or found[2]:
            return chr(int(code, 16))
        return " " if found[3] else found[4]

    return _ESCAPE.sub(plain, core)


def headless_token(text: str) -> TokenDefect | None:
    """The defect of a text that is the end or the middle of a token: it has parts of a macaroon, but not its head.

    Whether the head is there is decided by the data, not by "pypi-": a first character that was changed or added is
    another defect.
    """
    core = "".join(text.split()).removeprefix("pypi-")
    body = core.rstrip("=")
    if (
        core.startswith("AgE")
        or re.match(r"\s*pypi-\S{0,3}\s+\S", text)
        or not re.fullmatch(r"[\w+/-]+", body, re.ASCII)
    ):
        return None
    for skipped in range(min(4, len(body))):
        data = macaroon.decode_base64(body[skipped:])
        if _ends_like_a_token(data):
            return None if _has_head(data) else _headless("the beginning of the token is missing", len(core))
        if _MIDDLE.search(data):
            return None if _has_head(data) else _headless("the beginning of the token is missing or damaged", len(core))
    return None


def _headless(what: str, length: int) -> TokenDefect:
    remedy = "copy the whole token again, from 'pypi-' on; if it is no longer shown, create a new one"
    message = f"{what}: only {counted(length, 'character')} of it are there"
    return TokenDefect("cred.head-missing", message, remedy + " on your account page")


def _ends_like_a_token(data: bytes) -> bool:
    before = data[:-_SIGNATURE][-len(_BEFORE_SIGNATURE) :]
    return len(before) > 2 and _BEFORE_SIGNATURE.endswith(before)  # noqa: PLR2004 - fewer bytes are there by chance


def _has_head(data: bytes) -> bool:
    """Whether the data has the head of a token, possibly with a few wrong bytes."""
    head = _HEAD.search(data)
    if head is not None and len(head[2]) == head[1][0]:
        return True
    found = _IDENTIFIER.search(data)
    if found is None or found.start() < 4:  # noqa: PLR2004 - version, type, length, and a location
        return False
    if data[3 : found.start()] in _LOCATIONS and not re.fullmatch(rb"[a-z.]{3}", data[:3]):
        return True
    return data[0] == 2 or data[1] == 1 or data[2] == found.start() - 3  # noqa: PLR2004 - the version of the format
