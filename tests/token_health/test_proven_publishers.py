"""Trusted publishing among the tokens: healthy with a proof, and never without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.facts import ProjectMetadata
from release.core.models.index import PYPI
from release.core.models.token_health import HealthReport, TokenPolicy
from release.reports.token_health_text import scan_to_json, scan_to_lines
from release.sandbox.publishers import CiJob
from release.token_health import health_history
from release.token_health.fleet import parse_fleet, project_targets
from release.token_health.health_history import DATABASE_NAME, History
from release.token_health.health_run import ScanRequest, close_run, run_scan
from tests.credentials.test_publisher_proof import TWO_LINES, WORLD, Job, job

PROJECT = ProjectMetadata(name="acme-widget", version="")


def scan(one: Job, *, exchange: bool) -> HealthReport:
    """Check the credentials of a project in its CI job, as `tokens` does."""
    targets = project_targets(one.system, {"pypi": one.index}, PROJECT, one.state, TokenPolicy())
    request = ScanRequest(fleet=parse_fleet({}, {}), targets=targets, directory=one.state)
    history = History(one.state / DATABASE_NAME, now=one.system.now)
    report = run_scan(one.system, request, history=history, exchange=exchange)
    return close_run(report, history, 0)


def test_a_publisher_is_healthy_with_a_proof_and_unknown_without_one(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        (unproven,) = scan(one, exchange=False).rows
        assert (unproven.seen.word, unproven.proven) == ("unknown", None)
        assert "--exchange" in unproven.seen.remedy
        assert one.sandbox.history("acme-widget") == []

        report = scan(one, exchange=True)
        (row,) = report.rows
        assert (row.seen.word, row.seen.state, row.confirmed) == ("healthy", "healthy", True)
        assert row.proven is not None
        assert [
            line.event if hasattr(line, "event") else line for line in one.sandbox.history("acme-widget")
        ] == TWO_LINES
        text = "\n".join(line.text for line in scan_to_lines(report))
        assert f"proven at {row.proven:%Y-%m-%d %H:%M} UTC" in text
        assert next(scan_to_json(report, strict=True)["tokens"])["proven"].startswith(f"{row.proven:%Y-%m-%d}")

        history = History(one.state / DATABASE_NAME, now=one.system.now)
        newest, first = health_history.recent_changes(history, limit=5)
        history.close()
        assert (first.seen.state, newest.before, newest.seen.state) == ("unknown", "unknown", "healthy")
        assert newest.seen.message.startswith("trusted publisher proven at ")
        assert newest.seen.checks["the-index-has-this-publisher"] == "passed"


def test_a_renamed_workflow_is_broken_and_named(tmp_path: Path) -> None:
    with job(tmp_path, replace(WORLD, job=CiJob(workflow="publish.yml"))) as one:
        (row,) = scan(one, exchange=True).rows
        assert (row.seen.word, row.proven, row.seen.cause) == ("broken", None, "tp.invalid-publisher")
        assert "publish.yml" in row.seen.remedy


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com"}, "GitHub Actions"),
        ({"GITLAB_CI": "true"}, "GitLab CI"),
        ({"GITLAB_CI": "true", "CI_SERVER_URL": "https://git.acme.test"}, None),
        ({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://codeberg.org"}, None),
    ],
)
def test_trusted_publishing_is_only_suggested_where_it_is_possible(
    env: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    machine = real_system()
    system = replace(machine, env={"TWINE_PASSWORD": "x", **env}, home=tmp_path)
    targets = project_targets(system, {"pypi": PYPI}, PROJECT, tmp_path, TokenPolicy())
    assert {one.publisher for one in targets} == {expected}
