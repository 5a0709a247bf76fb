"""The record as Markdown, as GitHub and GitLab read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.formatting import format_size, printable
from release.reports.record_text import Data, progress_by_index

#: what means something inside a line of Markdown
_SPECIAL = re.compile(r"[\\`*_{}\[\]|~&]")
_EMOJI = {"good": "✅", "warn": "⚠️", "bad": "❌", "calm": "⚪"}


def render(record: Data) -> str:
    """The whole record: the last run in full, the earlier ones a line each."""
    return "\n".join([*_head(record), *_body(record), *_earlier(record)]) + "\n"


def summary(record: Data) -> str:
    """The last run, to be appended to the summary of a CI job."""
    return "\n".join([*_head(record), *_body(record)]) + "\n\n"


def _head(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    yield f"## {_EMOJI[record_text.run_outcome(run)[0]]} {_text(record_text.release_title(record))}: {run['verb']}"
    yield ""
    yield f"**{_text(run['exit']['message'])}**"
    if run["exit"]["remedy"]:
        yield f"<br>→ {_text(run['exit']['remedy'])}"
    yield ""
    commit = f" · commit {_code(run['commit'])}" if run.get("commit") else ""
    tag = f" · tag {_code(record['tag'])}" if record["tag"] else ""
    begun, took = record_text.timestamp_to_text(run["begun"]), format_duration(record_text.run_seconds(run))
    yield f"{begun}, {took}{commit}{tag}"


def _body(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    yield from _indexes(record)
    yield from _findings(run)
    yield from _files(record)
    yield from _checks(run)


def _indexes(record: Data) -> Iterator[str]:
    found, pages = progress_by_index(record), record_text.release_urls(record)
    if found:
        yield from ("", "| index | standing |", "|---|---|")
    for one in found:
        name = f"[{_text(one.index)}]({pages[one.index]})" if one.index in pages else _text(one.index)
        yield f"| {name} | {_text(one.summary)} |"


def _findings(run: Data) -> Iterator[str]:
    checks, refused = record_text.checks_with_problems(run), record_text.failed_uploads(run)
    if checks or refused:
        yield from ("", "### What to know", "")
    for check in checks:
        about = f" ({_text(check['subject'])})" if check.get("subject") else ""
        reason = f": {_text(check['reason'])}" if check.get("reason") else ""
        mark, state = _EMOJI[record_text.level(check)], record_text.state_label(check)
        yield f"- {mark} **{_text(check['title'])}**{about}: {state}{reason}"
        for finding in record_text.findings_of(check):
            where = f"{_text(finding['where'])}: " if finding.get("where") else ""
            yield f"  - {where}{_text(finding['message'])}"
            if finding.get("remedy"):
                yield f"    <br>→ {_text(finding['remedy'])}"
    for index, answer in refused:
        yield f"- ❌ {_text(index)}, {_code(answer['filename'])}: {_text(record_text.answer_to_text(answer))}"


def _files(record: Data) -> Iterator[str]:
    if record["files"]:
        yield from ("", "### Files", "", "| file | size | SHA-256 |", "|---|---:|---|")
    for file in record["files"]:
        yield f"| {_code(file['filename'])} | {format_size(file['size'])} | {_code(file['sha256'])} |"


def _checks(run: Data) -> Iterator[str]:
    groups = record_text.group_checks(run)
    if groups:
        yield from ("", "### Checks", "", "| step | outcome |", "|---|---|")
    for group in groups:
        yield f"| {_EMOJI[group.level]} {_text(group.title)} | {group.tally} |"


def _earlier(record: Data) -> Iterator[str]:
    earlier = record["runs"][-2::-1]
    if earlier:
        yield from ("", "### Earlier runs", "")
    for run in earlier:
        level, word = record_text.run_outcome(run)
        when = record_text.timestamp_to_text(run["begun"])
        yield f"- {_EMOJI[level]} {when}, {run['verb']}: {word}. {_text(run['exit']['message'])}"


def _text(value: str) -> str:
    """Words that mean nothing to Markdown or HTML, on one line."""
    shown = _SPECIAL.sub(r"\\\g<0>", printable(" ".join(str(value).split())))
    return shown.replace("<", "&lt;").replace(">", "&gt;")


def _code(value: str) -> str:
    """The same, shown as code: HTML's own element, since it takes any character."""
    return f"<code>{_text(value)}</code>"
