"""What a rule of the index looks at, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from release.core.models.index_contents import OnIndex


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


#: A rule of the index: None, or the refusal. Its name, with hyphens, is its public name.
Rule = Callable[[Upload, OnIndex], Refusal | None]


def first_refusal(rules: tuple[Rule, ...], upload: Upload, index: OnIndex) -> Refusal | None:
    """What the server would answer: the first rule that refuses speaks, the others stay silent."""
    return next((no for rule in rules if (no := rule(upload, index)) is not None), None)
