"""The record as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summary(record: Mapping[str, Any]) -> str:
    """The last run, for the summary of a CI job."""
    return f"{record['runs'][-1]['exit']['message']}\n"
