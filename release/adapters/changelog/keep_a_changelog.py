"""Changelogs with a section for each release, in Markdown or reStructuredText: Keep a Changelog, and zest.releaser's.

The heading of what is not released yet becomes that of the release, in the style of the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.changelog.changelog_text import ChangelogText, Heading, parse_changelog, to_bytes
from release.adapters.changelog.compare_links import update_links
from release.adapters.changelog.release_titles import ReleaseTitle, date_line, next_title, replace_versions
from release.core.models.check_result import Finding
from release.core.models.preparation import FileEdit

#: the names of changelogs without their ends, in the order in which they are looked for
_STEMS = ("changelog", "changes", "history", "news")
_MARKDOWN, _OTHERS = (".md", ".markdown"), (".rst", ".txt", "")
#: commits that a proposal lists
_LISTED = 10


def plan_sections(request: ChangelogRequest) -> ChangelogChange | None:
    """The change of a changelog that people write. None where the project has none."""
    name = find_changelog(request.directory, request.configured)
    if name is None:
        return None
    data = (request.directory / name).read_bytes()
    try:
        text = parse_changelog(data, markdown=_is_markdown(name, data))
    except UnicodeDecodeError as error:
        return _with_finding(request, f"{name!r} is not UTF-8 at byte {error.start}", "save it as UTF-8", name)
    if text.undated is not None:
        return _dated_below(text, *text.undated, request, name)
    if (there := _released(text, request)) is not None:
        empty = text.is_empty(there)
        return ChangelogChange(findings=(_empty(request, name, there.text),) if empty else ())
    pending = text.pending
    title = next_title(
        pending.title if pending else None, _title_of(text), _renamed(text, request), request.today
    )  # fmt: skip
    if pending is None:
        return _without_section(request, name, text, title)
    after = _release_section(text, pending, title, request, name)
    edit = FileEdit(path=name, before=data, after=after, what=f"{pending.text!r} → {title!r}")
    empty = text.is_empty(pending)
    return ChangelogChange(edits=(edit,), findings=(_empty(request, name, pending.text),) if empty else ())


def find_changelog(directory: Path, configured: str | None) -> str | None:
    """The name of the project's changelog, relative to the project; None where it has none."""
    if configured is not None:
        return configured if (directory / configured).is_file() else None
    names = {one.name.lower(): one.name for one in sorted(directory.iterdir()) if one.is_file()}
    found = (names.get(stem + end) for stem in _STEMS for end in (*_MARKDOWN, *_OTHERS))
    return next((name for name in found if name), None)


def _is_markdown(name: str, data: bytes) -> bool:
    if name.lower().endswith(_MARKDOWN):
        return True
    return not name.lower().endswith(".rst") and re.search(rb"(?m)^#{1,3} \S", data) is not None


def _released(text: ChangelogText, request: ChangelogRequest) -> Heading | None:
    """The section of this version, if it is there as a released one."""
    return next((one for one in text.releases if one.title and one.title.is_for(request.version)), None)


def _title_of(text: ChangelogText) -> ReleaseTitle | None:
    return text.releases[0].title if text.releases else None


def _renamed(text: ChangelogText, request: ChangelogRequest) -> dict[str, str]:
    """The version of each of the last two releases → the one after it."""
    versions = [one.title.version_text for one in text.releases[:2] if one.title]
    new = [request.text, *versions]
    return dict(reversed(list(zip(versions, new, strict=False)))) or {"": request.text}


def _release_section(
    text: ChangelogText, pending: Heading, title: str, request: ChangelogRequest, name: str
) -> bytes:  # fmt: skip
    """The bytes with the heading of the release, and another one above it where the project always has one."""
    keeps = pending.title is not None and pending.title.version is None and _keeps_pending(text, request, name)
    newline = text.newline(pending.line)
    newest = list(_renamed(text, request).items())[-1:]
    kept = (replace_versions(line, dict(newest)) for line in text.lines[pending.start : pending.end])
    above = [*kept, newline] if keeps else []
    lines = [*text.lines[: pending.start], *above, *text.heading_lines(pending, title), *text.lines[pending.end :]]
    lines, _ = update_links(
        lines, renamed=_renamed(text, request), pending=keeps, tag=request.tag, newline=newline
    )  # fmt: skip
    return to_bytes(lines, marked=text.marked)


