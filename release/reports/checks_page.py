"""All checks as a Markdown page, and one check as text, Markdown and JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from release.checks.all_checks import causes_of, check_sections, is_index_refusal
from release.checks.engine import Check
from release.checks.general_remedies import DEFAULT_REMEDY, GENERAL_REMEDIES

_INTRODUCTION = """\
# Checks

What must be true for a release. The name of a check stands in brackets behind its line on the terminal, and in every
report. A failed check blocks the release, and so does one whose result is unknown; a warning does not, unless
`[tool.release.checks]` says `NAME = "block"`. Messages name the exact command that solves the problem;
`pypi-preflight explain NAME` shows the entry of this page.

To accept a failed check on purpose, add its name and your reason to pyproject.toml (for `tokens` with a fleet file: to
the table `[waive]` of that file). The reason is shown in each run, and stored in the release record.

This page is generated. Change the checks in `release/checks/` and their remedies in
`release/checks/general_remedies.py`, then run `pypi-preflight explain --checks --markdown > docs/checks.md`.
"""
_WAIVER = "[tool.release.waive]"
_REFUSED_BY_INDEX = "The index itself refuses the upload then: accept it only where the index is known to accept it."


def checks_to_markdown(catalog: Mapping[str, object]) -> str:
    """The page, with a list of all checks first; `catalog` has the causes that it refers to."""
    parts = [_INTRODUCTION]
    for heading, found in check_sections().items():
        parts.append(f"**{heading}**\n")
        parts.append("\n".join(f"- [`{one.name}`](#{one.name}): {one.title}" for one in found) + "\n")
    for heading, found in check_sections().items():
        parts.append(f"## {heading}\n")
        parts.extend(check_to_markdown(one, catalog) for one in found)
    return "\n".join(parts).rstrip() + "\n"


def check_to_json(check: Check[Any], catalog: Mapping[str, object]) -> dict[str, Any]:
    """`{"check", "title", "why", "remedy", "waiver", "waiver_note", "causes"}`; the waiver is a text in TOML."""
    return {
        "check": check.name, "title": check.title, "why": _why(check), "remedy": general_remedy(check),
        "waiver": "\n".join(_waiver(check)), "waiver_note": _note(check), "causes": list(causes_of(check, catalog)),
    }  # fmt: skip


def check_to_text(check: Check[Any], catalog: Mapping[str, object], *, width: int = 80) -> str:
    """The check for a terminal of `width` columns."""
    blocks = [f"{check.name}\n{_wrap(check.title, width)}"]
    blocks += [_wrap(one, width) for one in _why(check).split("\n\n") if one]
    blocks.append("Remedy:\n" + _wrap(general_remedy(check), width, "  "))
    blocks.append("To accept a failure, in pyproject.toml:\n" + "\n".join(f"  {line}" for line in _waiver(check)))
    blocks += [_wrap(_note(check), width)] if _note(check) else []
    causes = causes_of(check, catalog)
    blocks += [_wrap(f"Causes, which explain knows too: {', '.join(causes)}", width, "", "  ")] if causes else []
    return "\n\n".join(blocks) + "\n"


def check_to_markdown(check: Check[Any], catalog: Mapping[str, object]) -> str:
    """The check as Markdown, with its own heading."""
    why = f" {' '.join(_why(check).split())}" if _why(check) else ""
    lines = [f"### `{check.name}`", "", f"**{check.title}.**{why}", "", f"- How to fix: {general_remedy(check)}"]
    causes = ", ".join(f"[`{one}`](failures.md#{one.replace('.', '')})" for one in causes_of(check, catalog))
    lines += [f"- Causes: {causes}"] if causes else []
    lines += [f"- How to accept it: {_note(check)}".rstrip(), "", "```toml", *_waiver(check), "```", ""]
    return "\n".join(lines)


def general_remedy(check: Check[Any]) -> str:
    """What to do, without the case at hand."""
    return GENERAL_REMEDIES.get(check.name, DEFAULT_REMEDY)


def _why(check: Check[Any]) -> str:
    """The paragraphs of the explanation, each on one line."""
    return "\n\n".join(" ".join(one.split()) for one in check.why.split("\n\n"))


def _waiver(check: Check[Any]) -> tuple[str, str]:
    return _WAIVER, f'{check.name} = "your reason"'


def _note(check: Check[Any]) -> str:
    return _REFUSED_BY_INDEX if is_index_refusal(check) else ""


def _wrap(text: str, width: int, indent: str = "", rest: str | None = None) -> str:
    return textwrap.fill(
        text, width, initial_indent=indent, subsequent_indent=indent if rest is None else rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
