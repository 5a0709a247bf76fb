"""Known failures: why releases fail, how it shows, what mends it. Pure; importing it is cheap.

`CATALOG` holds a record for each cause, in the order of the road: credential, source, address, name,
files, metadata, afterwards; `SECTIONS` the same under headings. Both are read at their first use.
`recognise` finds in a server's answer, or in the output of a tool that failed, which of them it may
be. To add one, add a record to its section and a recorded answer to the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from release.diagnostics.models import Diagnosis, Match, fill, index_at

if TYPE_CHECKING:
    from release.diagnostics.catalog import CATALOG, SECTIONS

__all__ = ["CATALOG", "SECTIONS", "Diagnosis", "Match", "fill", "index_at", "near", "recognise", "remedy_for", "unsaid"]

#: what is left to say about words that nobody knows
UNKNOWN_REMEDY = "do what the index asks for, then run it again; {site}/help/ explains its words"


def __getattr__(name: str) -> Any:
    """The catalog at its first use: most runs succeed, and need none of it."""
    if name in {"CATALOG", "SECTIONS"}:
        from release.diagnostics import catalog

        return getattr(catalog, name)
    raise AttributeError(name)


def recognise(text: str, *, status: int | None = None) -> tuple[Match, ...]:
    """The known failures that `text` may show, the likeliest root cause first; empty where there is none.

    `text` is a server's words (`status` is then its HTTP status), or the whole output of a tool or CI
    run that failed. Several causes often share one text: local evidence tells them apart.
    """
    from release.diagnostics import catalog, matcher

    return matcher.recognise(catalog.CATALOG.values(), text, status=status)


def unsaid(text: str) -> int | None:
    """The HTTP status of a refusal of which a tool printed the number alone; None where there is none.

    flit, hatch and pdm show only the reason phrase, which HTTP/2 does not carry: `twine upload
    --verbose` shows the server's words.
    """
    from release.diagnostics import matcher

    return matcher.unsaid(text)


def remedy_for(text: str, *, status: int | None = None, values: Mapping[str, str] | None = None) -> str:
    """What to do about a refusal in these words. `values` is what the caller knows: see `fill`."""
    found = recognise(text, status=status)
    if not found:
        return fill(UNKNOWN_REMEDY, values)
    return found[0].diagnosis.remedy_for({**found[0].values, **(values or {})})


def near(word: str) -> tuple[str, ...]:
    """Ids like `word`, the most similar first: for "did you mean". A bare first or last part finds its own."""
    import difflib

    from release.diagnostics.catalog import CATALOG

    word = word.strip().lower().replace("_", "-")
    parts = [id_ for id_ in CATALOG if word and word in id_.split(".")]
    return tuple(dict.fromkeys([*parts, *difflib.get_close_matches(word, CATALOG, n=3)]))
