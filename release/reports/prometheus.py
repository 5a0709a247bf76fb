"""Token health as metrics, for the textfile collector of node_exporter and for readers of OpenMetrics.

The output is valid in both formats: only gauges, no timestamps, families in one piece, and `# EOF` at the end, which
is a comment in the older format.
Sources: Prometheus documentation, "Text-based format"; OpenMetrics 1.0, "Text format"; node_exporter, "Textfile
Collector" (which rejects a file with a timestamp, or with the same sample twice).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import get_args

from msgspec import Struct

from release.core.errors import Exit
from release.core.models.token_health import TokenReport, TokenState
from release.core.redaction import redact

Labels = tuple[tuple[str, str], ...]
Samples = Mapping[Labels, float]


class MetricsInput(Struct, frozen=True, kw_only=True):
    """A scan of all tokens. Times are aware, UTC."""

    rows: Sequence[TokenReport]
    began: datetime
    ended: datetime
    status: Exit
    interrupted: bool = False
    #: number of notifications that were not delivered yet
    waiting: int = 0


def scan_to_metrics(run: MetricsInput) -> str:
    """The text, which ends with a newline."""
    families = (*_token_families(run), *_run_families(run))
    return "".join(line for family in families for line in _family_to_lines(*family)) + "# EOF\n"


def _token_families(run: MetricsInput) -> Iterator[tuple[str, str, Samples]]:
    rows = {_labels(row): row for row in reversed(run.rows)}  # of two rows for one location, the first is used
    states = {
        (*labels, ("state", state)): float(row.seen.state == state)
        for labels, row in rows.items()
        for state in get_args(TokenState)
    }
    expiry = {labels: row.seen.expires.timestamp() for labels, row in rows.items() if row.seen.expires}
    age = {labels: row.age.total_seconds() for labels, row in rows.items() if row.age is not None}
    checked = {labels: run.ended.timestamp() for labels, row in rows.items() if row.seen.checks}
    yield "token_state", "1 for the token's current state, 0 for the others.", states
    yield "token_expiry_timestamp_seconds", "When the token expires, if the token shows it.", expiry
    yield "token_age_seconds", "Minimum age of the token.", age
    explanation = "When the run that last checked the token ended; absent if this run did not check it."
    yield "token_last_check_timestamp_seconds", explanation, checked


def _run_families(run: MetricsInput) -> Iterator[tuple[str, str, Samples]]:
    counts = Counter(row.seen.state for row in run.rows)
    tokens: Samples = {(("state", state),): counts[state] for state in get_args(TokenState)}
    yield "run_tokens", "Number of credentials in each state.", tokens
    yield "run_timestamp_seconds", "When the last run ended.", {(): run.ended.timestamp()}
    yield "run_duration_seconds", "Duration of the run.", {(): (run.ended - run.began).total_seconds()}
    yield "run_exit_status", "Exit status of the run: 0 healthy, 1 broken, 5 warnings, 6 unknown.", {(): run.status}
    yield "run_interrupted", "1 if the run was interrupted before all tokens were checked.", {(): run.interrupted}
    yield "run_undelivered", "Number of notifications waiting for delivery.", {(): run.waiting}


def _labels(row: TokenReport) -> Labels:
    seen = row.seen
    location = (("index", seen.index), ("project", seen.project or ""))
    return (*location, ("fingerprint", seen.fingerprint), ("source", seen.place))


def _family_to_lines(name: str, description: str, samples: Samples) -> Iterator[str]:
    name = f"pypi_preflight_{name}"
    if samples:
        yield f"# HELP {name} {_escape(description)}\n# TYPE {name} gauge\n"
    for labels, value in samples.items():
        inside = ",".join(f'{key}="{_escape(text)}"' for key, text in labels)
        number = str(int(value)) if value == int(value) else f"{value:.3f}"
        yield f"{name}{{{inside}}} {number}\n" if inside else f"{name} {number}\n"


def _escape(text: str) -> str:
    r"""Escape a label. `\r` has no meaning in either format, but some readers split lines at it."""
    text = redact(text).encode("utf-8", "replace").decode("utf-8")  # a file name may contain a lone surrogate
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ").replace('"', '\\"')
