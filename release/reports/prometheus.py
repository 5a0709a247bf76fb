"""The health of tokens as metrics: text for node_exporter's textfile collector, and for whoever reads OpenMetrics.

Both are met by writing gauges alone, without time stamps, in families that hang together, and `# EOF` at the end,
which is a comment in the older form.
Sources: Prometheus documentation, "Text-based format"; OpenMetrics 1.0, "Text format"; node_exporter, "Textfile
Collector" (which refuses a whole file for a time stamp, or for the same sample twice).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from release.core.errors import Exit
from release.core.models.token_health import TokenReport, TokenState
from release.core.redaction import redact

_PREFIX = "pypi_preflight_"

Labels = tuple[tuple[str, str], ...]
Samples = Mapping[Labels, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsInput:
    """A run over all tokens. Times are aware, UTC."""

    rows: Sequence[TokenReport]
    began: datetime
    ended: datetime
    status: Exit
    #: whether it was ended before all was looked at
    interrupted: bool = False
    #: how much of what was to be told has not arrived yet
    waiting: int = 0


def scan_to_metrics(run: MetricsInput) -> str:
    """The text, which ends with a newline."""
    rows = {_labels(row): row for row in reversed(run.rows)}  # the same place twice: the first is told
    return (
        "".join(
            line
            for name, (about, samples) in {**_of_tokens(rows, run), **_of_run(run)}.items()
            for line in _family(_PREFIX + name, about, samples)
        )
        + "# EOF\n"
    )


def _of_tokens(rows: Mapping[Labels, TokenReport], run: MetricsInput) -> Mapping[str, tuple[str, Samples]]:
    return {
        "token_state": (
            "1 for the state that the token is in, 0 for each other one.",
            {
                (*labels, ("state", state)): float(row.seen.state == state)
                for labels, row in rows.items()
                for state in get_args(TokenState)
            },
        ),
        "token_expiry_timestamp_seconds": (
            "When the token expires, as far as it shows.",
            {labels: row.seen.expires.timestamp() for labels, row in rows.items() if row.seen.expires},
        ),
        "token_age_seconds": (
            "How old the token is, or at least is.",
            {labels: row.age.total_seconds() for labels, row in rows.items() if row.age is not None},
        ),
        "token_last_check_timestamp_seconds": (
            "The end of the run that last looked at the token; absent where this one did not get to it.",
            {labels: run.ended.timestamp() for labels, row in rows.items() if row.seen.checks},
        ),
    }


def _of_run(run: MetricsInput) -> Mapping[str, tuple[str, Samples]]:
    counts = Counter(row.seen.state for row in run.rows)
    return {
        "run_tokens": (
            "How many credentials are in each state.",
            {(("state", state),): counts[state] for state in get_args(TokenState)},
        ),
        "run_timestamp_seconds": ("When the last run ended.", {(): run.ended.timestamp()}),
        "run_duration_seconds": ("How long it took.", {(): (run.ended - run.began).total_seconds()}),
        "run_exit_status": ("Its exit status: 0 healthy, 1 broken, 5 warnings, 6 could not tell.", {(): run.status}),
        "run_interrupted": ("1 where it was ended before all was looked at.", {(): run.interrupted}),
        "run_undelivered": ("Messages that wait to be delivered.", {(): run.waiting}),
    }


def _labels(row: TokenReport) -> Labels:
    seen = row.seen
    return (
        ("index", seen.index),
        ("project", seen.project or ""),
        ("fingerprint", seen.fingerprint),
        ("source", seen.place),
    )


def _family(name: str, about: str, samples: Samples) -> Iterator[str]:
    if samples:
        yield f"# HELP {name} {_escaped(about)}\n# TYPE {name} gauge\n"
    for labels, value in samples.items():
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        yield f"{name}{{{inside}}} {_number(value)}\n" if inside else f"{name} {_number(value)}\n"


def _escaped(text: str) -> str:
    """For a label. Other line ends than this one mean nothing in either form, but do to some readers of lines."""
    text = redact(text).encode("utf-8", "replace").decode("utf-8")  # a lone surrogate of a file's name
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", " ").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"
