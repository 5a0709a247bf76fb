"""Reports: results as text, JSON, HTML and other formats. Pure: values in, text out.

To add a format for release records, write a module that matches `Writer`, and add it to `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast


class Writer(Protocol):
    """What the module of a format provides."""

    def render(self, record: Mapping[str, Any]) -> str:
        """Return the record (docs/record.md) in this format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """A format, and its module, which is imported when it is used."""

    module: str
    #: file name extension, with its dot
    suffix: str
    media_type: str
    #: for the help text
    description: str

    def render(self, record: Mapping[str, Any]) -> str:
        return cast("Writer", import_module(f"{__name__}.{self.module}")).render(record)


#: name of the format, which is also the option of `report` → format
FORMATS: Mapping[str, ReportFormat] = {
    "text": ReportFormat(
        module="plain_text", suffix=".txt", media_type="text/plain", description="plain text (the default)"
    ),
    "html": ReportFormat(
        module="html", suffix=".html", media_type="text/html", description="a self-contained page for a browser"
    ),
    "markdown": ReportFormat(
        module="markdown", suffix=".md", media_type="text/markdown",
        description="Markdown for an issue, a pull request or release notes",
    ),
    "junit": ReportFormat(
        module="junit", suffix=".xml", media_type="application/xml",
        description="JUnit XML, with a test case for each check",
    ),
    "sarif": ReportFormat(
        module="sarif", suffix=".sarif", media_type="application/sarif+json",
        description="SARIF 2.1.0 for code scanning",
    ),
}  # fmt: skip
