"""The record of a set's run as Markdown for GitHub and GitLab."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.time_text import format_count, format_duration
from release.reports import record_text, set_record_text
from release.reports.markdown import (
    EMOJI,
    answer_to_markdown,
    escape_markdown,
    markdown_code,
    markdown_section,
    outcome_to_markdown,
)
from release.reports.record_text import Data

#: up to this many members with a warning are named
_NAMED = 5


def render(record: Data) -> str:
    """The run, for an issue and for the job summary of a CI service."""
    return "\n".join(_lines(record)) + "\n\n"


def _lines(record: Data) -> Iterator[str]:
    members = set_record_text.released(record)
    message = set_record_text.set_headline(record)
    headline = escape_markdown(record_text.headline(message))
    yield f"## {EMOJI[set_record_text.set_outcome(record)[0]]} {headline}"
    yield ""
    yield f"**{escape_markdown(set_record_text.set_title(record))}**"
    if remedy := set_record_text.set_remedy(record):
        yield f"<br>→ {escape_markdown(remedy)}"
    yield from markdown_section("", rows=(f"- {escape_markdown(one)}" for one in set_record_text.set_progress(record)))
    yield ""
    took = f", {format_duration(record_text.run_seconds(record))}" if record["ended"] else ""
    yield f"{record_text.timestamp_to_text(record['begun'])}{took}"
    if command := set_record_text.set_next_command(record):
        yield f"<br>next: {markdown_code(command)}"
    indexes = "".join(f" {escape_markdown(one)} |" for one in record["indexes"])
    yield from markdown_section(
        "", f"| level | member | result | checks |{indexes}", "|---:|---|---|---|" + "---|" * len(record["indexes"]),
        rows=(_row(record, one) for one in members),
    )  # fmt: skip
    if left := set_record_text.left_out_text(record):
        yield from ("", f"not released: {escape_markdown(left)}")
    checks = (line for one in record["checks"] if record_text.level(one) == "bad" for line in outcome_to_markdown(one))
    yield from markdown_section("", "### Problems of the set", "", rows=checks)
    for member in members:
        title = escape_markdown(set_record_text.member_title(member))
        yield from markdown_section("", f"### {title}", "", rows=_problems(member))
    warnings = (_shared(one) for one in set_record_text.shared_warnings(members))
    yield from markdown_section("", "### Warnings", "", rows=warnings)


def _row(record: Data, member: Data) -> str:
    level, text = set_record_text.member_end(member)
    cells = [str(member["level"]), escape_markdown(set_record_text.member_title(member)), f"{EMOJI[level]} {text}"]
    cells.append(set_record_text.member_tally(member))
    for index in record["indexes"]:
        found = set_record_text.member_standing(member, index)
        cells.append(f"{EMOJI[found.level]} {found.text}" if found else "")
    return f"| {' | '.join(cells)} |"


def _problems(member: Data) -> Iterator[str]:
    if not set_record_text.has_problem(member):
        return
    if member["message"]:
        yield f"- {escape_markdown(member['message'])}"
    if member["message"] and member["remedy"]:
        yield f"  <br>→ {escape_markdown(member['remedy'])}"
    for check in member["checks"]:
        if record_text.level(check) == "bad":
            yield from outcome_to_markdown(check)
    for index, answer in record_text.failed_uploads(member):
        yield answer_to_markdown(index, answer)


def _shared(warning: set_record_text.SharedWarning) -> str:
    check, members = warning.check, warning.members
    names = ", ".join(members[:_NAMED]) + (", …" if len(members) > _NAMED else "")
    count = f"{format_count(len(members), 'member')}: " if len(members) > 1 else ""
    return (
        f"- {EMOJI['warn']} **{escape_markdown(check['title'])}**, {markdown_code(check['check'])}: "
        f"{record_text.state_label(check)}; {count}{escape_markdown(names)}"
    )
