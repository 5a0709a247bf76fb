"""The inspection of distribution files: its JSON document, and as text with the archives' contents and project page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from release.acceptance.description_rules import RenderRst, render_html
from release.acceptance.rst_rendering import RendererBrokeError, render_rst
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import CHECKS, OF_A_FILE
from release.checks.engine import run
from release.checks.leak_checks import CHECKS as LEAKS
from release.checks.upload_sequence import ONE_SDIST, OTHER_CONTENT, SAME_CONTENT
from release.core.facts import BuiltFiles, LeakScan
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import InspectedFile, InspectionCache
from release.core.models.results import InspectionResult
from release.core.time_text import format_count
from release.reports.ending import Ending
from release.reports.lines import format_size, printable
from release.reports.version_report import server_to_json

#: checks whose findings are of one file
_OF_A_FILE = frozenset(check.name for check in OF_A_FILE) | {ONE_SDIST, OTHER_CONTENT, SAME_CONTENT}
#: lines of a tree, and files of one directory in it, that are shown
_TREE_LINES, _TREE_FILES = 40, 8
#: lines of a description, entries of one metadata field, and characters of a line, that are shown
_DESCRIPTION_LINES, _ENTRIES, _WIDTH = 6, 12, 100


def inspection_to_json(built: BuiltFiles, *, block: frozenset[str] = frozenset()) -> dict[str, Any]:
    """`{"schema": 1, "server", "installed", "files": [{"file", "sha256", "size", "verdict", "findings"}], "release"}`.

    `server` is the one that the rules follow, `installed` has the libraries here by name, `release` has findings.

    A finding is `{"check", "severity", "message", "remedy", "where", "server_text", "source"}`; a verdict is
    "refuse" where a finding of the file blocks, else "accept". `block` names checks whose warnings block.
    """
    files = [
        _file_to_json(replace(built, files=(file,), cache=InspectionCache(files=(found,))), found, block)
        for file, found in zip(built.files, inspect_built_files(built), strict=True)
    ]
    of_release = (one for one in run(CHECKS, built, block=block) if one.check not in _OF_A_FILE)
    return {
        "schema": 1, "server": server_to_json(), "installed": dict(built.installed), "files": files,
        "release": list(_findings_to_json(of_release)),
    }  # fmt: skip


def _file_to_json(built: BuiltFiles, file: InspectedFile, block: frozenset[str]) -> dict[str, Any]:
    findings = list(_findings_to_json(one for one in run(CHECKS, built, block=block) if one.check in _OF_A_FILE))
    return {
        "file": file.filename, "sha256": file.sha256, "size": built.files[0].size,
        "verdict": "refuse" if any(one["severity"] == "block" for one in findings) else "accept", "findings": findings,
    }  # fmt: skip


def _findings_to_json(outcomes: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        yield from (finding_to_json(outcome.check, one) for one in outcome.findings)
        if outcome.state in {CheckState.CRASHED, CheckState.UNKNOWN}:
            remedy = outcome.remedy or "report this as a bug"
            yield finding_to_json(outcome.check, Finding(message=outcome.reason, remedy=remedy))


def leaks_to_findings(leaks: LeakScan) -> Iterator[dict[str, Any]]:
    """The secrets in files, and what could not be searched for them, as findings of the document."""
    yield from _findings_to_json(run(LEAKS, leaks))


def finding_to_json(check: str, finding: Finding) -> dict[str, Any]:
    """A finding in the document."""
    return {
        "check": check, "severity": finding.severity, "message": finding.message, "remedy": finding.remedy,
        "where": finding.where, "server_text": finding.server_text, "source": finding.source,
    }  # fmt: skip


def inspection_to_text(found: InspectionResult, *, quiet: bool = False, verbose: bool = False) -> Iterator[str]:
    """For each file the verdict and the findings, first for those that are accepted; then the release's findings.

    With `verbose`, also the contents and the project page; with `quiet`, only what would be refused.
    """
    shown: set[bytes] = set()
    pairs = zip(found.document["files"], inspect_built_files(found.built), strict=True)
    for document, file in sorted(pairs, key=lambda pair: str(pair[0]["verdict"] == "refuse")):
        accepted = document["verdict"] == "accept"
        if not (quiet and accepted):
            digest = f"  sha256 {document['sha256'][:16]}…" if document["sha256"] else ""
            verdict = "accept" if accepted else "REFUSE"
            yield printable(f"{verdict}  {document['file']}  {format_size(document['size'])}{digest}")
        yield from findings_to_text(document["findings"], quiet=quiet)
        if verbose:
            yield from (f"  {line}" for line in tree_lines(file.members))
            if file.metadata not in shown:
                yield from (f"  {line}" for line in _project_page(file, found.built.render_rst or render_rst))
            shown.add(file.metadata)
    if found.index is not None and not quiet:
        yield (
            f"checked against the files on {found.index.name}; it does not show which project names are prohibited, "
            "nor which file names were used before"
        )
    yield from findings_to_text(found.document["release"], quiet=quiet, of_release=True)


def inspection_ending(document: Mapping[str, Any]) -> Ending:
    """What is wrong first, and its remedy; or how many files are accepted. `document`: as `inspection_to_json`."""
    files = document["files"]
    of_files = [(file["file"], finding) for file in files for finding in file["findings"]]
    problems = [(name, one) for name, one in of_files if one["severity"] == "block"]
    problems += [(one["where"] or "", one) for one in document["release"] if one["severity"] == "block"]
    if not problems:
        accepted = f"{format_count(len(files), 'file')} would be accepted"
        return Ending(command="inspect", message=accepted, remedy="", passed=True)
    name, first = problems[0]
    where = f"{name}: " if name and name not in first["message"] else ""
    more = f" (and {format_count(len(problems) - 1, 'more problem')})" if len(problems) > 1 else ""
    message = printable(f"{where}{first['message']}{more}")
    return Ending(command="inspect", message=message, remedy=printable(first["remedy"]), passed=False)


def findings_to_text(findings: Sequence[Mapping[str, Any]], *, quiet: bool, of_release: bool = False) -> Iterator[str]:
    """Lines of findings of a document; `of_release`: with the file of each. With `quiet`, only those that block."""
    for finding in findings:
        if not quiet or finding["severity"] == "block":
            yield from map(printable, _finding_to_text(finding, with_file=of_release))


def _finding_to_text(finding: Mapping[str, Any], *, with_file: bool) -> Iterator[str]:
    where = finding["where"]
    prefix = f"{where}: " if with_file and where and where not in finding["message"] else ""
    # third-party checkers are named by their messages
    name = "" if finding["check"] in finding["message"] else f" [{finding['check']}]"
    yield f"  {'FAIL' if finding['severity'] == 'block' else 'warn'}  {prefix}{finding['message']}{name}"
    if finding["server_text"] and finding["server_text"] not in finding["message"]:
        yield f"        the index would say: {finding['server_text']}"
    if finding["remedy"]:
        yield f"        → {finding['remedy']}"


class _Directory(Struct):
    directories: dict[str, _Directory] = field(default_factory=dict)
    #: name, bytes
    files: list[tuple[str, int]] = field(default_factory=list)
    #: of all files below
    count: int = 0
    size: int = 0


def tree_lines(members: Sequence[tuple[str, int]]) -> Iterator[str]:
    """The files of an archive (path, bytes) as a tree: as deep as fits, the rest as totals."""
    if not members:
        return
    root = _Directory()
    for path, size in members:
        _add(root, path, size)
    yield f"{format_count(root.count, 'file')}, {format_size(root.size)} unpacked"
    for depth in (8, 6, 4, 3, 2, 1):
        lines = list(_directory_lines(root, depth))
        if len(lines) <= _TREE_LINES:
            break
    yield from lines[:_TREE_LINES]
    if len(lines) > _TREE_LINES:
        yield f"  … and {len(lines) - _TREE_LINES} more"


def _add(root: _Directory, path: str, size: int) -> None:
    at = root
    *directories, name = path.split("/")
    for part in (None, *directories):
        at = at if part is None else at.directories.setdefault(part, _Directory())
        at.count += 1
        at.size += size
    at.files.append((name, size))


def _directory_lines(at: _Directory, depth: int, indent: str = "  ") -> Iterator[str]:
    for name, below in at.directories.items():
        yield _row(f"{indent}{printable(name)}/", f"{format_size(below.size)} in {format_count(below.count, 'file')}")
        if depth > 1:
            yield from _directory_lines(below, depth - 1, indent + "  ")
    for name, size in at.files[:_TREE_FILES]:
        yield _row(f"{indent}{printable(name)}", format_size(size))
    if rest := at.files[_TREE_FILES:]:
        yield _row(f"{indent}… {format_count(len(rest), 'file')} more", format_size(sum(size for _, size in rest)))


def _row(name: str, text: str) -> str:
    return f"{name:<56}  {text}"


_FIELDS = (
    ("author", "author"), ("author", "author_email"), ("maintainer", "maintainer"), ("maintainer", "maintainer_email"),
    ("license", "license_expression"), ("license", "license"), ("requires python", "requires_python"),
    ("keywords", "keywords"), ("home page", "home_page"), ("links", "project_urls"), ("classifiers", "classifiers"),
    ("requires", "requires_dist"), ("extras", "provides_extra"),
)  # fmt: skip


def _project_page(file: InspectedFile, render: RenderRst) -> Iterator[str]:
    """The metadata of a file as the project's page will show it."""
    from packaging.metadata import parse_email

    raw, _ = parse_email(file.metadata)
    fields: Mapping[str, Any] = raw
    if not fields.get("name"):
        return
    yield "on the project's page:"
    rows = [
        ("", f"{fields['name']} {fields.get('version', '')}"),
        ("", fields.get("summary", "")),
        *((label, text) for label, name in _FIELDS for text in _entries(fields.get(name))),
        *(("", line) for line in _description_start(fields, render)),
    ]
    previous = ""
    for label, text in rows:
        if text:
            heading = "" if label == previous else label
            yield f"  {heading:<16}{_short(text)}".rstrip() if label else f"  {_short(text)}"
            previous = label


def _entries(value: Any) -> Iterator[str]:
    """The first entries of a metadata field."""
    if not value:
        return
    if isinstance(value, str):
        yield value.partition("\n")[0]
        return
    texts = [f"{label}: {url}" for label, url in value.items()] if isinstance(value, Mapping) else list(value)
    yield from texts[:_ENTRIES]
    if len(texts) > _ENTRIES:
        yield f"… and {len(texts) - _ENTRIES} more"


def _description_start(fields: Mapping[str, Any], render: RenderRst) -> Iterator[str]:
    """The first lines of the rendered description, without markup."""
    text = fields.get("description", "")
    try:
        html = render_html(text, fields.get("description_content_type", ""), render)
    except RendererBrokeError:
        html = None
    if html is not None:
        page = _PageText()
        page.feed(html)
        text = "".join(page.parts)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    yield from lines[:_DESCRIPTION_LINES]
    if len(lines) > _DESCRIPTION_LINES:
        yield "…"


class _PageText(HTMLParser):
    """The text of a page, with a line for each block."""

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
