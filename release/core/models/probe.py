"""Probes: upload forms that an index must refuse, and the responses of servers with the message in them.

Each form is refused for several independent reasons, regardless of what the token allows; the reason that the index
reports shows how far it got. Nothing is stored, created or counted.
Source: warehouse 6b62157, `forklift/legacy.py` (the order of its checks), run 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from release.core.foreign_json import ForeignJsonError, parse_foreign_json
from release.core.lazy_pattern import lazy_pattern

#: maximum number of characters of a server's message
_LONGEST = 2000
#: keys of an index's message in a JSON response, in order of preference; `code` is PyPI's
_KEYS = ("code", "message", "detail", "error", "title")
#: the whole body of PyPI's response to a successful upload. Observed: warehouse 6b62157, 2026-11
_NOTHING_BUT_OK = lazy_pattern(r"\s*(?:(?:200 )?OK\s*)*\Z")


class ServerResponse(Struct, frozen=True, kw_only=True):
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
            return float(value[:10])
        try:
            then, now = (parsedate_to_datetime(text) for text in (value, self.headers.get("date", "")))
            return max(0.0, (then - now).total_seconds())
        except (TypeError, ValueError, OverflowError):
            return None

    def message(self) -> str:
        """The server's message, without the status: from JSON, else the reason phrase, else the body.

        PyPI repeats its whole status line as `code` in a JSON response, because HTTP/2 has no reason phrase.
        Observed: warehouse 6b62157, 2026-11 — "403 Invalid or non-existent authentication information…"
        """
        return _message(self.status, self.reason, self.body)

    def is_ok(self) -> bool:
        """Whether the body is PyPI's "200 OK", or empty."""
        if isinstance(answer := _json(self.body), dict):
            return _NOTHING_BUT_OK.match(str(answer.get("code", ""))) is not None
        return _NOTHING_BUT_OK.match(_text(self.body)) is not None


@lru_cache(maxsize=64)  # every check of a token asks for it, and the index gives most tokens the same answers
def _message(status: int, reason: str, body: str) -> str:
    from http import HTTPStatus

    standard = next((known.phrase for known in HTTPStatus if known == status), "")
    answer = _json(body)
    texts = [answer.get(key) for key in _KEYS] if isinstance(answer, dict) else []
    own = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    candidates = (own, reason, "" if answer is not None else _text(body))
    cleaned = (_clean(text.removeprefix(f"{status} ")) for text in candidates)
    return next((text for text in cleaned if text and text != standard), standard)


def _json(body: str) -> Any:
    try:
        return parse_foreign_json(body)
    except ForeignJsonError:
        return None


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


ProbeKind = Literal["identity", "permission", "first-release", "metadata"]

#: invalid reStructuredText: the description is the first check after those of permissions
_DESCRIPTION = ".. <unknown-directive>::\n"
#: a file of unknown type, the second safeguard
_FILENAME = "probe.invalid"
#: names that no project can have, because they are standard library modules; most names with dots were not
#: registered before that rule either
STANDARD_MODULES = ("xml.etree.ElementTree", "concurrent.futures.thread", "multiprocessing.dummy.connection")


class ProbeForm(Struct, frozen=True, kw_only=True):
    """The form of a probe."""

    kind: ProbeKind
    #: the project in it; empty if there is none
    project: str = ""
    fields: tuple[tuple[str, str], ...]
    #: name and bytes of the file; None if there is none
    content: tuple[str, bytes] | None = None


def identity_form() -> ProbeForm:
    """Ask only whether the index knows the token: an unknown protocol, an empty form."""
    return ProbeForm(kind="identity", fields=((":action", "file_upload"), ("protocol_version", "0")))


def permission_form(name: str, version: str) -> ProbeForm:
    """Ask whether the token may upload to an existing project; `name` as the index spells it.

    `version` must exist, so that not even a release could be created. The index refuses, in this order: the
    description, the type of the file, its digest, the age of the release, and that it is not an archive.
    """
    return ProbeForm(kind="permission", project=name, fields=_full(name, version), content=(_FILENAME, b"\0"))


