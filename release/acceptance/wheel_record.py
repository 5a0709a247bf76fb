"""RECORD: what a wheel says that it contains."""

from __future__ import annotations

import csv
from collections.abc import Iterable


class UndecodableError(Exception):
    """RECORD is not UTF-8, or no table."""


def recorded(data: bytes) -> frozenset[str] | None:
    """The paths in a RECORD, with forward slashes; None where a line is blank, over which the server breaks.

    Raises UndecodableError. Source: warehouse, `utils/wheel.py`.
    """
    try:
        rows = list(csv.reader(data.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UndecodableError(str(error)) from error
    if not all(rows):
        return None
    return frozenset(row[0].replace("\\", "/") for row in rows)


def differences(listed: frozenset[str], names: Iterable[str], directory: str) -> tuple[list[str], list[str]]:
    """Members that RECORD does not list, and paths that it lists in vain.

    Signatures must not be listed, directories need not be.
    """
    signatures = {f"{directory}/RECORD.jws", f"{directory}/RECORD.p7s"}
    there = {name for name in names if not name.endswith(("/", "\\")) and name not in signatures}
    return sorted(there - listed), sorted(listed - there)
