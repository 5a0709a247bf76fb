"""Questions to an index in the form of uploads that can't succeed, and what it answered.

Each form is refused for several reasons that do not depend on each other, whatever the token allows;
what tells is which of them the index names. Nothing is stored, created or counted.
Source: warehouse 6b62157, `forklift/legacy.py` (the order of its questions), run 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from release.core.models.error_response import ServerResponse

ProbeKind = Literal["identity", "permission", "first-release", "metadata"]

#: a description in reStructuredText that no renderer takes: the first question after those about rights
_DESCRIPTION = ".. <unknown-directive>::\n"
#: the name of a file of no known type, the second guard
_FILENAME = "probe.invalid"
#: names that no project can have, since modules of the standard library have them; the dots keep most
#: of them from having been registered before that rule
STANDARD_MODULES = ("xml.etree.ElementTree", "concurrent.futures.thread", "multiprocessing.dummy.connection")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeForm:
    """What is posted."""

    kind: ProbeKind
    #: the project that it names; empty where it names none
    project: str = ""
    fields: tuple[tuple[str, str], ...]
    #: name and bytes of the file; None where the form has none
    content: tuple[str, bytes] | None = None


def identity_form() -> ProbeForm:
    """Asks whether the index knows the token, and nothing else: an unknown protocol, an empty form."""
    return ProbeForm(kind="identity", fields=((":action", "file_upload"), ("protocol_version", "0")))


def permission_form(name: str, version: str) -> ProbeForm:
    """Asks whether the token may upload to a project that exists; `name` as the index spells it.

    `version` is one that exists: then not even a release could be made. What stops it, in the index's
    order: the description, the type of the file, its digest, the release's age, that it is no archive.
    """
    return ProbeForm(kind="permission", project=name, fields=_full(name, version), content=(_FILENAME, b"\0"))


def first_release_form(module: str) -> ProbeForm:
    """Asks whether the account may create projects, under a name that nobody can have.

    `module` is one of `STANDARD_MODULES` that is no project; the name is refused before any is made.
    """
    return ProbeForm(kind="first-release", project=module, fields=_full(module, "0"), content=(_FILENAME, b"\0"))


def metadata_form(project: str, fields: Iterable[tuple[str, str]]) -> ProbeForm:
    """Asks whether the index takes a file's metadata: the uploader's own form, without the file."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How much of a limit is left, as the index tells it."""

    #: "project.create.user"
    name: str
    remaining: int
    #: seconds until there is more
    reset: int
    #: the whole of it; None where the index does not say
    limit: int | None = None


_LEFT = re.compile(r'"(?P<name>[^"]*)"\s*;\s*r=(?P<remaining>\d+)(?:\s*;\s*t=(?P<reset>\d+))?')
_POLICY = re.compile(r'"(?P<name>[^"]*)"\s*;\s*q=(?P<limit>\d+)')


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the index answered to a form."""

    kind: ProbeKind
    #: the project that the form named
    project: str
    #: without secrets
    reply: ServerResponse

    @property
    def status(self) -> int:
        return self.reply.status

    def message(self) -> str:
        """The index's words, each reason once.

        It verifies its own copy of a token's limits behind those in the token, and says what it
        finds twice. Source: warehouse, `macaroons/services.py`, since August 2026.
        """
        head, colon, reasons = self.reply.message().partition("Invalid API Token: ")
        return head + colon + ", ".join(dict.fromkeys(reasons.split(", "))) if colon else head

    def passed(self) -> bool:
        """Whether the index came to the form's own fault, so that all it asks before is in order."""
        return self.status == 400 and any(map(self.reply.message().startswith, _FAULTS[self.kind])) and self._fits()  # noqa: PLR2004 - Bad Request

    def _fits(self) -> bool:
        return self.kind != "first-release" or "conflict with Python Standard Library" in self.reply.message()

    def server_time(self) -> datetime | None:
        """The index's clock, to the second, aware; None where it does not say."""
        from email.utils import parsedate_to_datetime

        try:
            told = parsedate_to_datetime(self.reply.headers.get("date", ""))
        except ValueError:
            return None
        return told if told.tzinfo else told.replace(tzinfo=UTC)

    def quotas(self) -> tuple[Quota, ...]:
        """What is left of the index's limits. Source: draft-ietf-httpapi-ratelimit-headers-10."""
        headers = self.reply.headers
        limits = {one["name"]: int(one["limit"]) for one in _POLICY.finditer(headers.get("ratelimit-policy", ""))}
        return tuple(
            Quota(
                name=one["name"],
                remaining=int(one["remaining"]),
                reset=int(one["reset"] or 0),
                limit=limits.get(one["name"]),
            )
            for one in _LEFT.finditer(headers.get("ratelimit", ""))
        )


#: how the answer begins that a form is made for
_FAULTS: dict[ProbeKind, tuple[str, ...]] = {
    "identity": ("Unknown protocol version", "'' is an invalid value for Name", "None is an invalid value for Name"),
    "permission": ("The description failed to render",),
    "first-release": ("The name ",),
    "metadata": ("Upload payload does not have a file",),
}
