"""The release record as plain text: the last run in full, a line for each earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release.core.harmless import harmless_lines
from release.core.time_text import format_duration
from release.reports import record_text
from release.reports.lines import format_size
from release.reports.record_text import Data


def render(record: Data) -> str:
    return "".join(f"{harmless_lines(text)}\n" for text in _lines(record))


def _lines(record: Data) -> Iterator[str]:
    run = record["runs"][-1]
    commit = f" at {record['commit'][:12]}" if record["commit"] else ""
    tag = f", tag {record['tag']}" if record["tag"] else ""
    yield f"{record_text.release_title(record)}{commit}{tag}"
    begun, took = record_text.timestamp_to_text(run["begun"]), format_duration(record_text.run_seconds(run))
    yield f"  {run['verb']}, {begun}, {took}: {record_text.run_outcome(run)[1]}"
    yield f"  {run['exit']['message']}"
    if run["exit"]["remedy"]:
        yield f"  → {run['exit']['remedy']}"
    yield from text_section("indexes", _indexes(record))
    files = (f"{one['filename']}  {format_size(one['size'])}\n  sha256 {one['sha256']}" for one in record["files"])
    yield from text_section("files", files)
    yield from text_section("steps", map(_step, run["steps"]))
    yield from text_section("checks", (f"{group.title}: {group.tally}" for group in record_text.group_checks(run)))
    yield from text_section("problems", problem_lines(run))
    yield from text_section("tools", (f"{name} {version}" for name, version in run["tools"].items()))
    yield from text_section(
        "build requirements", map(record_text.requirement_to_text, run.get("build_requirements") or ())
    )
    yield from text_section("earlier runs", map(_earlier_run, record["runs"][-2::-1]))


def text_section(title: str, entries: Iterable[str]) -> Iterator[str]:
    """The title and the lines of the entries, if there are any."""
    lines = [line for entry in entries for line in entry.split("\n")]
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _indexes(record: Data) -> Iterator[str]:
    urls = record_text.release_urls(record)
    for one in record_text.progress_by_index(record):
        yield f"{one.index}: {one.summary}" + (f"  {urls[one.index]}" if one.index in urls else "")


def _step(step: Data) -> str:
    took = "" if step["seconds"] is None else f", {format_duration(step['seconds'])}"
    return f"{step['title']}: {step['how']}{took}"


def problem_lines(run: Data) -> Iterator[str]:
    """The checks of a run that did not pass, with their findings, and the uploads that failed."""
    for check in record_text.checks_with_problems(run):
        subject = f" [{check['subject']}]" if check.get("subject") else ""
        reason = f" ({check['reason']})" if check.get("reason") and check["findings"] else ""
        for finding in record_text.findings_of(check):
            remedy = f"\n  → {finding['remedy']}" if finding.get("remedy") else ""
            text = record_text.finding_to_text(finding)
            yield f"{record_text.state_label(check)}: {text}{subject} [{check['check']}]{reason}{remedy}"
    for index, answer in record_text.failed_uploads(run):
        yield f"{index}, {answer['filename']}: {record_text.answer_to_text(answer)}"


def _earlier_run(run: Data) -> str:
    begun, outcome = record_text.timestamp_to_text(run["begun"]), record_text.run_outcome(run)[1]
    return f"{begun}  {run['verb']}: {outcome}, {run['exit']['message']}"
