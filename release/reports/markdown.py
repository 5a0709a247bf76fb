"""The release record as Markdown for GitHub and GitLab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from release.core.harmless import break_commands
from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.lines import format_size, printable
from release.reports.record_text import Data

#: characters with a meaning inside a line of Markdown
_SPECIAL = re.compile(r"[\\`*_{}\[\]|~&$]")
#: what notifies a user or a team, or refers to an issue; a backslash does not prevent it, but a comment in it does
_REFERENCE = re.compile(r"(?<![\w/])(?:@(?=\w)|\#(?=\d))")
EMOJI = {"good": "✅", "warn": "⚠️", "bad": "❌", "calm": "⚪"}


def render(record: Data) -> str:
    """The whole record: the last run in full, a line for each earlier one."""
    earlier = markdown_section("", "### Earlier runs", "", rows=map(_earlier_run, record["runs"][-2::-1]))
    return "\n".join([*_last_run(record), *earlier]) + "\n"


def summary(record: Data) -> str:
    """The last run, for the job summary of a CI service."""
    return "\n".join(_last_run(record)) + "\n\n"


def _last_run(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    emoji, title = EMOJI[record_text.run_outcome(run)[0]], record_text.release_title(record)
    message = run["exit"]["message"]
    headline = record_text.headline(message) or f"{title}: {record_text.run_outcome(run)[1]}"
    yield f"## {emoji} {escape_markdown(headline)}"
    yield ""
    if message not in {"", headline}:
        yield f"**{escape_markdown(message)}**<br>"
    if run["exit"]["remedy"]:
        yield f"→ {escape_markdown(run['exit']['remedy'])}"
    yield ""
    commit = f" · commit {markdown_code(run['commit'])}" if run.get("commit") else ""
    tag = f" · tag {markdown_code(record['tag'])}" if record["tag"] else ""
    begun, took = record_text.timestamp_to_text(run["begun"]), format_duration(record_text.run_seconds(run))
    yield f"{escape_markdown(title)}, {run['verb']}, {begun}, {took}{commit}{tag}"
    yield from markdown_section("", "| index | status |", "|---|---|", rows=_indexes(record))
    yield from markdown_section("", "### Problems", "", rows=_problems(run))
    files = (
        f"| {markdown_code(one['filename'])} | {format_size(one['size'])} | {markdown_code(one['sha256'])} |"
        for one in record["files"]
    )
    yield from markdown_section("", "### Files", "", "| file | size | SHA-256 |", "|---|---:|---|", rows=files)
    checks = (
        f"| {EMOJI[one.level]} {escape_markdown(one.title)} | {one.tally} |" for one in record_text.group_checks(run)
    )
    yield from markdown_section("", "### Checks", "", "| step | result |", "|---|---|", rows=checks)
    requirements = (
        f"- {markdown_code(record_text.requirement_to_text(one))}" for one in run.get("build_requirements") or ()
    )
    yield from markdown_section("", "### Build requirements", "", rows=requirements)


def markdown_section(*heading: str, rows: Iterable[str]) -> Iterator[str]:
    """The heading and the rows, if there are any."""
    found = list(rows)
    if found:
        yield from (*heading, *found)


def _indexes(record: Data) -> Iterator[str]:
    urls = record_text.release_urls(record)
    for one in record_text.progress_by_index(record):
        name = f"[{escape_markdown(one.index)}]({urls[one.index]})" if one.index in urls else escape_markdown(one.index)
        yield f"| {name} | {escape_markdown(one.summary)} |"


def _problems(run: Data) -> Iterator[str]:
    for check in record_text.checks_with_problems(run):
        yield from outcome_to_markdown(check)
    for index, answer in record_text.failed_uploads(run):
        yield answer_to_markdown(index, answer)


def outcome_to_markdown(check: Data) -> Iterator[str]:
    """The findings of a check that did not pass, each as an item of a list: its cause, its name, its remedy."""
    subject = f" ({escape_markdown(check['subject'])})" if check.get("subject") else ""
    reason = f": {escape_markdown(check['reason'])}" if check.get("reason") and check["findings"] else ""
    emoji, state = EMOJI[record_text.level(check)], record_text.state_label(check)
    for finding in record_text.findings_of(check):
        text = escape_markdown(record_text.finding_to_text(finding))
        yield f"- {emoji} **{text}**{subject}, {markdown_code(check['check'])}: {state}{reason}"
        if finding.get("remedy"):
            yield f"  <br>→ {escape_markdown(finding['remedy'])}"


def answer_to_markdown(index: str, answer: Data) -> str:
    """The upload of a file that an index did not accept, as an item of a list."""
    text = escape_markdown(record_text.answer_to_text(answer))
    return f"- ❌ {escape_markdown(index)}, {markdown_code(answer['filename'])}: {text}"


def _earlier_run(run: Data) -> str:
    level, word = record_text.run_outcome(run)
    begun = record_text.timestamp_to_text(run["begun"])
    return f"- {EMOJI[level]} {begun}, {run['verb']}: {word}. {escape_markdown(run['exit']['message'])}"


def escape_markdown(value: str) -> str:
    """The text on one line, without a meaning in Markdown or HTML, and without references to people or issues."""
    text = _SPECIAL.sub(r"\\\g<0>", printable(" ".join(str(value).split())))
    text = break_commands(text.replace("<", "&lt;").replace(">", "&gt;"))  # its backslash is no text of Markdown
    return _REFERENCE.sub(r"\g<0><!-- -->", text)


def markdown_code(value: str) -> str:
    """The text as code, in an HTML element, which may contain any character."""
    return f"<code>{escape_markdown(value)}</code>"
