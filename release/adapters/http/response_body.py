"""The body of a response as text and as JSON, both of which a server can choose badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from release.adapters.http.errors import bytes_to_text
from release.core.foreign_json import MAX_VALUES, ForeignJsonError, parse_foreign_json

if TYPE_CHECKING:
    import requests

#: encodings of web pages, which Python decodes in one pass
_PAGE_ENCODINGS = {"iso-8859-1", "latin-1", "us-ascii", "utf-8", "utf-16", "windows-1252"}
#: bytes of a body that is not all ASCII: one emoji makes each character of a text take four bytes
_MAX_NOT_ASCII = 8_000_000


def response_json(response: requests.Response, *, max_values: int = MAX_VALUES) -> Any:
    """The JSON value, where invalid bytes in texts are replaced. Raises `ForeignJsonError`, a `ValueError`."""
    return parse_foreign_json(_limited(response.content), max_values=max_values, errors="replace")


def response_text(response: requests.Response, data: bytes | None = None) -> str:
    """The text of a response, or of its beginning `data`, where invalid bytes are replaced.

    In UTF-8, or in the encoding of its head, if that is one of web pages: requests would raise for others, guess one
    from the whole text, or use those of Python whose time grows with the square of the length, such as punycode.
    Raises `ValueError` where it is too large.
    """
    data, name = _limited(response.content) if data is None else data, response.encoding or ""
    return data.decode(name if name.lower() in _PAGE_ENCODINGS else "utf-8", "replace")


def _limited(data: bytes) -> bytes:
    if len(data) > _MAX_NOT_ASCII and not data.isascii():
        raise ForeignJsonError(f"more than {bytes_to_text(_MAX_NOT_ASCII)} of text that is not ASCII")
    return data
