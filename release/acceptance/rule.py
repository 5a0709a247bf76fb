"""What a rule of the index looks at, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from packaging.utils import NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The index's answer to an upload that it does not take."""

    #: public name of the rule, in the manner of a check: "the-summary-fits-one-line"
    rule: str
    #: HTTP status
    status: int
    #: the server's words, as in the reason phrase, help address included
    text: str
    #: what happened, where the server's words don't say it; for our reader, never sent
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One POST to the upload endpoint, as far as the rules care."""

    #: every form field with its values in order, `content` excepted
    fields: Mapping[str, tuple[str, ...]]
    #: the name in the content part, as sent; empty where there is no such part
    filename: str = ""
    #: the bytes, seekable; None where the form has no content part
    content: BinaryIO | None = None
    #: the Content-Type of the content part
    content_type: str | None = "application/octet-stream"
    #: scheme and host of the index's site, for the help addresses in its answers
    site: str = ""
    #: what one rule has read of the upload and another will want too, so that each thing is read once
    memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def help(self, anchor: str) -> str:
        """The index's help page, at an anchor."""
        return f"{self.site}/help/#{anchor}"

    def first(self, name: str) -> str | None:
        """The first value of a field; None where it is absent."""
        values = self.fields.get(name)
        return values[0] if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that the index has."""

    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: 64 lower-case hex digits; None where it can't be known (the simple API has no BLAKE2)
    blake2_256: str | None
    #: bytes
    size: int
    #: version of the release that it belongs to, as the release spells it
    version: str
    filetype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnIndex:
    """What the index has, as far as it can be known. Empty: nothing is known to be there."""

    #: aware, UTC
    now: datetime
    #: the files of the project in question, all releases
    files: tuple[StoredFile, ...] = ()
    #: creation time of each release of the project, by canonical version; aware, UTC
    releases: Mapping[str, datetime] = field(default_factory=dict)
    #: file names that were used once and can't be used again
    burnt: frozenset[str] = frozenset()
    #: BLAKE2b-256 of every file of the whole index → its name; empty where it can't be asked
    contents: Mapping[str, str] = field(default_factory=dict)
    #: normalised names of all projects
    names: frozenset[NormalizedName] = frozenset()
    #: normalised names that nobody may register
    prohibited: frozenset[NormalizedName] = frozenset()
    #: bytes; the project's own limit
    file_limit: int = 100 * 1024 * 1024
    #: bytes; of all files of the project together
    project_limit: int = 10 * 1024 * 1024 * 1024


#: A rule of the index: None, or the refusal. Its name, with hyphens, is its public name.
Rule = Callable[[Upload, OnIndex], Refusal | None]


def first_refusal(rules: tuple[Rule, ...], upload: Upload, index: OnIndex) -> Refusal | None:
    """What the server would answer: the first rule that refuses speaks, the others stay silent."""
    return next((no for rule in rules if (no := rule(upload, index)) is not None), None)
