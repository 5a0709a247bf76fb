"""Remove secrets from texts: known ones, and anything in the form of a token."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from functools import cache, cached_property
from typing import Protocol

from release.core.lazy_pattern import lazy_pattern
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.token_forms import BASIC_START, may_have_token

#: characters; shorter secrets would replace parts of ordinary words
_SHORTEST = 6
#: characters; a part of a known secret is removed from this length on, even on a line of its own
_PIECE = 24
#: What tools put between two parts of a long word: colors, line breaks, blanks, the frame of a box. Atomic, so that
#: lines of blanks, which a server can send, are matched in one way only: to try every way takes hours.
_GAP = r"(?>\x1b\[[0-9;]*m|[ \t│|]*(?:\r?\n[ \t│|>]*)+)"
_WORD = "[A-Za-z0-9_+/-]+"
_START = f"pypi-{_GAP}?AgE"
_SHAPES = rf"{_START}{_WORD}(?:{_GAP}+(?!{_START}){_WORD})*=*|{BASIC_START}[A-Za-z0-9+/=]*"
_PIECES = lazy_pattern(rf"[A-Za-z0-9_+/-]{{{_PIECE},}}")
_GAPS = lazy_pattern(_GAP + "+")
#: every character of a gap, except those of colors
_IN_GAPS = str.maketrans("", "", " \t│|>\r\n")
_COLOUR = lazy_pattern(r"\x1b\[[0-9;]*m")


class Login(Protocol):
    """A username and a password: `Credential`, which this module cannot import without a circle."""

    @property
    def username(self) -> str: ...

    @property
    def password(self) -> Secret: ...


class Redactor:
    """Replaces secrets with markers such as `<token a1b2c3d4>`, which contain the fingerprint.

    Can be shared between threads. The text can be whole or line by line: a token that a tool wrapped over several
    lines is found in both cases, if its parts have 24 characters or more.
    """

    def __init__(self, secrets: Iterable[Secret | Login] = ()) -> None:
        self._known: dict[str, str] = {}
        for one in secrets:
            self._learn(one if isinstance(one, Secret) else one.password, one)
        self._gapless_known = [_gapless(known) for known in self._known]

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            gapless = _gapless(text)
            if any(known in gapless for known in self._gapless_known):
                text = self._pattern.sub(lambda found: self._known[_GAPS.sub("", found[0])], text)
            text = _PIECES.sub(self._piece, text)
        return _shapes().sub(_shape, text) if may_have_token(text) else text

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """The known secrets, the longest first. It takes a quarter of a second to compile."""
        return re.compile("|".join(map(_with_gaps, sorted(self._known, key=len, reverse=True))))

    def _learn(self, secret: Secret, source: Secret | Login) -> None:
        value = secret.reveal()
        mark = f"<{'token' if 'pypi-' in value else 'secret'} {secret.fingerprint}>"
        forms = {value, value.strip(), "".join(value.split())}
        users = {"__token__"} if isinstance(source, Secret) else {"__token__", source.username}
        forms |= {base64.b64encode(f"{user}:{value}".encode("utf-8", "surrogatepass")).decode() for user in users}
        self._known |= {form: mark for form in forms if len(value) >= _SHORTEST}

    def _piece(self, found: re.Match[str]) -> str:
        piece = found[0]
        return next((mark for known, mark in self._known.items() if piece in known), piece)


def redact(text: str, secrets: Iterable[Secret | Login] = ()) -> str:
    """The text without these secrets, and without anything in the form of a token."""
    return Redactor(secrets)(text)


@cache
def _shapes() -> re.Pattern[str]:
    """Compiled when it is needed, which takes 1 ms."""
    return re.compile(_SHAPES)


def _gapless(text: str) -> str:
    """The text without the characters of gaps, for a fast preliminary search."""
    return (_COLOUR.sub("", text) if "\x1b" in text else text).translate(_IN_GAPS)


def _with_gaps(value: str) -> str:
    """A pattern for a known secret; a long one may be broken anywhere."""
    if len(value) < _PIECE:
        return re.escape(value)
    return f"{_GAP}*".join(map(re.escape, value))


def _shape(found: re.Match[str]) -> str:
    """The marker for a text in the form of a token, and the text after it that the pattern also matched."""
    text = found[0]
    if text.startswith(BASIC_START):
        return f"<token {Secret(text).fingerprint}>"
    length = _length(_GAPS.sub("", text))
    end = _reach(text, length)
    return f"<token {Secret(_GAPS.sub('', text[:end])).fingerprint}>{text[end:]}"


def _length(text: str) -> int | None:
    """The length of the token in characters, which it declares itself; None if it is damaged."""
    try:
        data = macaroon.decode_base64(text.removeprefix("pypi-").rstrip("="))
        _, extra = macaroon.deserialize(data)
    except ValueError:
        return None
    return len("pypi-") + macaroon.characters(len(data) - extra)


def _reach(text: str, length: int | None) -> int:
    """The end of the token in a text with gaps. A damaged one ends with its last long part."""
    words = [(found.start(), found.end()) for found in re.finditer(_WORD, text)]
    if length is None:
        return max((end for start, end in words if end - start >= _PIECE), default=words[-1][1])
    seen = 0
    for start, end in words:
        if seen + end - start >= length:
            # Characters directly after the token may be the rest of a longer secret, so they are removed, too.
            return end
        seen += end - start
    return len(text)
