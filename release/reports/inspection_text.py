"""What was found in distribution files, for a reader: verdicts, contents, and the project's page in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from release.acceptance.description_rules import RendererBrokeError, render_html
from release.checks.distribution_reader import inspect_built_files
from release.core.models.inspected_file import InspectedFile
from release.core.models.inspection_result import InspectionResult
from release.reports.archive_tree import format_size, printable, tree_lines

#: lines of a description, and entries of one field, that are shown
_LINES, _ENTRIES = 6, 12
#: characters
_WIDTH = 100


def inspection_to_text(found: InspectionResult, *, quiet: bool = False) -> Iterator[str]:
    """A verdict a file with what was found and what is in it; then the set; then the page. Quiet: what is red."""
    pages: set[bytes] = set()
    for file, one in zip(found.document["files"], inspect_built_files(found.built), strict=True):
        accepted = file["verdict"] == "accept"
        if not (quiet and accepted):
            digest = f"  sha256 {file['sha256'][:16]}…" if file["sha256"] else ""
            yield printable(
                f"{'accept' if accepted else 'REFUSE'}  {file['file']}  {format_size(file['size'])}{digest}"
            )
        yield from _findings(file["findings"], quiet=quiet)
        if not quiet:
            yield from (f"  {line}" for line in tree_lines(one.members))
            if one.metadata not in pages:
                yield from (f"  {line}" for line in project_page_preview(one))
            pages.add(one.metadata)
    yield from _findings(found.document["release"], quiet=quiet, of_set=True)
    if found.index is not None and not quiet:
        yield (
            f"asked {found.index.name} what it has; names that it has locked, and names of files that were deleted, "
            "it does not tell"
        )


def _findings(findings: Sequence[Mapping[str, Any]], *, quiet: bool, of_set: bool = False) -> Iterator[str]:
    """What was found in a file, or, with the file named where there is one, in the set."""
    for finding in findings:
        if not quiet or finding["severity"] == "block":
            yield from map(printable, _finding(finding, of_set=of_set))


def _finding(finding: Mapping[str, Any], *, of_set: bool) -> Iterator[str]:
    where = finding["where"]
    place = f"{where}: " if of_set and where and where not in finding["message"] else ""
    yield f"  {'FAIL' if finding['severity'] == 'block' else 'warn'}  {place}{finding['message']}"
    if finding["server_text"] and finding["server_text"] not in finding["message"]:
        yield f"        the index would say: {finding['server_text']}"
    if finding["remedy"]:
        yield f"        → {finding['remedy']}"


def project_page_preview(one: InspectedFile) -> Iterator[str]:
    """The metadata of a file as users will see it on the project's page."""
    from packaging.metadata import parse_email

    raw, _ = parse_email(one.metadata)
    fields: Mapping[str, Any] = raw
    if not fields.get("name"):
        return
    yield "on the project's page:"
    shown = [
        ("", f"{fields['name']} {fields.get('version', '')}"),
        ("", fields.get("summary", "")),
        *((label, text) for label, name in _FIELDS for text in _texts(fields.get(name))),
        *(("", line) for line in _first_lines(fields)),
    ]
    before = ""
    for label, text in shown:
        if text:
            head = "" if label == before else label
            yield f"  {head:<16}{_short(text)}".rstrip() if label else f"  {_short(text)}"
            before = label


_FIELDS = (
    ("author", "author"),
    ("author", "author_email"),
    ("maintainer", "maintainer"),
    ("maintainer", "maintainer_email"),
    ("license", "license_expression"),
    ("license", "license"),
    ("requires python", "requires_python"),
    ("keywords", "keywords"),
    ("home page", "home_page"),
    ("links", "project_urls"),
    ("classifiers", "classifiers"),
    ("requires", "requires_dist"),
    ("extras", "provides_extra"),
)


def _texts(value: Any) -> Iterator[str]:
    """One field's entries; of many, the first."""
    if not value:
        return
    if isinstance(value, str):
        yield value.partition("\n")[0]
        return
    texts = [f"{label}: {url}" for label, url in value.items()] if isinstance(value, Mapping) else list(value)
    yield from texts[:_ENTRIES]
    if len(texts) > _ENTRIES:
        yield f"… and {len(texts) - _ENTRIES} more"


def _first_lines(fields: Mapping[str, Any]) -> Iterator[str]:
    """The description's first lines, rendered, without markup."""
    text = fields.get("description", "")
    try:
        html = render_html(text, fields.get("description_content_type", ""))
    except RendererBrokeError:
        html = None
    words = _Words()
    if html is not None:
        words.feed(html)
        text = "".join(words.parts)
    filled = [line.strip() for line in text.splitlines() if line.strip()]
    yield from filled[:_LINES]
    if len(filled) > _LINES:
        yield "…"


class _Words(HTMLParser):
    """The words of a page; a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"p", "li", "tr", "pre", "div", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6"}:
            self.parts.append("\n")


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