def _dated_below(
    text: ChangelogText, heading: Heading, number: int, request: ChangelogRequest, name: str
) -> ChangelogChange:
    """The change where the line below a heading says "Unreleased": it gets the date, and the heading the version."""
    before = text.lines[number]
    dated = f"Released {request.today.isoformat()}"
    for one in text.releases[1:]:
        below = text.line_below(one)
        if below is not None and (found := date_line(text.lines[below].rstrip("\r\n"), request.today)):
            dated = found
            break
    lines = list(text.lines)
    lines[number] = dated + before[len(before.rstrip("\r\n")) :]
    title = heading.title
    assert title is not None
    assert title.version is not None
    new = title.text[: title.version.start] + request.text + title.text[title.version.stop :]
    lines[heading.start : heading.end] = text.heading_lines(heading, new)
    edit = FileEdit(
        path=name, before=(request.directory / name).read_bytes(), after=to_bytes(lines, marked=text.marked),
        what=f"{heading.text!r}, {before.strip()!r} → {new!r}, {dated!r}",
    )  # fmt: skip
    empty = text.is_empty(heading)
    return ChangelogChange(edits=(edit,), findings=(_empty(request, name, heading.text),) if empty else ())


def _keeps_pending(text: ChangelogText, request: ChangelogRequest, name: str) -> bool:
    """Whether a release of this project leaves an empty section for what comes next.

    As it did at the last tag; before the first, where the file follows Keep a Changelog, whose sections are so.
    """
    before = request.at_last_tag(name)
    if before is not None:
        try:
            earlier = parse_changelog(before, markdown=_is_markdown(name, before))
        except UnicodeDecodeError:
            return False
        if earlier.releases:
            return earlier.pending is not None
    whole = "".join(text.lines).lower()
    return "keepachangelog.com" in whole or re.search(r"(?m)^ {0,3}\[unreleased\]:", whole) is not None


def _without_section(request: ChangelogRequest, name: str, text: ChangelogText, title: str) -> ChangelogChange | None:
    """No section is made up: the finding has the lines to add."""
    if not text.releases and request.configured is None and not text.headings:
        return None  # another kind of file
    newest = text.releases[0] if text.releases else None
    lines = text.heading_lines(newest, title) if newest else [f"## {title}\n"]
    place = f"above {newest.text!r}" if newest else "at its top"
    shown = "".join(line.rstrip("\r\n") + "\n" for line in lines) + "\n" + "\n".join(_proposals(request))
    return _with_finding(
        request, f"{name!r} has no section for {request.text}, and none for unreleased changes",
        f"add it to {name}, {place}, then run the same command again; for example:\n{shown}", name,
    )  # fmt: skip


def _with_finding(request: ChangelogRequest, message: str, remedy: str, name: str) -> ChangelogChange:
    """A warning; where the configuration names the file, the check of the changelog would fail."""
    severity = "block" if request.configured else "warn"
    finding = Finding(message=message, remedy=remedy, severity=severity, where=name)  # type: ignore[arg-type]
    return ChangelogChange(findings=(finding,))


def _empty(request: ChangelogRequest, name: str, title: str) -> Finding:
    proposals = list(_proposals(request))
    since = f" since {request.last_tag}" if request.last_tag else ""
    remedy = f"write there what users notice; the commits{since}:\n" + "\n".join(proposals)
    return Finding(
        message=f"{name!r} has no entry under {title!r}", severity="warn", where=name,
        remedy=remedy if proposals else "write there what users notice",
    )  # fmt: skip


def _proposals(request: ChangelogRequest) -> Iterator[str]:
    commits = [one for one in request.commits if not one.subject.startswith("Merge ")]
    yield from (f"- {one.subject}" for one in commits[:_LISTED])
    if len(commits) > _LISTED:
        yield f"- and {len(commits) - _LISTED} more: git log {request.last_tag}.."
