"""The last run of a record as JUnit XML: a suite for each step with checks, a case for each check.

There is no standard; the form is the one that Jenkins, GitLab and Buildkite read.
Source: jenkinsci/xunit-plugin, "junit-10.xsd".
"""

from __future__ import annotations

from collections.abc import Iterator

from release.reports import record_text
from release.reports.html_elements import Markup, element, together
from release.reports.record_text import Data, Group


def junit(record: Data) -> str:
    """The document. A check that stops the run is a failure, one that could not be made an error."""
    run = record["runs"][-1]
    groups = [*record_text.groups(run), *_uploads(run)]
    suites = [_suite(group, run, _facts(record, run) if group is groups[0] else None) for group in groups]
    body = element(
        "testsuites",
        *_on_lines(suites),
        name=record_text.title(record),
        time=f"{record_text.seconds(run):.3f}",
        **_counts(groups),
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _facts(record: Data, run: Data) -> Markup:
    facts = {"project": record["project"], "version": record["version"], "commit": record["commit"]} | run["tools"]
    return element("properties", *[element("property", name=key, value=value) for key, value in facts.items() if value])


def _suite(group: Group, run: Data, facts: Markup | None) -> Markup:
    step = next((one for one in run["steps"] if one["title"] == group.title), None)
    took, begun = (step["seconds"] or 0.0, step["begun"]) if step else (0.0, None)
    parts = [*([facts] if facts else []), *(_case(one, group) for one in group.checks)]
    return element(
        "testsuite", *_on_lines(parts), name=group.title, skipped=sum(map(_is_skipped, group.checks)),
        time=f"{took:.3f}", timestamp=(begun or run["begun"]).removesuffix("Z"), **_counts([group]),
    )  # fmt: skip


def _counts(groups: list[Group]) -> dict[str, int]:
    checks = [check for group in groups for check in group.checks]
    errors = sum(_is_error(check) for check in checks)
    return {"tests": len(checks), "failures": sum(map(_stops, checks)) - errors, "errors": errors}


def _case(check: Data, group: Group) -> Markup:
    about = f" [{check['subject']}]" if check.get("subject") else ""
    return element(
        "testcase", *_outcome(check), name=f"{check['title']}{about}",
        classname=f"{group.title.replace('.', '_')}.{check['check']}", time="0.000",
    )  # fmt: skip


def _outcome(check: Data) -> Iterator[Markup]:
    said = "\n".join(_sentence(finding) for finding in record_text.said(check))
    first = next((str(finding["message"]) for finding in record_text.said(check)), record_text.state(check))
    if _is_skipped(check):
        yield element("skipped", message=f"{check['state']}: {check.get('reason', '')}")
    elif _stops(check):
        yield element("error" if _is_error(check) else "failure", said, message=first, type=str(check["state"]))
    elif said or check.get("reason"):
        yield element("system-out", f"{record_text.state(check)}: {check.get('reason') or ''}\n{said}".strip())


def _sentence(finding: Data) -> str:
    where = f"{finding['where']}: " if finding.get("where") else ""
    return f"{where}{finding['message']}" + (f"\n→ {finding['remedy']}" if finding.get("remedy") else "")


def _stops(check: Data) -> bool:
    return record_text.blocks(check) and bool(check.get("stops", True))


def _is_error(check: Data) -> bool:
    return _stops(check) and check["state"] != "failed"


def _is_skipped(check: Data) -> bool:
    return check["state"] in {"skipped", "not applicable"}


def _uploads(run: Data) -> Iterator[Group]:
    """What an index answered, a case for each file."""
    for index, answers in run["uploads"].items():
        if answers:
            yield Group(title=f"upload to {index}", checks=tuple(_upload(index, answer) for answer in answers))


def _upload(index: str, answer: Data) -> Data:
    states = {"receipt": "passed", "rejection": "failed"}
    message = {} if answer["answer"] == "receipt" else {"message": record_text.answered(answer), "remedy": ""}
    return {
        "check": f"{index}-takes-the-file", "title": f"{index} takes {answer['filename']}",
        "state": states.get(answer["answer"], "unknown"), "findings": [message] if message else [],
    }  # fmt: skip


def _on_lines(parts: list[Markup]) -> Iterator[Markup]:
    for part in parts:
        yield Markup("\n")
        yield part
    yield together("\n")
