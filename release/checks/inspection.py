"""The document of `inspect --json`: a verdict per file, and what there is to say about the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from release.checklist import run
from release.checks.built import CHECKS, OF_A_FILE
from release.checks.examination import examined
from release.facts import Built
from release.model.finding import Finding
from release.model.outcome import Outcome, State

_OF_A_FILE = frozenset(check.name for check in OF_A_FILE)


def inspection(built: Built, *, block: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`{"schema": 1, "files": [{"file", "sha256", "size", "verdict", "findings"}], "release": [findings]}`.

    A finding is `{"check", "severity", "message", "remedy", "where", "server_text", "source"}`; a verdict is
    "refuse" where a finding of the file blocks, else "accept". `block` names checks whose warnings block.
    """
    files = [
        _file(replace(built, files=(file,), memo={"examined": (found,)}), block)
        for file, found in zip(built.files, examined(built), strict=True)
    ]
    together = (one for one in run(CHECKS, built, block=block) if one.check not in _OF_A_FILE)
    return {"schema": 1, "files": files, "release": list(_findings(together))}


def refused(document: dict[str, Any]) -> bool:
    """Whether any file, or the set, would be refused."""
    of_files = (file["verdict"] == "refuse" for file in document["files"])
    return any(of_files) or any(one["severity"] == "block" for one in document["release"])


def _file(built: Built, block: frozenset[str]) -> dict[str, Any]:
    distribution = built.files[0].distribution
    outcomes = (one for one in run(CHECKS, built, block=block) if one.check in _OF_A_FILE)
    findings = list(_findings(outcomes))
    return {
        "file": distribution.filename,
        "sha256": distribution.sha256,
        "size": distribution.size,
        "verdict": "refuse" if any(one["severity"] == "block" for one in findings) else "accept",
        "findings": findings,
    }


def _findings(outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        yield from (_finding(outcome.check, one) for one in outcome.findings)
        if outcome.state in {State.CRASHED, State.UNKNOWN}:
            yield _finding(outcome.check, Finding(message=outcome.reason, remedy=outcome.remedy or "report it to us"))


def _finding(check: str, finding: Finding) -> dict[str, Any]:
    return {
        "check": check,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "where": finding.where,
        "server_text": finding.server_text,
        "source": finding.source,
    }
