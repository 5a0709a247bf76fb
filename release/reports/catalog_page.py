"""The catalog as a page, as data, and a record for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from release.diagnostics.models import Diagnosis, fill_placeholders

_DETECT = {
    "offline": "on this machine, without network",
    "network": "by reading from the index",
    "probe": "by asking the index with the credential, to no effect",
    "after": "only from the answer to an upload",
}
_OFTEN = {"high": "often", "medium": "at times", "low": "rarely"}
_INTRODUCTION = """\
# Known failures

Why releases to PyPI fail: the cause, how it shows, what mends it, and where that is known from. Words are shown
as servers and tools print them; `{project}` stands for a value, `…` for anything in between, and a number in front
is the HTTP status of the index's answer.

This page is generated. Change the records in `release/diagnostics/`, then run
`python -m release explain --all --markdown > docs/failures.md`.
"""


def catalog_to_markdown(sections: Mapping[str, tuple[Diagnosis, ...]]) -> str:
    """The whole catalog as a Markdown page, with a list of causes before the records."""
    parts = [_INTRODUCTION]
    for heading, records in sections.items():
        parts.append(f"**{heading}**\n")
        parts.append("\n".join(f"- [`{one.id}`](#{_anchor(one.id)}): {_escape(one.title)}" for one in records) + "\n")
    for heading, records in sections.items():
        parts.append(f"## {heading}\n")
        parts.extend(diagnosis_to_markdown(one) for one in records)
    return "\n".join(parts).rstrip() + "\n"


def diagnosis_to_json(diagnosis: Diagnosis, values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The record as JSON data: its fields, the remedy filled in."""
    return {**asdict(diagnosis), "remedy": diagnosis.remedy_for(values)}


def diagnosis_to_text(diagnosis: Diagnosis, values: Mapping[str, str] | None = None, *, width: int = 80) -> str:
    """The record for a terminal of `width` columns. Commands and addresses are not broken."""
    blocks = [f"{diagnosis.id}\n{_wrap(diagnosis.title, width)}", _wrap(diagnosis.explanation, width)]
    if shown := _shown(diagnosis):
        blocks.append("How it shows:\n" + "\n".join(_wrap(one, width, "  - ", "    ") for one in shown))
    blocks.append("What to do:\n" + _wrap(diagnosis.remedy_for(values), width, "  ", "  "))
    blocks.append(_wrap(f"Known {_DETECT[diagnosis.detect]}; met {_OFTEN[diagnosis.weight]}.", width))
    blocks.append(_wrap(f"Sources: {'; '.join(diagnosis.sources)}", width, "", "  "))
    return "\n\n".join(blocks) + "\n"


def diagnosis_to_markdown(diagnosis: Diagnosis) -> str:
    """One record as Markdown, with a heading of its own."""
    title, explanation = _escape(diagnosis.title), _escape(diagnosis.explanation)
    lines = [f"### `{diagnosis.id}`", "", f"**{title[0].upper()}{title[1:]}.** {explanation}", ""]
    lines += [f"- Shows: {_code(one)}" for one in diagnosis.symptoms]
    lines += [f"- May show: {_code(one)}" for one in diagnosis.also]
    lines += [f"- Shows: {_escape(diagnosis.shows)}"] if diagnosis.shows else []
    lines += [
        f"- Remedy: {_escape(fill_placeholders(diagnosis.remedy))}",
        f"- Known {_DETECT[diagnosis.detect]}; met {_OFTEN[diagnosis.weight]}",
        f"- Sources: {_escape('; '.join(diagnosis.sources))}",
        "",
    ]
    return "\n".join(lines)


def _shown(diagnosis: Diagnosis) -> list[str]:
    return [*diagnosis.symptoms, *diagnosis.also, *([diagnosis.shows] if diagnosis.shows else [])]


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _escape(text: str) -> str:
    """Characters that Markdown would take for its own, told apart from what is meant."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]|" else char for char in text)


def _anchor(id_: str) -> str:
    """How GitHub names the heading of a record."""
    return id_.replace(".", "")