def first_release_form(module: str) -> ProbeForm:
    """Ask whether the account may create projects, with a name that is not allowed.

    `module` is one of `STANDARD_MODULES` that is not a project; the name is refused before a project is created.
    """
    return ProbeForm(kind="first-release", project=module, fields=_full(module, "0"), content=(_FILENAME, b"\0"))


def metadata_form(project: str, fields: Iterable[tuple[str, str]]) -> ProbeForm:
    """Ask whether the index accepts the metadata of a file: the uploader's own form, without the file."""
    own = ((":action", "file_upload"), ("protocol_version", "1"))
    return ProbeForm(kind="metadata", project=project, fields=(*own, *fields))


def _full(name: str, version: str) -> tuple[tuple[str, str], ...]:
    return (
        (":action", "file_upload"),
        ("protocol_version", "1"),
        ("metadata_version", "2.1"),
        ("name", name),
        ("version", version),
        ("filetype", "sdist"),
        ("pyversion", "source"),
        ("sha256_digest", "0" * 64),
        ("description_content_type", "text/x-rst"),
        ("description", _DESCRIPTION),
    )


class Quota(Struct, frozen=True, kw_only=True):
    """The remaining part of a limit, as reported by the index."""

    #: "project.create.user"
    name: str
    remaining: int
    #: seconds until it is reset
    reset: int
    #: the whole limit; None if the index does not report it
    limit: int | None = None


_LEFT = lazy_pattern(r'"(?P<name>[^"]*)"\s*;\s*r=(?P<remaining>\d{1,18})(?:\s*;\s*t=(?P<reset>\d{1,18}))?')
_POLICY = lazy_pattern(r'"(?P<name>[^"]*)"\s*;\s*q=(?P<limit>\d{1,18})')


class ProbeResult(Struct, frozen=True, kw_only=True):
    """The response of the index to a probe."""

    kind: ProbeKind
    #: the project in the form
    project: str
    #: without secrets
    reply: ServerResponse

    @property
    def status(self) -> int:
        return self.reply.status

    def message(self) -> str:
        """The index's message, with each reason once.

        It verifies its own copy of the caveats after those in the token, and reports each problem
        twice. Source: warehouse, `macaroons/services.py`, since August 2026.
        """
        head, colon, reasons = self.reply.message().partition("Invalid API Token: ")
        return head + colon + ", ".join(dict.fromkeys(reasons.split(", "))) if colon else head

    def passed(self) -> bool:
        """Whether the index refused the intended defect of the form, so that all earlier checks passed."""
        message = self.reply.message()
        expected = message.startswith(_EXPECTED[self.kind])
        if self.kind == "first-release":
            expected = expected and "conflict with Python Standard Library" in message
        return self.status == 400 and expected  # noqa: PLR2004 - Bad Request

    def server_time(self) -> datetime | None:
        """The index's time, to the second, aware; None if unknown."""
        from email.utils import parsedate_to_datetime

        try:
            time = parsedate_to_datetime(self.reply.headers.get("date", ""))
        except (ValueError, OverflowError):
            return None
        return time if time.tzinfo else time.replace(tzinfo=UTC)

    def quotas(self) -> tuple[Quota, ...]:
        """The remaining parts of the index's limits. Source: draft-ietf-httpapi-ratelimit-headers-10."""
        headers = self.reply.headers
        limits = {one["name"]: int(one["limit"]) for one in _POLICY.finditer(headers.get("ratelimit-policy", ""))}
        left = _LEFT.finditer(headers.get("ratelimit", ""))
        return tuple(
            Quota(name=name, remaining=int(remaining), reset=int(reset or 0), limit=limits.get(name))
            for name, remaining, reset in (one.group("name", "remaining", "reset") for one in left)
        )


#: the beginning of the expected response
_EXPECTED: dict[ProbeKind, tuple[str, ...]] = {
    "identity": ("Unknown protocol version", "'' is an invalid value for Name", "None is an invalid value for Name"),
    "permission": ("The description failed to render",),
    "first-release": ("The name ",),
    "metadata": ("Upload payload does not have a file",),
}
