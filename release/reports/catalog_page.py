"""The catalog of known failures as a Markdown page, and one diagnosis as text, Markdown and JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from release.diagnostics.models import Diagnosis, fill_placeholders

_DETECTED = {
    "offline": "Detected on this machine, without network access",
    "network": "Detected by reading from the index",
    "probe": "Detected by a request to the index with the credential, without side effects",
    "after": "Detected only from the response to an upload",
}
_FREQUENCY = {"high": "common", "medium": "occasional", "low": "rare"}
_INTRODUCTION = """\
# Known failures

Why releases to PyPI fail: causes, symptoms, remedies and sources. Messages are quoted as servers and tools print
them; `{project}` stands for a value, `…` for any text, and a number in front is the HTTP status of the index's
response.

This page is generated. Change the records in `release/diagnostics/`, then run
`pypi-preflight explain --all --markdown > docs/failures.md`.
"""


def catalog_to_markdown(sections: Mapping[str, tuple[Diagnosis, ...]]) -> str:
    """The whole catalog as a Markdown page, with a list of all causes first."""
    parts = [_INTRODUCTION]
    for heading, records in sections.items():
        parts.append(f"**{heading}**\n")
        # GitHub's anchor of a heading has no dots
        parts.append(
            "\n".join(f"- [`{one.id}`](#{one.id.replace('.', '')}): {_escape(one.title)}" for one in records) + "\n"
        )
    for heading, records in sections.items():
        parts.append(f"## {heading}\n")
        parts.extend(diagnosis_to_markdown(one) for one in records)
    return "\n".join(parts).rstrip() + "\n"


def diagnosis_to_json(diagnosis: Diagnosis, values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The fields, with the values filled into the remedy."""
    return {**asdict(diagnosis), "remedy": diagnosis.remedy_for(values)}


def diagnosis_to_text(diagnosis: Diagnosis, values: Mapping[str, str] | None = None, *, width: int = 80) -> str:
    """The diagnosis for a terminal of `width` columns. Commands and addresses are not wrapped."""
    blocks = [f"{diagnosis.id}\n{_wrap(diagnosis.title, width)}", _wrap(diagnosis.explanation, width)]
    symptoms = [*diagnosis.symptoms, *diagnosis.also, *([diagnosis.shows] if diagnosis.shows else [])]
    if symptoms:
        blocks.append("Symptoms:\n" + "\n".join(_wrap(one, width, "  - ", "    ") for one in symptoms))
    blocks.append("Remedy:\n" + _wrap(diagnosis.remedy_for(values), width, "  ", "  "))
    blocks.append(_wrap(f"{_detection(diagnosis)}.", width))
    blocks.append(_wrap(f"Sources: {'; '.join(diagnosis.sources)}", width, "", "  "))
    return "\n\n".join(blocks) + "\n"


def diagnosis_to_markdown(diagnosis: Diagnosis) -> str:
    """The diagnosis as Markdown, with its own heading."""
    title, explanation = _escape(diagnosis.title), _escape(diagnosis.explanation)
    lines = [f"### `{diagnosis.id}`", "", f"**{title[0].upper()}{title[1:]}.** {explanation}", ""]
    lines += [f"- Symptom: {_code(one)}" for one in diagnosis.symptoms]
    lines += [f"- Possible symptom: {_code(one)}" for one in diagnosis.also]
    lines += [f"- Symptom: {_escape(diagnosis.shows)}"] if diagnosis.shows else []
    lines += [f"- Remedy: {_escape(fill_placeholders(diagnosis.remedy))}", f"- {_detection(diagnosis)}"]
    return "\n".join([*lines, f"- Sources: {_escape('; '.join(diagnosis.sources))}", ""])


def _detection(diagnosis: Diagnosis) -> str:
    return f"{_DETECTED[diagnosis.detect]}; {_FREQUENCY[diagnosis.weight]}"


def _wrap(text: str, width: int, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _escape(text: str) -> str:
    """Escape characters with a meaning in Markdown."""
    return "".join(f"\\{char}" if char in "\\`*_<>[]|" else char for char in text)
