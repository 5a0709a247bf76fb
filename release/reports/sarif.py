"""The last run of a record as SARIF 2.1.0 for code scanning, with a rule for each check that has findings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from release.core.harmless import harmless_json
from release.reports import record_text
from release.reports.record_text import Data

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"bad": "error", "warn": "warning"}
#: a path, perhaps with a line: a finding with such a `where` has a location in a file
_PLACE = re.compile(r"(?P<path>[\w.+@-]+(?:/[\w.+@-]+)*)(?::(?P<line>[1-9][0-9]*))?")
#: the location of all other findings: code scanning ignores results without one, and this file defines the release
_DEFAULT_FILE = "pyproject.toml"


def render(record: Data) -> str:
    """The document."""
    run = record["runs"][-1]
    checks = record_text.checks_with_problems(run)
    rules = {check["check"]: check["title"] for check in checks}
    driver = {
        "name": "pypi-preflight", "semanticVersion": run["tools"].get("pypi-preflight", "0"),
        "rules": [{"id": name, "shortDescription": {"text": title}} for name, title in rules.items()],
    }  # fmt: skip
    status, message = run["exit"]["status"], run["exit"]["message"]
    invocation = {
        "executionSuccessful": status == 0, "exitCode": status, "exitCodeDescription": message,
        "startTimeUtc": run["begun"], "endTimeUtc": run["ended"],
    }  # fmt: skip
    document = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"pypi-preflight/{run['verb']}/"},
        "invocations": [invocation],
        "artifacts": [_artifact(file) for file in record["files"]],
        "results": [result for check in checks for result in _results(check, list(rules))],
        "columnKind": "unicodeCodePoints",
        "properties": {key: record[key] for key in ("project", "version", "commit", "tag")},
    }
    return harmless_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [document]})


def _artifact(file: Data) -> dict[str, Any]:
    return {
        "location": {"uri": quote(file["filename"], errors="backslashreplace")}, "length": file["size"],
        "hashes": {"sha-256": file["sha256"]}, "roles": ["analysisTarget"],
    }  # fmt: skip


def _results(check: Data, rules: list[str]) -> Iterator[dict[str, Any]]:
    for finding in record_text.findings_of(check):
        subject = f" [{check['subject']}]" if check.get("subject") else ""
        remedy = f"\n→ {finding['remedy']}" if finding.get("remedy") else ""
        level = "warn" if finding.get("severity") == "warn" else record_text.level(check)
        result: dict[str, Any] = {
            "ruleId": check["check"], "ruleIndex": rules.index(check["check"]), "level": _LEVELS[level],
            "message": {"text": f"{check['title']}{subject}: {finding['message']}{remedy}"},
            "locations": [_location(finding.get("where"))],
        }  # fmt: skip
        if finding.get("cause"):
            result["properties"] = {"cause": finding["cause"]}
        if check["state"] == "waived":
            result["suppressions"] = [{"kind": "external", "justification": check.get("reason", "")}]
        yield result


def _location(where: str | None) -> dict[str, Any]:
    place = _PLACE.fullmatch(where or "")
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(place["path"], errors="backslashreplace") if place else _DEFAULT_FILE}
    }
    if place and place["line"]:
        physical["region"] = {"startLine": int(place["line"])}
    logical = {"logicalLocations": [{"fullyQualifiedName": where}]} if where and not place else {}
    return {"physicalLocation": physical, **logical}
