"""Reports: results as text, JSON, HTML and other formats. Pure: values in, text out.

To add a format for release records, write a module with `render(record) -> str`, and add it to `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast


class ReportWriter(Protocol):
    """A module that renders records in one format."""

    def render(self, record: Mapping[str, Any]) -> str:
        """The record (docs/record.md) in this format."""


class ReportFormat(NamedTuple):
    """A format, and its module, which is imported when it is used."""

    module: str
    #: file name extension, with its dot
    suffix: str
    media_type: str
    #: for the help text
    description: str

    def render(self, record: Mapping[str, Any]) -> str:
        """The record (docs/record.md) in this format."""
        return cast("ReportWriter", import_module(f"{__name__}.{self.module}")).render(record)


#: name of the format, which is also the option of `report` → format
FORMATS: Mapping[str, ReportFormat] = {
    "text": ReportFormat("plain_text", ".txt", "text/plain", "plain text (the default)"),
    "html": ReportFormat("html", ".html", "text/html", "a self-contained page for a browser"),
    "markdown": ReportFormat(
        "markdown", ".md", "text/markdown", "Markdown for an issue, a pull request or release notes"
    ),
    "junit": ReportFormat("junit", ".xml", "application/xml", "JUnit XML, with a test case for each check"),
    "sarif": ReportFormat("sarif", ".sarif", "application/sarif+json", "SARIF 2.1.0 for code scanning"),
}

#: of the record of a set's run: name of the format, which is also the option of `report --set` → format
SET_FORMATS: Mapping[str, ReportFormat] = {
    name: FORMATS[name]._replace(module=f"set_{FORMATS[name].module}") for name in ("text", "html", "markdown")
}
