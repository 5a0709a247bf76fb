"""The release record as Markdown for GitHub and GitLab."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.lines import format_size, printable
from release.reports.record_text import Data

#: characters with a meaning inside a line of Markdown
_SPECIAL = re.compile(r"[\\`*_{}\[\]|~&]")
_EMOJI = {"good": "✅", "warn": "⚠️", "bad": "❌", "calm": "⚪"}


def render(record: Data) -> str:
    """The whole record: the last run in full, a line for each earlier one."""
    earlier = _section("", "### Earlier runs", "", rows=map(_earlier_run, record["runs"][-2::-1]))
    return "\n".join([*_last_run(record), *earlier]) + "\n"


def summary(record: Data) -> str:
    """The last run, for the job summary of a CI service."""
    return "\n".join(_last_run(record)) + "\n\n"


def _last_run(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    yield f"## {_EMOJI[record_text.run_outcome(run)[0]]} {_escape(record_text.release_title(record))}: {run['verb']}"
    yield ""
    yield f"**{_escape(run['exit']['message'])}**"
    if run["exit"]["remedy"]:
        yield f"<br>→ {_escape(run['exit']['remedy'])}"
    yield ""
    commit = f" · commit {_code(run['commit'])}" if run.get("commit") else ""
    tag = f" · tag {_code(record['tag'])}" if record["tag"] else ""
    begun, took = record_text.timestamp_to_text(run["begun"]), format_duration(record_text.run_seconds(run))
    yield f"{begun}, {took}{commit}{tag}"
    yield from _section("", "| index | status |", "|---|---|", rows=_indexes(record))
    yield from _section("", "### Problems", "", rows=_problems(run))
    files = (
        f"| {_code(one['filename'])} | {format_size(one['size'])} | {_code(one['sha256'])} |" for one in record["files"]
    )
    yield from _section("", "### Files", "", "| file | size | SHA-256 |", "|---|---:|---|", rows=files)
    checks = (f"| {_EMOJI[one.level]} {_escape(one.title)} | {one.tally} |" for one in record_text.group_checks(run))
    yield from _section("", "### Checks", "", "| step | result |", "|---|---|", rows=checks)


def _section(*heading: str, rows: Iterable[str]) -> Iterator[str]:
    """The heading and the rows, if there are any."""
    found = list(rows)
    if found:
        yield from (*heading, *found)


def _indexes(record: Data) -> Iterator[str]:
    urls = record_text.release_urls(record)
    for one in record_text.progress_by_index(record):
        name = f"[{_escape(one.index)}]({urls[one.index]})" if one.index in urls else _escape(one.index)
        yield f"| {name} | {_escape(one.summary)} |"


def _problems(run: Data) -> Iterator[str]:
    for check in record_text.checks_with_problems(run):
        subject = f" ({_escape(check['subject'])})" if check.get("subject") else ""
        reason = f": {_escape(check['reason'])}" if check.get("reason") else ""
        emoji, state = _EMOJI[record_text.level(check)], record_text.state_label(check)
        yield f"- {emoji} **{_escape(check['title'])}**{subject}, {_code(check['check'])}: {state}{reason}"
        for finding in record_text.findings_of(check):
            yield f"  - {_escape(record_text.finding_to_text(finding))}"
            if finding.get("remedy"):
                yield f"    <br>→ {_escape(finding['remedy'])}"
    for index, answer in record_text.failed_uploads(run):
        yield f"- ❌ {_escape(index)}, {_code(answer['filename'])}: {_escape(record_text.answer_to_text(answer))}"


def _earlier_run(run: Data) -> str:
    level, word = record_text.run_outcome(run)
    begun = record_text.timestamp_to_text(run["begun"])
    return f"- {_EMOJI[level]} {begun}, {run['verb']}: {word}. {_escape(run['exit']['message'])}"


def _escape(value: str) -> str:
    """The text on one line, without a meaning in Markdown or HTML."""
    text = _SPECIAL.sub(r"\\\g<0>", printable(" ".join(str(value).split())))
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _code(value: str) -> str:
    """The text as code, in an HTML element, which may contain any character."""
    return f"<code>{_escape(value)}</code>"
