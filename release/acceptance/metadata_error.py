"""One thing that is wrong with the metadata."""

from __future__ import annotations

from dataclasses import dataclass

from release.acceptance.rule import Refusal

#: how the index ends what it says about metadata
CORE_METADATA = "See https://packaging.python.org/specifications/core-metadata for more information."
#: how it ends what it says about local versions
LOCAL_VERSIONS = (
    "See https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers "
    "for more information."
)
#: what a server that broke says
BROKEN = "Internal Server Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A field of the metadata, and what the index says about it."""

    #: as in METADATA, lower case: "requires-dist"; the form's name where the form can't be read
    field: str
    #: the index's words
    text: str
    #: where the index sends the reader
    see: str = CORE_METADATA
    #: 400, or 500 where the server breaks
    status: int = 400

    def refusal(self) -> Refusal:
        text = self.text
        if self.status == 400:  # noqa: PLR2004 - an HTTP status
            text = f"{text if text.endswith('.') else text + '.'} {self.see}"
        return Refusal(rule="the-metadata-is-valid", status=self.status, text=text)


def broken(field: str) -> Problem:
    """The server stumbles over this field: no answer but an internal error."""
    return Problem(field=field, text=BROKEN, status=500)
