"""The metrics are read by Prometheus's own parsers, of both forms, whatever a name holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

from release.core.errors import Exit
from release.core.models.token_health import TokenReport, TokenStatus
from release.reports.prometheus import MetricsInput, scan_to_metrics
from tests.token_health.test_health_history import HEALTHY, REVOKED

ENDED = datetime(2026, 11, 5, 12, 0, 1, 500_000, tzinfo=UTC)
PARSERS: dict[str, Callable[[str], Iterable[Any]]] = {
    "text": parser.text_string_to_metric_families, "openmetrics": openmetrics.text_string_to_metric_families,
}  # fmt: skip
HOSTILE = 'file "a\\b\n# TYPE x gauge\r\x85{}=,\udce4→.token'


def row(seen: TokenStatus, *, age: float | None = None) -> TokenReport:
    return TokenReport(seen=seen, outcomes=(), age=timedelta(days=age) if age is not None else None, left=None)


def run(*rows: TokenReport, **more: Any) -> MetricsInput:
    return MetricsInput(rows=rows, began=ENDED - timedelta(seconds=2), ended=ENDED, status=Exit.REFUSED, **more)


def samples(text: str, form: str = "text") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = [one for family in PARSERS[form](text) for one in family.samples]
    assert all(one.timestamp is None for one in found), "the textfile collector refuses time stamps"
    made = {(one.name, frozenset(one.labels.items())): one.value for one in found}
    assert len(made) == len(found), "the textfile collector refuses the same sample twice"
    return made


@pytest.mark.parametrize("form", PARSERS)
def test_every_value_comes_out_of_the_parser(form: str) -> None:
    ends = datetime(2027, 1, 1, tzinfo=UTC)
    text = scan_to_metrics(run(row(replace(HEALTHY, expires=ends), age=3), row(REVOKED), waiting=2))
    found = samples(text, form)
    token = frozenset(
        {"index": "pypi", "project": "acme-widget", "fingerprint": "0a1b2c3d", "source": "$TOKEN"}.items()
    )
    prefix = "pypi_preflight_"
    assert found[f"{prefix}token_state", token | {("state", "healthy")}] == 1
    assert found[f"{prefix}token_state", token | {("state", "revoked")}] == 0
    assert found[f"{prefix}token_expiry_timestamp_seconds", token] == ends.timestamp()
    assert found[f"{prefix}token_age_seconds", token] == 3 * 86_400
    assert found[f"{prefix}token_last_check_timestamp_seconds", token] == ENDED.timestamp()
    assert found[f"{prefix}run_tokens", frozenset({("state", "revoked")})] == 1
    alone = {name.removeprefix(prefix): value for (name, labels), value in found.items() if not labels}
    assert alone == {
        "run_timestamp_seconds": ENDED.timestamp(), "run_duration_seconds": 2, "run_exit_status": 1,
        "run_interrupted": 0, "run_undelivered": 2,
    }  # fmt: skip


@pytest.mark.parametrize("form", PARSERS)
def test_no_name_breaks_out_of_its_label(form: str) -> None:
    text = scan_to_metrics(run(row(replace(HEALTHY, place=HOSTILE, project=None))))
    sources = {dict(labels)["source"] for _, labels in samples(text, form) if len(labels) > 1}
    assert sources == {HOSTILE.replace("\r", " ").replace("\udce4", "?")}
    assert text.endswith("\n# EOF\n")


def test_the_same_place_twice_is_told_once() -> None:
    found = samples(scan_to_metrics(run(row(HEALTHY), row(HEALTHY), row(REVOKED))))
    assert sum(value for (name, _), value in found.items() if name == "pypi_preflight_token_state") == 1


def test_what_was_not_looked_at_has_no_time_of_a_look() -> None:
    assert "last_check" not in scan_to_metrics(run(row(replace(HEALTHY, checks={}, word="unknown", state="unknown"))))


def test_nothing_to_watch_is_a_valid_file() -> None:
    assert samples(scan_to_metrics(run()))["pypi_preflight_run_exit_status", frozenset()] == 1


def test_every_metric_is_documented_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")
    full = scan_to_metrics(run(row(replace(HEALTHY, expires=ENDED), age=1)))
    assert set(re.findall(r"`(pypi_preflight_\w+)", text)) == set(re.findall(r"# TYPE (\w+)", full))
