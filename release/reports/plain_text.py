"""The record for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.formatting import format_size, printable
from release.reports.record_text import Data, progress_by_index


def render(record: Data) -> str:
    """The record in lines: the last run in full, the earlier ones a line each."""
    return "".join(f"{line}\n" for line in _lines(record))


def _lines(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    commit = f" at {record['commit'][:12]}" if record["commit"] else ""
    tag = f", tag {record['tag']}" if record["tag"] else ""
    yield f"{record_text.release_title(record)}{commit}{tag}"
    when, took = record_text.timestamp_to_text(run["begun"]), format_duration(record_text.run_seconds(run))
    yield f"  {run['verb']}, {when}, {took}: {record_text.run_outcome(run)[1]}"
    yield f"  {run['exit']['message']}"
    if run["exit"]["remedy"]:
        yield f"  → {run['exit']['remedy']}"
    yield from _about("indexes", _indexes(record))
    yield from _about("files", map(_file, record["files"]))
    yield from _about("steps", map(_step, run["steps"]))
    yield from _about("checks", (f"{group.title}: {group.tally}" for group in record_text.group_checks(run)))
    yield from _about("what to know", _findings(run))
    yield from _about("tools", (f"{name} {version}" for name, version in run["tools"].items()))
    yield from _about("earlier runs", (_earlier(one) for one in record["runs"][-2::-1]))


def _about(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"{title}:"
        for line in found:
            yield from (f"  {printable(part)}" for part in line.split("\n"))


def _indexes(record: Data) -> Iterator[str]:
    pages = record_text.release_urls(record)
    for one in progress_by_index(record):
        yield f"{one.index}: {one.summary}" + (f"  {pages[one.index]}" if one.index in pages else "")


def _file(file: Data) -> str:
    return f"{file['filename']}  {format_size(file['size'])}\n  sha256 {file['sha256']}"


def _step(step: Data) -> str:
    took = "" if step["seconds"] is None else f", {format_duration(step['seconds'])}"
    return f"{step['title']}: {step['how']}{took}"


def _findings(run: Data) -> Iterator[str]:
    for check in record_text.checks_with_problems(run):
        about = f" [{check['subject']}]" if check.get("subject") else ""
        reason = f" ({check['reason']})" if check.get("reason") else ""
        yield f"{record_text.state_label(check)}: {check['title']}{about}{reason}"
        for finding in record_text.findings_of(check):
            where = f"{finding['where']}: " if finding.get("where") else ""
            yield f"  {where}{finding['message']}" + (f"\n  → {finding['remedy']}" if finding.get("remedy") else "")
    for index, answer in record_text.failed_uploads(run):
        yield f"{index}, {answer['filename']}: {record_text.answer_to_text(answer)}"


def _earlier(run: Data) -> str:
    begun, outcome = record_text.timestamp_to_text(run["begun"]), record_text.run_outcome(run)[1]
    return f"{begun}  {run['verb']}: {outcome}, {run['exit']['message']}"
