"""Small helpers for text output."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with non-printable characters escaped (`\x1b`): text from an archive may contain terminal commands."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def format_size(count: int) -> str:
    """A number of bytes as `12 bytes`, `3 kB` or `4.5 MB`."""
    if count < 1000:  # noqa: PLR2004 - kilo
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 - mega
