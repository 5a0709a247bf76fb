"""The response of a server to a POST, and the message in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

#: maximum number of characters of a server's message
_LONGEST = 2000
#: keys of an index's message in a JSON response, in order of preference; `code` is PyPI's
_KEYS = ("code", "message", "detail", "error", "title")
#: the whole body of PyPI's response to a successful upload. Observed: warehouse 6b62157, 2026-11
_NOTHING_BUT_OK = re.compile(r"\s*(?:(?:200 )?OK\s*)*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerResponse:
    """An HTTP response, with the beginning of its body."""

    status: int
    #: the reason phrase; empty if the protocol has none (HTTP/2) or the server sent none
    reason: str = ""
    #: the beginning of the body, decoded
    body: str = ""
    #: names in lower case
    headers: dict[str, str]

    @property
    def is_html(self) -> bool:
        declared = "html" in self.headers.get("content-type", "")
        return declared or re.match(r"\s*<(?:!doctype|html)\b", self.body, re.IGNORECASE) is not None

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait before the next request; None if the server does not say.

        A date is relative to the server's own `Date`, so a wrong local clock does not matter.
        Source: RFC 9110, section 10.2.3.
        """
        from email.utils import parsedate_to_datetime

        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value)
        try:
            then, now = (parsedate_to_datetime(text) for text in (value, self.headers.get("date", "")))
            return max(0.0, (then - now).total_seconds())
        except (TypeError, ValueError):
            return None

    def message(self) -> str:
        """The server's message, without the status: from JSON, else the reason phrase, else the body.

        PyPI repeats its whole status line as `code` in a JSON response, because HTTP/2 has no reason phrase.
        Observed: warehouse 6b62157, 2026-11 — "403 Invalid or non-existent authentication information…"
        """
        standard = _phrase(self.status)
        candidates = (_from_json(self.body), self.reason, "" if _json(self.body) is not None else _text(self.body))
        cleaned = (_clean(text.removeprefix(f"{self.status} ")) for text in candidates)
        return next((text for text in cleaned if text and text != standard), standard)

    def is_ok(self) -> bool:
        """Whether the body is PyPI's "200 OK", or empty."""
        if isinstance(answer := _json(self.body), dict):
            return _NOTHING_BUT_OK.match(str(answer.get("code", ""))) is not None
        return _NOTHING_BUT_OK.match(_text(self.body)) is not None


def _phrase(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _from_json(body: str) -> str:
    answer = _json(body)
    if not isinstance(answer, dict):
        return ""
    return next((value for key in _KEYS if isinstance(value := answer.get(key), str) and value.strip()), "")


def _text(body: str) -> str:
    """A body without markup; plain text is unchanged."""
    if not re.search(r"<[a-z!/]", body, re.IGNORECASE):
        return body
    import html  # its table of 2,000 names is slow to load

    bare = re.sub(r"(?is)<(script|style|title)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", " ", body)
    return " ".join(html.unescape(bare).split())


def _clean(text: str) -> str:
    """Without control characters, which could affect a terminal; newlines remain."""
    kept = "".join(c for c in text.strip() if c.isprintable() or c == "\n")
    return kept if len(kept) <= _LONGEST else kept[:_LONGEST] + "…"
