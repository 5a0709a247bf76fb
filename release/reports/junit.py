"""The last run of a record as JUnit XML: a suite for each step with checks, a case for each check.

There is no standard; this is the form that Jenkins, GitLab and Buildkite read.
Source: jenkinsci/xunit-plugin, "junit-10.xsd".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from release.reports import record_text
from release.reports.record_text import CheckGroup, Data
from release.reports.templating import printable_text


def render(record: Data) -> str:
    """The document. A check that stops the run is a failure; one that could not run is an error."""
    run = record["runs"][-1]
    groups = [*record_text.group_checks(run), *_uploads(run)]
    root = ET.Element("testsuites")
    _set(root, name=record_text.release_title(record), time=f"{record_text.run_seconds(run):.3f}", **_counts(*groups))
    for group in groups:
        suite = _suite(root, group, run)
        if group is groups[0]:
            _add_properties(suite, record, run)
        for check in group.checks:
            _add_case(suite, check, group)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _set(element: ET.Element, **attributes: str | int) -> None:
    element.attrib |= {name: printable_text(str(value)) for name, value in attributes.items()}


def _add(parent: ET.Element, tag: str, *, content: str = "", **attributes: str | int) -> ET.Element:
    element = ET.SubElement(parent, tag)
    element.text = printable_text(content) or None
    _set(element, **attributes)
    return element


def _suite(root: ET.Element, group: CheckGroup, run: Data) -> ET.Element:
    step = next((one for one in run["steps"] if one["title"] == group.title), None)
    seconds, begun = (step["seconds"] or 0.0, step["begun"]) if step else (0.0, None)
    return _add(
        root, "testsuite", name=group.title, skipped=sum(map(_is_skipped, group.checks)), time=f"{seconds:.3f}",
        timestamp=(begun or run["begun"]).removesuffix("Z"), **_counts(group),
    )  # fmt: skip


def _add_properties(suite: ET.Element, record: Data, run: Data) -> None:
    properties = _add(suite, "properties")
    facts = {"project": record["project"], "version": record["version"], "commit": record["commit"]} | run["tools"]
    for name, value in facts.items():
        if value:
            _add(properties, "property", name=name, value=value)


def _counts(*groups: CheckGroup) -> dict[str, Any]:
    checks = [check for group in groups for check in group.checks]
    errors = sum(_is_error(check) for check in checks)
    return {"tests": len(checks), "failures": sum(map(_stops, checks)) - errors, "errors": errors}


def _add_case(suite: ET.Element, check: Data, group: CheckGroup) -> None:
    subject = f" [{check['subject']}]" if check.get("subject") else ""
    classname = f"{group.title.replace('.', '_')}.{check['check']}"
    case = _add(suite, "testcase", name=f"{check['title']}{subject}", classname=classname, time="0.000")
    findings = list(record_text.findings_of(check))
    state = record_text.state_label(check)
    text = "\n".join(
        record_text.finding_to_text(one) + (f"\n→ {one['remedy']}" if one.get("remedy") else "") for one in findings
    )
    if _is_skipped(check):
        _add(case, "skipped", message=f"{check['state']}: {check.get('reason', '')}")
    elif _stops(check):
        message = str(findings[0]["message"]) if findings else state
        _add(case, "error" if _is_error(check) else "failure", content=text, message=message, type=check["state"])
    elif text or check.get("reason"):
        _add(case, "system-out", content=f"{state}: {check.get('reason') or ''}\n{text}".strip())


def _stops(check: Data) -> bool:
    return record_text.blocks_release(check) and bool(check.get("stops", True))


def _is_error(check: Data) -> bool:
    return _stops(check) and check["state"] != "failed"


def _is_skipped(check: Data) -> bool:
    return check["state"] in {"skipped", "not applicable"}


def _uploads(run: Data) -> Iterator[CheckGroup]:
    """The index's answers, a case for each file."""
    for index, answers in run["uploads"].items():
        if answers:
            yield CheckGroup(title=f"upload to {index}", checks=tuple(_upload(index, answer) for answer in answers))


def _upload(index: str, answer: Data) -> Data:
    states = {"receipt": "passed", "rejection": "failed"}
    message = {} if answer["answer"] == "receipt" else {"message": record_text.answer_to_text(answer), "remedy": ""}
    return {
        "check": f"{index}-takes-the-file", "title": f"{index} takes {answer['filename']}",
        "state": states.get(answer["answer"], "unknown"), "findings": [message] if message else [],
    }  # fmt: skip
