"""The document of `inspect --json`: a verdict per file, and what there is to say about the set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import CHECKS, OF_A_FILE
from release.checks.engine import run
from release.checks.leak_checks import CHECKS as LEAKS
from release.core.facts import BuiltFiles, LeakScan
from release.core.models.check_result import CheckState, Outcome
from release.core.models.finding import Finding
from release.core.models.inspected_file import InspectedFile, InspectionCache

_OF_A_FILE = frozenset(check.name for check in OF_A_FILE)


def inspection_to_json(built: BuiltFiles, *, block: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`{"schema": 1, "files": [{"file", "sha256", "size", "verdict", "findings"}], "release": [findings]}`.

    A finding is `{"check", "severity", "message", "remedy", "where", "server_text", "source"}`; a verdict is
    "refuse" where a finding of the file blocks, else "accept". `block` names checks whose warnings block.
    """
    files = [
        _file(replace(built, files=(file,), cache=InspectionCache(files=(found,))), found, block)
        for file, found in zip(built.files, inspect_built_files(built), strict=True)
    ]
    together = (one for one in run(CHECKS, built, block=block) if one.check not in _OF_A_FILE)
    return {"schema": 1, "files": files, "release": list(_findings(together))}


def _file(built: BuiltFiles, examined: InspectedFile, block: frozenset[str]) -> dict[str, Any]:
    outcomes = (one for one in run(CHECKS, built, block=block) if one.check in _OF_A_FILE)
    findings = list(_findings(outcomes))
    return {
        "file": examined.filename,
        "sha256": examined.sha256,
        "size": built.files[0].size,
        "verdict": "refuse" if any(one["severity"] == "block" for one in findings) else "accept",
        "findings": findings,
    }


def _findings(outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        yield from (finding_to_json(outcome.check, one) for one in outcome.findings)
        if outcome.state in {CheckState.CRASHED, CheckState.UNKNOWN}:
            yield finding_to_json(
                outcome.check, Finding(message=outcome.reason, remedy=outcome.remedy or "report it to us")
            )


def leaks_to_findings(leaks: LeakScan) -> Iterator[dict[str, Any]]:
    """The secrets in files, as findings in the document. What could not be searched is no more than a warning."""
    for outcome in run(LEAKS, leaks):
        yield from (finding_to_json(outcome.check, one) for one in outcome.findings)
        if outcome.state is CheckState.UNKNOWN:
            yield finding_to_json(
                outcome.check, Finding(message=outcome.reason, remedy=outcome.remedy or "look into it", severity="warn")
            )


def finding_to_json(check: str, finding: Finding) -> dict[str, Any]:
    """A finding in the document."""
    return {
        "check": check,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "where": finding.where,
        "server_text": finding.server_text,
        "source": finding.source,
    }
